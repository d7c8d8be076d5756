"""Find which sources are which reference stars, when the pointing is only roughly known.

Triangles of neighbouring bright stars are compared by their shape, size and direction (after Groth 1986 and
Valdes et al. 1995, with a k-d tree); each pair of like triangles votes for a shift, a rotation and a scale.
The most voted is refined on all stars, and accepted only where chance cannot have made as many coincidences.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import binom

from mar.errors import NotSolved

NEIGHBOURS = 8
SHAPE_TOLERANCE = 0.006  # on the ratios of the sides
_VOTE_CELL = np.array([0.006, 0.006, 12.0, 12.0])  # log scale, radian, arcsec, arcsec
_CANDIDATES = 400_000
_TRIED = 6  # most voted hypotheses that are tried
_CERTAIN = 3  # times the exponent of chance that is asked for: then nothing better is sought


@dataclass(frozen=True)
class Limits:
    """How far the true position may be from the rough one."""

    offset_arcsec: float
    scale: float  #: greatest factor between true and nominal scale
    angle_rad: float
    flips: bool
    radius_arcsec: float  #: of the last cross-identification
    least_stars: int
    log10_chance: float  #: a match that chance makes more often than 10 to this is refused


@dataclass(frozen=True)
class Match:
    """Which source is which star; `matrix` (2, 2) and `shift` turn the sources' plane into the stars'."""

    matrix: np.ndarray
    shift: np.ndarray
    sources: np.ndarray
    stars: np.ndarray
    log10_chance: float

    def apply(self, plane: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the sources' plane in the stars' plane, arcsec."""
        return plane @ self.matrix.T + self.shift


def match(sources: np.ndarray, stars: np.ndarray, limits: Limits) -> Match:
    """Match `sources` (n, 2) with `stars` (m, 2), each brightest first, in arcsec on the rough tangent plane.

    Raises NotSolved where no match is beyond chance.
    """
    if min(len(sources), len(stars)) < limits.least_stars:
        raise NotSolved(
            f"{len(sources)} usable sources and {len(stars)} reference stars: "
            f"at least {limits.least_stars} of each are needed"
        )
    tried = 0
    best: Match | None = None
    for chosen, reference in _depths(sources, stars):
        for mirror in _mirrors(limits.flips):
            for matrix, shift in _hypotheses(chosen @ mirror, reference, limits):
                tried += 1
                found = _refined(sources @ mirror, stars, matrix, shift, limits, tried)
                if found is not None and (best is None or found.log10_chance < best.log10_chance):
                    best = replace(found, matrix=found.matrix @ mirror.T)
            if best is not None and best.log10_chance < _CERTAIN * limits.log10_chance:
                return best
    if best is None or best.log10_chance > limits.log10_chance:
        raise NotSolved(
            f"no match of {len(sources)} sources with {len(stars)} reference stars is beyond chance: "
            "is the pointing right, and the reference catalogue deep enough?"
        )
    return best


def _mirrors(flips: bool) -> list[np.ndarray]:
    signs = [(1, 1), (-1, 1), (1, -1), (-1, -1)] if flips else [(1, 1)]
    return [np.diag(np.array(sign, dtype=float)) for sign in signs]


def _depths(sources: np.ndarray, stars: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The brightest sources and stars, as many for their area; from few to many, then unequal depths."""
    width = np.ptp(sources, axis=0)
    area = float(np.prod(width + 1.0))
    larger = float(np.prod(np.maximum(np.ptp(stars, axis=0), 1.0))) / area
    seen = set()
    for number, depth in ((50, 1.0), (150, 1.0), (50, 2.0), (50, 0.5), (400, 1.0), (150, 2.5), (1500, 1.0)):
        n, m = min(number, len(sources)), min(int(number * depth * larger) + 1, len(stars), 6000)
        if (n, m) not in seen:
            seen.add((n, m))
            yield sources[:n], stars[:m]


def _triangles(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (n, 3), those opposite the longest, middle and shortest side, and the features of each.

    Features: both ratios of sides, log of the longest, its direction (cos, sin), and the handedness.
    """
    k = min(NEIGHBOURS + 1, len(points))
    _, near = cKDTree(points).query(points, k=k)
    pairs = np.array(list(combinations(range(1, k), 2)))
    corners = np.stack(
        [np.repeat(near[:, 0], len(pairs)), near[:, pairs[:, 0]].ravel(), near[:, pairs[:, 1]].ravel()],
        axis=1,
    )
    corners = np.unique(np.sort(corners, axis=1), axis=0)
    p = points[corners]
    opposite = np.stack(
        [np.linalg.norm(p[:, (i + 1) % 3] - p[:, (i + 2) % 3], axis=1) for i in range(3)], axis=1
    )
    order = np.argsort(-opposite, axis=1)
    corners = np.take_along_axis(corners, order, axis=1)
    sides = np.take_along_axis(opposite, order, axis=1)
    good = (sides[:, 2] > 0.15 * sides[:, 0]) & (sides[:, 2] > 5.0)
    corners, sides = corners[good], sides[good]
    a, b, c = (points[corners[:, i]] for i in range(3))
    longest = (c - b) / sides[:, :1]
    handed = np.sign((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))
    features = np.column_stack([sides[:, 1] / sides[:, 0], sides[:, 2] / sides[:, 0], np.log(sides[:, 0])])
    return corners, np.column_stack([features, longest, handed])


def _hypotheses(
    sources: np.ndarray, stars: np.ndarray, limits: Limits
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Similarity transforms (matrix, shift), the most voted first."""
    corners, features = _triangles(sources)
    star_corners, star_features = _triangles(stars)
    if not len(corners) or not len(star_corners):
        return
    chord = 2 * np.sin(limits.angle_rad / 2)
    reach = np.array([SHAPE_TOLERANCE, SHAPE_TOLERANCE, np.log(limits.scale), chord, chord, 0.5])
    alike = cKDTree(features / reach).sparse_distance_matrix(
        cKDTree(star_features / reach), 1.0, p=np.inf, output_type="ndarray"
    )
    if not len(alike):
        return
    if len(alike) > _CANDIDATES:
        alike = alike[np.argsort(alike["v"])[:_CANDIDATES]]
    votes = _votes(sources[corners[alike["i"]]], stars[star_corners[alike["j"]]])
    middle = (sources.min(axis=0) + sources.max(axis=0)) / 2
    yield from _most_voted(votes, middle, limits)


def _votes(source: np.ndarray, star: np.ndarray) -> np.ndarray:
    """Least-squares similarity of each pair of triangles (n, 3, 2): complex factor and shift (n, 2)."""
    z = source[..., 0] + 1j * source[..., 1]
    w = star[..., 0] + 1j * star[..., 1]
    z0, w0 = z.mean(axis=1), w.mean(axis=1)
    dz, dw = z - z0[:, None], w - w0[:, None]
    factor = (np.conj(dz) * dw).sum(axis=1) / (np.abs(dz) ** 2).sum(axis=1)
    return np.column_stack([factor, w0 - factor * z0])


def _most_voted(
    votes: np.ndarray, middle: np.ndarray, limits: Limits
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    factor, centre = votes[:, 0], middle[0] + 1j * middle[1]
    offset = votes[:, 1] + factor * centre - centre  # where the middle of the frame goes
    allowed = np.abs(offset) <= limits.offset_arcsec
    allowed &= np.abs(np.log(np.abs(factor))) <= np.log(limits.scale)
    allowed &= np.abs(np.angle(factor)) <= limits.angle_rad
    factor, offset = factor[allowed], offset[allowed]
    if not len(factor):
        return
    cells = np.column_stack([np.log(np.abs(factor)), np.angle(factor), offset.real, offset.imag]) / _VOTE_CELL
    tree = cKDTree(cells)
    support = tree.query_ball_point(cells, 1.0, p=np.inf, return_length=True)
    left = np.ones(len(cells), dtype=bool)
    for _ in range(_TRIED):
        top = int(np.argmax(np.where(left, support, 0)))
        if not left[top] or support[top] < 2:
            return
        members = tree.query_ball_point(cells[top], 1.0, p=np.inf)
        left[tree.query_ball_point(cells[top], 2.0, p=np.inf)] = False
        log_scale, angle, dx, dy = np.median(cells[members], axis=0) * _VOTE_CELL
        cos, sin = np.exp(log_scale) * np.cos(angle), np.exp(log_scale) * np.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])
        yield matrix, np.array([middle[0] + dx, middle[1] + dy]) - matrix @ middle


def pairs_within(moved: np.ndarray, stars: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (source, star), each the other's nearest, closer than `radius`."""
    distance, star = cKDTree(stars).query(moved, distance_upper_bound=radius)
    source = np.flatnonzero(np.isfinite(distance))
    star = star[source]
    order = np.argsort(distance[source], kind="stable")
    source, star = source[order], star[order]
    _, first = np.unique(star, return_index=True)
    first.sort()
    return source[first], star[first]


def _refined(
    sources: np.ndarray,
    stars: np.ndarray,
    matrix: np.ndarray,
    shift: np.ndarray,
    limits: Limits,
    tried: int,
) -> Match | None:
    """The affine transform on ever closer pairs, and how likely chance would make as many."""
    radius = 2.0 * limits.radius_arcsec
    for factor in (1.0, 0.7, 0.5, 0.5, 0.35, 0.35):
        source, star = pairs_within(sources @ matrix.T + shift, stars, factor * radius)
        if len(source) < limits.least_stars:
            return None
        matrix, shift = _affine(sources[source], stars[star])
    if not _plausible(matrix, limits):
        return None
    moved = sources @ matrix.T + shift
    source, star = pairs_within(moved, stars, 0.35 * radius)
    if len(source) < limits.least_stars:
        return None
    distance = np.linalg.norm(moved[source] - stars[star], axis=1)
    close = max(2.5 * float(np.median(distance)), 0.3)
    chance = _log10_chance(moved, stars, int(np.count_nonzero(distance <= close)), close) + np.log10(tried)
    return Match(matrix, shift, source, star, float(chance))


def _affine(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine transform by least squares, the farthest pairs left out once; a similarity for few points."""
    keep = np.ones(len(points), dtype=bool)
    matrix, shift = np.eye(2), np.zeros(2)
    for _ in range(3):
        if keep.sum() < 6:
            factor, offset = _votes(points[None, keep], targets[None, keep])[0]
            matrix = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
            shift = np.array([offset.real, offset.imag])
        else:
            design = np.column_stack([points[keep], np.ones(int(keep.sum()))])
            solution, *_ = np.linalg.lstsq(design, targets[keep], rcond=None)
            matrix, shift = solution[:2].T, solution[2]
        residual = np.linalg.norm(points @ matrix.T + shift - targets, axis=1)
        keep = residual <= max(3.0 * float(np.median(residual)), 1e-6)
    return matrix, shift


def _plausible(matrix: np.ndarray, limits: Limits) -> bool:
    """Whether an affine transform is nearly a rotation and a scale within the limits."""
    large, small = np.linalg.svd(matrix, compute_uv=False)
    return bool(
        np.linalg.det(matrix) > 0
        and large / small < 1.05
        and large < 1.02 * limits.scale
        and small > 1 / (1.02 * limits.scale)
    )


def _log10_chance(moved: np.ndarray, stars: np.ndarray, matched: int, radius: float) -> float:
    """log10 of the probability that stars strewn at random make that many coincidences."""
    low, high = moved.min(axis=0), moved.max(axis=0)
    inside = np.all((stars >= low) & (stars <= high), axis=1).sum()
    area = float(np.prod(np.maximum(high - low, 1.0)))
    single = 1 - np.exp(-inside * np.pi * radius**2 / area)
    return float(binom.logsf(matched - 1, len(moved), single) / np.log(10))
