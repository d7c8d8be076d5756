"""Whether the light along a path is a trail."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.masks import Bit
from mar.steps.trail_centring import BESIDE_PX, ridge_sigma
from mar.steps.trail_paths import Path, Pieces, median_of_known

PIECES = 24  # that a row or column is looked at in
NEAR_PX = 4  # from a path that the row or column may lie
DRIFT_PX = 30  # a path that strays no farther across may be a row or column of the detector
SHARPEST = 0.8  # a profile that falls by more of its peak from pixel to pixel is no light, but a defect
PIECE_SNR = 5.0  # that pieces are cut for
FEWEST = 8  # pieces of a path
LEAST_KNOWN = 0.4  # of its pieces
LEAST_SNR = 8.0  # of a steady trail as a whole
LEAST_BROKEN_SNR = 12.0  # of what is seen of another
CLEAR = 4.0  # sigmas of a piece that counts for it
LEAST_SEEN = 5  # pieces of a broken trail
LARGEST_SPREAD = 0.65  # of the light of these pieces, in its mean; that of stars in a row spreads farther
BRIGHTER = 0.75  # part of a piece's pixels that are fainter than its brighter parts
GRAIN_PX = 2.0  # from the path within which they are compared
LIT_LENGTHS = 2.0  # times HOUGH_LINES_MINLENGTH that a broken trail shines; galaxies seen edge-on are shorter
LEAST_GRAIN = 0.8  # the brighter parts are no fainter, but for noise
STEADY_GRAIN, BROKEN_GRAIN = 2.0, 1.3  # times the light of the fainter parts that is still no row of stars
FLASHES_SPREAD, FLASHES_GRAIN = 0.8, 6.0  # the same of flashes that stand out well
PEAKED = 2.0  # light about a star that is so much brighter than along the rest is the star's


class Light(NamedTuple):
    """The light of a path, piece by piece."""

    mean: np.ndarray  #: ADU, over the core of the profile
    noise: np.ndarray  #: of `mean`; inf where too little is known

    @property
    def snr(self) -> float:
        """Of the whole path."""
        return float(np.nansum(self.mean / self.noise**2) / np.sqrt(np.sum(1 / self.noise**2)))


@dataclass(frozen=True)
class Seen:
    """Where along its path a trail is seen."""

    pieces: Pieces
    on: np.ndarray  #: (pieces,) bool
    light: Light
    support: float  #: part of the known pieces where it is seen
    peak_sigma: float  #: peak of the mean profile, in sigmas of one pixel of sky
    core: np.ndarray  #: (offsets,) bool, where its profile is above half of its peak
    ridge_sigma: float  #: how much more light it has than the lines beside it, in their scatter
    lit_ridge_sigma: float  #: the same of as many pieces as it is seen in, the brightest of each line


def core_of(profile: np.ndarray, top: int) -> np.ndarray:
    """The offsets about the top of a profile where it is above half of its peak."""
    low = high = top
    while low > 0 and profile[low - 1] > 0.5 * profile[top]:
        low -= 1
    while high + 1 < profile.size and profile[high + 1] > 0.5 * profile[top]:
        high += 1
    core = np.zeros(profile.size, dtype=bool)
    core[low : high + 1] = True
    return core


def measure(
    path: Path, data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction
) -> Seen | None:
    """Cut the path into pieces that show its light clearly, and tell where it is seen; None without light."""
    longest = max(FEWEST, PIECES)
    first = _seen(Pieces.along(path, data, mask, min(longest, _most(path, 8)), config), config)
    if first is None:
        return None
    wanted = int((first.light.snr / PIECE_SNR) ** 2) if first.light.snr > 0 else 0
    number = min(max(wanted, FEWEST), max(_most(path, max(reduction.hough_lines_maxgap, 8)), longest))
    number = min(number, _most(path, 8))
    return _seen(Pieces.along(path, data, mask, max(number, 1), config), config)


def _most(path: Path, piece_px: float) -> int:
    return max(1, int(path.length / piece_px))


def _seen(pieces: Pieces, config: Trails) -> Seen | None:
    """The pieces with light, by the profile that most of them have."""
    mean, noise = pieces.amplitude(np.abs(pieces.across) <= 2)
    on = mean > config.piece_sigma * noise
    for _ in range(2):
        # the median of all is not biased by what was chosen, but a broken trail does not show in it
        chosen = on if np.count_nonzero(on) < 0.6 * on.size else np.ones(on.size, dtype=bool)
        if not chosen.any():
            return None
        profile = np.nan_to_num(median_of_known(pieces.profiles[chosen], 0))
        inner = np.nonzero(~pieces.flank & (np.abs(pieces.across) <= config.largest_width / 4))[0]
        top = int(inner[np.argmax(profile[inner])])
        if profile[top] <= 0 or not _rises_from_the_sky(profile, pieces, float(profile[top])):
            return None
        core = core_of(profile, top)
        light = Light(*pieces.amplitude(core))
        on = light.mean > config.piece_sigma * light.noise
    known = max(1, int(np.count_nonzero(np.isfinite(light.noise))))
    support, peak = np.count_nonzero(on) / known, float(profile[top]) / pieces.sigma
    lit = max(1, int(np.count_nonzero(on)))
    return Seen(
        pieces, on, light, support, peak, core, _ridge(pieces, core, on.size), _ridge(pieces, core, lit)
    )


def _ridge(pieces: Pieces, core: np.ndarray, brightest: int) -> float:
    """How much the light in the core stands out from the lines beside it, in their scatter.

    Of each line its `brightest` pieces count, so that a broken trail has no more choice than they have.
    """
    inner = np.flatnonzero(core)
    total = np.sort(pieces.scores(inner.size), axis=0)[-brightest:].sum(axis=0)
    middle = (inner[0] + inner[-1]) // 2
    known = 2 * np.count_nonzero(np.isfinite(pieces.profiles), axis=0) > pieces.t.size
    beside = known & (np.abs(np.arange(total.size) - middle) > inner.size + BESIDE_PX)
    return ridge_sigma(total[middle], total[beside], brightest)


def grain_of(
    path: Path, where: np.ndarray, seen: Seen, data: np.ndarray, mask: np.ndarray, config: Trails
) -> float:
    """How many times brighter than its fainter parts the brighter parts of a piece are, in the typical piece.

    Of the pieces `where`. A trail shines along a whole piece; in a row of stars the brighter parts are stars.
    """
    brighter = Pieces.along(path, data, mask, seen.on.size, config, BRIGHTER)
    near = np.abs(brighter.across) <= GRAIN_PX
    high, low = brighter.amplitude(near)[0][where], seen.pieces.amplitude(near)[0][where]
    return float(np.median(high / np.maximum(low, 1e-9)))


def _rises_from_the_sky(profile: np.ndarray, pieces: Pieces, peak: float) -> bool:
    """Whether both sides are at the same level, as beside a trail and not at the edge of an amplifier."""
    sides = [np.median(profile[pieces.flank & (pieces.across * side > 0)]) for side in (-1, 1)]
    return bool(abs(sides[0] - sides[1]) < 0.3 * peak)


def is_steady(seen: Seen, config: Trails, reduction: Reduction) -> bool:
    """Whether it is seen along most of the path, with much the same brightness."""
    light = seen.light
    known = np.isfinite(light.noise)
    if np.count_nonzero(known) < LEAST_KNOWN * known.size or light.snr < LEAST_SNR:
        return False
    if seen.ridge_sigma < config.steady_ridge_sigma:
        return False
    typical = np.median(light.mean[known])
    even = light.mean + 2 * light.noise > typical / config.unevenness
    even &= light.mean - 2 * light.noise < typical * config.unevenness
    # what is not known breaks no run
    long = in_long_runs((seen.on & even) | ~known, seen.pieces.length_px, reduction) & known
    return bool(np.count_nonzero(long) >= config.least_support * np.count_nonzero(known))


def is_broken(
    seen: Seen,
    path: Path,
    data: np.ndarray,
    mask: np.ndarray,
    width_px: float,
    config: Trails,
    reduction: Reduction,
) -> bool:
    """Whether what is seen is long and slim enough for a trail that ends in the frame, or flashes."""
    lit = _in_runs((seen.light.mean > CLEAR * seen.light.noise) & ~_of_stars(seen, path, mask), 2)
    slim_px = max(config.least_length * min(mask.shape), config.least_slimness * width_px)
    least_px = max(slim_px, LIT_LENGTHS * reduction.hough_lines_minlength)
    if np.count_nonzero(lit) < max(LEAST_SEEN, least_px / seen.pieces.length_px):
        return False
    light = Light(seen.light.mean[lit], seen.light.noise[lit])
    # a galaxy seen edge-on is slim only where it is faint; most of its light is in its middle
    if light.mean.sum() * seen.pieces.length_px < slim_px * light.mean.max():
        return False
    if light.snr < LEAST_BROKEN_SNR or seen.lit_ridge_sigma < config.broken_ridge_sigma:
        return False
    within = _in_runs(lit, 3) & np.roll(lit, 1) & np.roll(lit, -1)  # flashes end within pieces
    where = within if np.count_nonzero(within) >= 2 else lit
    # flashes that stand out well may be shorter than pieces
    stands_out = seen.lit_ridge_sigma >= 2 * config.broken_ridge_sigma
    spread, grain = (FLASHES_SPREAD, FLASHES_GRAIN) if stands_out else (LARGEST_SPREAD, BROKEN_GRAIN)
    if np.std(light.mean) > spread * np.mean(light.mean):
        return False
    return LEAST_GRAIN <= grain_of(path, where, seen, data, mask, config) <= grain


def runs_of(on: np.ndarray) -> np.ndarray:
    """First piece and piece after the last, (runs, 2), of each unbroken run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(int), [0]))))
    return edges.reshape(-1, 2)


def _in_runs(on: np.ndarray, least: int) -> np.ndarray:
    """Those of `on` with as many neighbours."""
    kept = np.zeros(on.size, dtype=bool)
    for first, last in runs_of(on):
        kept[first:last] = last - first >= least
    return kept


def in_long_runs(on: np.ndarray, piece_px: float, reduction: Reduction) -> np.ndarray:
    """Those pieces of `on` that lie in runs of at least HOUGH_LINES_MINLENGTH pixels.

    Gaps of HOUGH_LINES_MAXGAP pixels at most do not break a run.
    """
    bridged = on.copy()
    for first, last in runs_of(~on):
        if (last - first) * piece_px <= reduction.hough_lines_maxgap and first > 0 and last < on.size:
            bridged[first:last] = True
    for first, last in runs_of(bridged):
        if (last - first) * piece_px < reduction.hough_lines_minlength:
            bridged[first:last] = False
    return on & bridged


def _of_stars(seen: Seen, path: Path, mask: np.ndarray) -> np.ndarray:
    """Pieces in runs that are brightest at a saturated star: its diffraction spikes and its halo."""
    x, y = path.points(np.arange(path.length))
    rows = np.clip(np.rint(y), 0, mask.shape[0] - 1).astype(int)
    columns = np.clip(np.rint(x), 0, mask.shape[1] - 1).astype(int)
    full = (mask[rows, columns] & np.uint8(Bit.SATURATED)) != 0
    pieces = np.minimum((np.flatnonzero(full) / seen.pieces.length_px).astype(int), seen.on.size - 1)
    at_star = np.zeros(seen.on.size, dtype=bool)
    at_star[pieces] = True
    of_stars = np.zeros(seen.on.size, dtype=bool)
    for first, last in runs_of(seen.on | at_star):
        within = slice(first, last)
        light = np.where(seen.on[within], seen.light.mean[within], 0)
        stars = np.flatnonzero(at_star[within])
        if stars.size and light.any():
            brightest = np.abs(stars - int(np.argmax(light))).min() <= 1
            of_stars[within] = brightest and light.max() > PEAKED * np.median(light[light > 0])
    return of_stars


def is_of_the_detector(seen: Seen, path: Path, data: np.ndarray, mask: np.ndarray, config: Trails) -> bool:
    """Whether what is seen keeps to one row or column, with edges sharper than light has them."""
    beside = float(np.mean(seen.pieces.across[seen.core]))  # a path may lie some pixels off a bad column
    x, y = path.moved(np.array([beside])).points(seen.pieces.t[seen.on])
    axis = int(np.ptp(y) > np.ptp(x))  # 0: along a row, 1: along a column
    across = (y, x)[axis]
    if np.ptp(across) > DRIFT_PX:
        return False
    at = float(np.rint(np.median(across)))
    direction = ((1.0, 0.0), (0.0, 1.0))[axis]
    exact = Path(((0.0, at), (at, 0.0))[axis], direction, float(data.shape[1 - axis]))
    pieces = Pieces.along(exact, data, mask, PIECES, config)
    # a path through crowded stars may lie aslant on a column
    near = np.abs(pieces.across) <= NEAR_PX + np.ptp(across) / 2
    mean, noise = pieces.amplitude(near)
    lit = mean > config.piece_sigma * noise
    if not lit.any():
        return False
    inner = median_of_known(pieces.profiles[lit], 0)[near]
    return bool(np.nanmax(np.abs(np.diff(inner)), initial=0) > SHARPEST * np.nanmax(inner, initial=0))
