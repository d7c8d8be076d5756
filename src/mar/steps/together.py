"""All frames of a field solved together: shared sky positions, per-frame linear terms, shared distortion.

Every star has one place on the sky, which all frames that saw it and the reference catalogue measure. Each
frame has its own shift, scale, rotation and shear; frames of one group (a camera in a band) share the higher
terms. The places of the stars are eliminated from the weighted normal equations, as in global astrometry
(Eichhorn 1960, AN 285, 233; SCAMP, Bertin 2006), so that these have only the terms of the frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mar.errors import NotSolved
from mar.refcat.stars import Stars
from mar.steps.matching import pairs_within
from mar.steps.projection import from_plane, to_plane
from mar.steps.rough import centre_of
from mar.steps.tpv import POWERS, Tpv, fit_tpv, terms

RADIUS_MAS = 1000.0  # of what is taken for one star
_PASSES, _CLIPS = 2, 4
_LEAST = 3  # stars of a frame that others, or the catalogue, know
_MAS = 3.6e6  # in a degree


@dataclass(frozen=True)
class Member:
    """A frame with its own solution and its stars."""

    wcs: Tpv
    shape: tuple[int, int]
    x: np.ndarray  #: pixels counted from 1
    y: np.ndarray
    error_mas: np.ndarray  #: of the centroids alone
    group: str = ""  #: frames of one group share their distortion


@dataclass(frozen=True)
class Together:
    """The solutions of all frames, in their order, and how well they agree."""

    wcs: list[Tpv]
    stars: int  #: seen by two frames, or by one and the catalogue
    internal_mas: tuple[float, float]  #: rms of a frame's star about the mean of all, east and north
    reference_mas: tuple[float, float]  #: rms of the means about the catalogue


@dataclass(frozen=True)
class _Sightings:
    """One row for each star on each frame."""

    frame: np.ndarray
    star: np.ndarray  #: number of the star; the first are those of the catalogue
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray  #: mas^-2

    def __getitem__(self, chosen: np.ndarray) -> "_Sightings":
        return _Sightings(*(getattr(self, name)[chosen] for name in ("frame", "star", "x", "y", "weight")))


def solve_together(
    members: Sequence[Member], reference: Stars, degree: int, sigmas: float = 3.0, reference_mas: float = 10.0
) -> Together:
    """Solve frames that were solved one by one; each keeps what it has where the others cannot help.

    `reference` at one epoch around all of them, `reference_mas` its error where it has none; `degree` of the
    shared distortion, lowered for a group with few stars; sightings beyond `sigmas` are left out. Raises
    NotSolved where a frame shares too few stars with the rest.
    """
    centre = _centre(members)
    catalogue = _MAS * np.stack(to_plane(reference.ra_deg, reference.dec_deg, *centre), axis=1)
    catalogue = catalogue[np.isfinite(catalogue).all(axis=1)]
    seen = _shared(_linked(members, catalogue, centre), len(catalogue))
    _check(seen, members)
    weight0 = np.zeros(int(seen.star.max()) + 1)
    weight0[: len(catalogue)] = (reference.error_mas or reference_mas) ** -2
    known = np.zeros((len(weight0), 2))
    known[: min(len(catalogue), len(known))] = catalogue[: len(known)]
    basis = _Basis(members, seen, degree, centre)
    # begin with straight frames, so that the distortion comes from all of a group together
    now = [replace(one, wcs=_straight(one)) for one in members]
    for _ in range(_PASSES):
        seen, shift, residual, places = _solved(now, seen, basis, known, weight0, sigmas, centre)
        now = [replace(one, wcs=basis.moved(k, one, shift, members[k].wcs)) for k, one in enumerate(now)]
    held = np.bincount(seen.star, minlength=len(weight0))
    both = (weight0 > 0) & (held > 0)
    many = held[seen.star] > 1
    return Together(
        [one.wcs for one in now],
        int(np.count_nonzero(held + (weight0 > 0) * (held > 0) > 1)),
        _rms(residual[many]),
        _rms(places[both] - known[both]),
    )


def _rms(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    east, north = np.sqrt((values**2).mean(axis=0))
    return float(east), float(north)


def _centre(members: Sequence[Member]) -> tuple[float, float]:
    middles = [one.wcs.sky(*map(np.array, centre_of(one.shape))) for one in members]
    ra0, dec0 = (float(value) for value in middles[0])
    xi, eta = np.array([to_plane(ra, dec, ra0, dec0) for ra, dec in middles]).mean(axis=0)
    ra, dec = from_plane(xi, eta, ra0, dec0)
    return float(ra), float(dec)


def _places(wcs: Tpv, x: np.ndarray, y: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Pixels on the common plane (n, 2), mas."""
    return _MAS * np.stack(to_plane(*wcs.sky(x, y), *centre), axis=-1)


def _linked(members: Sequence[Member], catalogue: np.ndarray, centre: tuple[float, float]) -> _Sightings:
    """Which star each source is: of the catalogue, or one that another frame saw before, or a new one."""
    known = catalogue
    rows = []
    for number, one in enumerate(members):
        places = _places(one.wcs, one.x, one.y, centre)
        star = np.full(len(places), -1)
        if len(known) and len(places):
            source, found = pairs_within(places, known, RADIUS_MAS)
            star[source] = found
        new = np.flatnonzero(star < 0)
        star[new] = len(known) + np.arange(len(new))
        known = np.concatenate([known, places[new]])
        rows.append((np.full(len(places), number), star, one.x, one.y, one.error_mas**-2.0))
    return _Sightings(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _shared(seen: _Sightings, catalogued: int) -> _Sightings:
    """Those of stars that are seen twice or that the catalogue holds."""
    return seen[(seen.star < catalogued) | (np.bincount(seen.star)[seen.star] > 1)]


def _check(seen: _Sightings, members: Sequence[Member]) -> None:
    counts = np.bincount(seen.frame, minlength=len(members))
    if len(counts) == 0 or counts.min() < _LEAST:
        raise NotSolved(
            f"frame {int(np.argmin(counts)) + 1} shares only {counts.min()} stars with the others and the "
            f"catalogue; {_LEAST} are needed to solve them together"
        )


def _straight(one: Member) -> Tpv:
    x, y = _grid(one.shape)
    return fit_tpv(x, y, *one.wcs.sky(x, y), np.ones_like(x), one.wcs, 1)


def _grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.linspace(1, shape[1], 15), np.linspace(1, shape[0], 15))
    return x.ravel(), y.ravel()


class _Basis:
    """The terms that move the stars of a frame: three linear ones per axis, and the group's higher ones."""

    def __init__(
        self, members: Sequence[Member], seen: _Sightings, degree: int, centre: tuple[float, float]
    ) -> None:
        self.members, self.centre = members, centre
        self.groups = sorted({one.group for one in members})
        self.of_frame = np.array([self.groups.index(one.group) for one in members])
        counts = np.bincount(self.of_frame[seen.frame], minlength=len(self.groups))
        self.degrees = [_carried(int(count), degree) for count in counts]
        self.higher = [[POWERS[term] for term in terms(top) if sum(POWERS[term]) > 1] for top in self.degrees]
        sizes = [2 * len(powers) for powers in self.higher]
        self.first = 6 * len(members) + np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        self.size = int(self.first[-1])
        self.turns = [self._turn(one) for one in members]

    def _turn(self, one: Member) -> np.ndarray:
        """How the frame's axes lie on the common plane (2, 2), without their scale."""
        x, y = centre_of(one.shape)
        place = _places(one.wcs, np.array([x, x + 1, x]), np.array([y, y, y + 1]), self.centre)
        turn = np.stack([place[1] - place[0], place[2] - place[0]], axis=1)
        return np.asarray(turn / np.sqrt(abs(np.linalg.det(turn))))

    def rows(self, number: int, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns (k,) and values (n, 2, k) of the design of some pixels of a frame."""
        one, group = self.members[number], self.of_frame[number]
        half = max(one.shape) / 2
        u, v = ((values - middle) / half for values, middle in zip((x, y), centre_of(one.shape), strict=True))
        linear = np.stack([np.ones_like(u), u, v], axis=1)
        nothing = np.zeros_like(linear)
        own = np.stack([np.hstack([linear, nothing]), np.hstack([nothing, linear])], axis=1)
        columns = 6 * number + np.arange(6)
        powers = self.higher[group]
        if not powers:
            return columns, own
        high = np.stack([u**p * v**q for p, q in powers], axis=1)
        shared = np.stack(
            [np.hstack([self.turns[number][axis, k] * high for k in (0, 1)]) for axis in (0, 1)], axis=1
        )
        return np.concatenate([columns, np.arange(self.first[group], self.first[group + 1])]), np.concatenate(
            [own, shared], axis=2
        )

    def moved(self, number: int, one: Member, shift: np.ndarray, start: Tpv) -> Tpv:
        """The solution of a frame whose stars were moved by the terms `shift`."""
        x, y = _grid(one.shape)
        columns, values = self.rows(number, x, y)
        place = (_places(one.wcs, x, y, self.centre) + values @ shift[columns]) / _MAS
        degree = max(1, self.degrees[self.of_frame[number]])
        ra, dec = from_plane(place[:, 0], place[:, 1], *self.centre)
        return fit_tpv(x, y, ra, dec, np.ones_like(x), start, degree)


def _carried(count: int, degree: int) -> int:
    """The highest degree whose terms have ten sightings each."""
    return max((d for d in range(1, degree + 1) if count >= 10 * len(terms(d))), default=1)


def _solved(
    members: Sequence[Member],
    seen: _Sightings,
    basis: _Basis,
    known: np.ndarray,
    weight0: np.ndarray,
    sigmas: float,
    centre: tuple[float, float],
) -> tuple[_Sightings, np.ndarray, np.ndarray, np.ndarray]:
    """Sightings kept, terms, residuals (n, 2) in mas and the places of the stars (m, 2)."""
    begun = np.empty((len(seen.x), 2))
    blocks = []
    for number, one in enumerate(members):
        rows = np.flatnonzero(seen.frame == number)
        begun[rows] = _places(one.wcs, seen.x[rows], seen.y[rows], centre)
        columns, values = basis.rows(number, seen.x[rows], seen.y[rows])
        across = np.broadcast_to(columns, (len(rows), len(columns))).ravel()
        down = np.repeat(rows, len(columns))
        blocks.append((down, across, values[:, 0].ravel(), values[:, 1].ravel()))
    down, across, *parts = (np.concatenate(kind) for kind in zip(*blocks, strict=True))
    size = (len(begun), basis.size)
    design = [sparse.csr_array((part, (down, across)), shape=size) for part in parts]
    keep = np.ones(len(begun), dtype=bool)
    shift = np.zeros(basis.size)
    for _ in range(_CLIPS):
        weight = np.where(keep, seen.weight, 0.0)
        places = _means(begun, seen.star, weight, known, weight0)
        shift = _normal(design, begun, places, seen.star, weight, weight0)
        moved = begun + np.stack([part @ shift for part in design], axis=1)
        places = _means(moved, seen.star, weight, known, weight0)
        residual = moved - places[seen.star]
        scaled = np.hypot(*residual.T) * np.sqrt(seen.weight / 2)
        kept = scaled <= sigmas * max(1.2 * float(np.median(scaled[keep])), 1.0)
        if np.array_equal(kept, keep):
            break
        keep = kept
    return seen[keep], shift, residual[keep], places


def _means(
    positions: np.ndarray, star: np.ndarray, weight: np.ndarray, known: np.ndarray, weight0: np.ndarray
) -> np.ndarray:
    """Weighted mean places (m, 2) of the stars, the catalogue's own included."""
    total = np.maximum(np.bincount(star, weight, len(weight0)) + weight0, 1e-30)
    sums = [np.bincount(star, weight * positions[:, axis], len(weight0)) for axis in (0, 1)]
    return np.asarray((np.stack(sums, axis=1) + weight0[:, None] * known) / total[:, None])


def _normal(
    design: list[sparse.csr_array],
    begun: np.ndarray,
    places: np.ndarray,
    star: np.ndarray,
    weight: np.ndarray,
    weight0: np.ndarray,
) -> np.ndarray:
    """The terms that bring frames, stars and catalogue together best; the stars' places are eliminated."""
    total = np.maximum(np.bincount(star, weight, len(weight0)) + weight0, 1e-30)
    gather = sparse.csr_array((weight, (star, np.arange(len(star)))), shape=(len(weight0), len(star)))
    matrix = np.zeros((design[0].shape[1],) * 2)
    vector = np.zeros(len(matrix))
    for axis, part in enumerate(design):
        weighted = part.multiply(weight[:, None]).tocsr()
        mean = gather @ part
        matrix += (part.T @ weighted - mean.T @ mean.multiply(1 / total[:, None]).tocsr()).toarray()
        vector += weighted.T @ (places[star, axis] - begun[:, axis])
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-30))
    found, *_ = np.linalg.lstsq(matrix * np.outer(scale, scale), vector * scale, rcond=1e-12)
    return np.asarray(found * scale)
