"""From a candidate line to a trail: follow it at full resolution, judge it, measure its edges, draw it."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.kernels.trail_band import draw_band
from mar.masks import Bit
from mar.steps.trail_centring import (
    LEAST_PIECE_PX,
    PIECES,
    number_of_pieces,
    onto_centres,
    onto_ridge,
)
from mar.steps.trail_paths import Path, Pieces, median_of_known
from mar.steps.trail_verdict import (
    LEAST_GRAIN,
    PIECE_SNR,
    STEADY_GRAIN,
    Light,
    Seen,
    grain_of,
    in_long_runs,
    is_broken,
    is_of_the_detector,
    is_steady,
    measure,
    runs_of,
)

LEAST_RIDGE = 4.0  # sigmas over the lines beside it; below it is not worth a closer look
LEAST_HALF_PX = 1.0
NARROWING_PX = (4.0, 2.5)  # half the widths within which centres of light are looked for, one after another
STEADY_LEVEL, BROKEN_LEVEL = 0.4, 0.6  # part of a piece's pixels fainter than the light its edges are for
STEADY_EDGES, BROKEN_EDGES = 1.15, 2.0  # factors that its edges may be nearer or farther than their median
WINGS = 2.0  # times its width, beyond which the faint wings of a trail are no trail of their own
SHORTEST_PX = 8  # pieces that ends and gaps are looked for in
FEWEST_LIT = 3  # of these in a row are light of a broken trail, fewer may be a star
MOST_DARK = 2  # of these in a row are no gap
SECTION_SNR = 25.0  # that parts of a trail are joined for to measure their width
MOST_SECTIONS = 16


@dataclass(frozen=True)
class Edges:
    """How far the two edges of a trail are from its path, at points along it."""

    t: np.ndarray  #: (n,) pixels along the path, increasing
    left_px: np.ndarray
    right_px: np.ndarray

    @property
    def width_px(self) -> float:
        """From edge to edge across, the median along the trail."""
        return float(np.median(self.left_px + self.right_px))

    @property
    def widest_px(self) -> float:
        """The greatest width along the trail."""
        return float(np.max(self.left_px + self.right_px))

    def evened(self, factor: float) -> "Edges":
        """The same with no edge farther off than so many times the median of its side, nor nearer."""
        sides = [
            np.clip(side, np.median(side) / factor, np.median(side) * factor)
            for side in (self.left_px, self.right_px)
        ]
        return Edges(self.t, *sides)


@dataclass(frozen=True)
class Track:
    """A trail: its path, its edges, and from where to where along the path it goes."""

    path: Path
    edges: Edges
    spans: np.ndarray  #: (n, 2) from where to where it shines; infinite where it goes on beyond the frame
    peak_sigma: float  #: peak of the mean profile, in sigmas of one pixel of sky
    support: float  #: part of the path where it is seen

    @property
    def breadth_px(self) -> float:
        """Of the band that holds the trail with its bends."""
        return self.edges.width_px + 2 * float(np.abs(self.path.curve).sum())

    def draw(self, mask: np.ndarray) -> None:
        """Set bit TRAIL in `mask` where it shines."""
        self._draw(mask, self.spans, 1.0)

    def hide(self, mask: np.ndarray) -> None:
        """Set bit TRAIL in `mask` from edge to edge of the frame, with its faint wings."""
        self._draw(mask, np.array([[-np.inf, np.inf]]), WINGS)

    def _draw(self, mask: np.ndarray, spans: np.ndarray, wider: float) -> None:
        left, right = wider * self.edges.left_px, wider * self.edges.right_px
        draw_band(mask, int(Bit.TRAIL), self.path.chord, self.path.curve, spans, self.edges.t, left, right)


def follow(
    data: np.ndarray, mask: np.ndarray, near: Path, binning: int, config: Trails, reduction: Reduction
) -> Track | None:
    """The trail near a straight path, or None where there is none that deserves the name.

    `near` is known to a pixel of the image binned by `binning`. `data` (ny, nx) ADU; pixels that are bad,
    saturated, or of a trail found before are left out.
    """
    path, sigma = onto_ridge(near, data, mask, (2 * binning + 2, 2 * binning + 2), config)
    if sigma < LEAST_RIDGE:
        return None
    whole = path.across_the_frame(mask.shape)
    if whole.length < LEAST_PIECE_PX * PIECES / 2:
        return None
    if whole.length > 1.05 * near.length:
        path = whole
        path, _ = onto_ridge(path, data, mask, (4, 4 * whole.length / near.length), config)
    for half_px in NARROWING_PX:
        pieces = Pieces.along(path, data, mask, number_of_pieces(path), config)
        path = onto_centres(path, pieces, half_px, config)
    return _judged(path, data, mask, config, reduction)


def _judged(
    path: Path, data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction
) -> Track | None:
    seen = measure(path, data, mask, config, reduction)
    if seen is None or not seen.on.any() or is_of_the_detector(seen, path, data, mask, config):
        return None
    steady = is_steady(seen, config, reduction)
    if steady and not LEAST_GRAIN <= grain_of(path, seen.on, seen, data, mask, config) <= STEADY_GRAIN:
        return None
    level = STEADY_LEVEL if steady else BROKEN_LEVEL
    pieces = Pieces.along(path, data, mask, seen.on.size, config, level)
    edges = edges_of(pieces, seen, steady, config)
    if edges is None:
        return None
    if path.length < config.least_slimness * edges.width_px:
        return None  # across a corner, where a galaxy or a halo may be as long
    if not steady and not is_broken(seen, path, data, mask, edges.width_px, config, reduction):
        return None
    return Track(
        path,
        edges.evened(STEADY_EDGES if steady else BROKEN_EDGES),
        reach_of(seen, reduction) if steady else lit_spans(path, seen, data, mask, config),
        seen.peak_sigma,
        seen.support,
    )


def edges_of(pieces: Pieces, seen: Seen, steady: bool, config: Trails) -> Edges | None:
    """Where the light falls to EDGE_SIGMA of the noise of a pixel, or to half of its peak if that is less.

    The pieces where the trail is seen are joined until they show their light clearly. A steady trail has one
    profile, that of all of them, as bright as it is in each part; another may grow wider. None where the
    light is wider than LARGEST_WIDTH.
    """
    on = np.flatnonzero(seen.on)
    mean, noise = seen.light.mean[on], seen.light.noise[on]
    snr = float(np.sum(mean / noise**2) / np.sqrt(np.sum(1 / noise**2)))
    sections = min(max(int((snr / SECTION_SNR) ** 2), 1), MOST_SECTIONS, on.size)
    whole = _joined(pieces, on)
    found = []
    for part in np.array_split(on, sections):
        profile = _joined(pieces, part)
        if steady:
            profile = whole * _brightness(profile[seen.core], whole[seen.core])
        sides = _sides(profile, pieces, config)
        if sides is not None:
            found.append((float(np.mean(pieces.t[part])), *sides))
    if len(found) < 0.5 * sections:
        return None
    t, left, right = np.array(found).T
    if len(found) >= 3:  # a star beside the trail widens one section
        left, right = median_filter(left, 3, mode="nearest"), median_filter(right, 3, mode="nearest")
    return Edges(t, left, right)


def _joined(pieces: Pieces, part: np.ndarray) -> np.ndarray:
    """The profile (offsets,) that most of these pieces have, in ADU over that of the sky beside them.

    The median of pieces lies below their mean where stars are many; beside the trail as much as on it.
    """
    profile = np.nan_to_num(median_of_known(pieces.profiles[part], 0))
    return profile - np.median(profile[pieces.flank])


def _brightness(part: np.ndarray, whole: np.ndarray) -> float:
    """How many times brighter than the whole trail a part of it is, by their light in the core."""
    return max(float(part @ whole) / max(float(whole @ whole), 1e-9), 0.0)


def _sides(profile: np.ndarray, pieces: Pieces, config: Trails) -> tuple[float, float] | None:
    """Pixels from the path to both edges of the light of one profile."""
    inner = np.nonzero(~pieces.flank & (np.abs(pieces.across) <= config.largest_width / 4))[0]
    top = int(inner[np.argmax(profile[inner])])
    peak = float(profile[top])
    if peak <= 0:
        return None
    limit = min(config.edge_sigma * pieces.sigma, 0.5 * peak)
    left, right = _edge(profile, top, -1, limit), _edge(profile, top, 1, limit)
    whole = np.nonzero(~pieces.flank)[0]
    if top - left < whole[0] or top + right > whole[-1]:
        return None
    middle = float(pieces.across[top])
    return max(left - middle, LEAST_HALF_PX), max(right + middle, LEAST_HALF_PX)


def _edge(profile: np.ndarray, top: int, step: int, limit: float) -> float:
    """Pixels from the top to where the profile falls to `limit`."""
    at = top
    while 0 <= at + step < profile.size and profile[at + step] > limit:
        at += step
    if not 0 <= at + step < profile.size:
        return float(abs(at - top))
    part = (profile[at] - limit) / (profile[at] - profile[at + step])
    return abs(at - top) + float(part)


def lit_spans(path: Path, seen: Seen, data: np.ndarray, mask: np.ndarray, config: Trails) -> np.ndarray:
    """From where to where along its path a broken trail shines above EDGE_SIGMA, (n, 2) pixels."""
    lit = Light(seen.light.mean[seen.on], seen.light.noise[seen.on])
    number = max(
        seen.on.size,
        min(int(path.length / SHORTEST_PX), int(seen.on.size * (lit.snr / PIECE_SNR) ** 2 / lit.mean.size)),
    )
    pieces = Pieces.along(path, data, mask, number, config)
    mean, noise = pieces.amplitude(seen.core)
    unknown = ~np.isfinite(noise)
    on = (mean > np.maximum(config.piece_sigma * noise, config.edge_sigma * pieces.sigma)) | unknown
    for first, last in runs_of(~on):
        on[first:last] = last - first <= MOST_DARK
    kept = [
        run for run in runs_of(on) if run[1] - run[0] >= FEWEST_LIT and not unknown[run[0] : run[1]].all()
    ]
    ends = np.array(kept or [(0, number)]) * pieces.length_px
    return ends + np.array([-0.5, 0.5]) * pieces.length_px


def reach_of(seen: Seen, reduction: Reduction) -> np.ndarray:
    """From where to where a steady trail goes, (1, 2): from edge to edge, unless an end is clearly missing.

    It is missing where a stretch longer than any two gaps within shows less than half of its light.
    """
    piece_px = seen.pieces.length_px
    long = in_long_runs(seen.on, piece_px, reduction)
    runs = runs_of(long if long.any() else seen.on)
    first, last = int(runs[0, 0]), int(runs[-1, 1])
    gaps = runs[1:, 0] - runs[:-1, 1]
    longest = max(2, 2 * int(gaps.max(initial=0)))
    typical = float(np.median(seen.light.mean[seen.on]))
    start, end = -np.inf, np.inf
    if first > longest and _is_dark(seen, slice(0, first), typical):
        start = (first - 0.5) * piece_px
    if seen.on.size - last > longest and _is_dark(seen, slice(last, None), typical):
        end = (last + 0.5) * piece_px
    return np.array([[start, end]])


def _is_dark(seen: Seen, where: slice, typical: float) -> bool:
    """Whether pieces show less than half of the light that a trail typically has."""
    mean, noise = seen.light.mean[where], seen.light.noise[where]
    known = np.isfinite(noise)
    if np.count_nonzero(known) < 2:
        return False
    error = 1 / np.sqrt(np.sum(1 / noise[known] ** 2))
    return bool(np.median(mean[known]) + 2 * error < 0.5 * typical)
