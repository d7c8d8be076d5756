"""Whether the light along a path is a trail, and how wide."""

from typing import NamedTuple

import numpy as np

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.steps.trail_paths import Path, Pieces, median_of_known

PIECES = 24  # that a row or column is looked at in
LEAST_HALF_PX = 1.0
DRIFT_PX = 4  # a path that strays no farther across may be a row or column of the detector
SHARPEST = 0.8  # a profile that falls by more of its peak from pixel to pixel is no light, but a defect


class Verdict(NamedTuple):
    """What a trail looks like across its path."""

    left_px: float  #: from the path to the trail's edges
    right_px: float
    peak_sigma: float  #: peak of the mean profile, in sigmas of one pixel of sky
    support: float  #: part of the length where it is seen

    @property
    def width_px(self) -> float:
        """From edge to edge across."""
        return self.left_px + self.right_px


def judge(path: Path, pieces: Pieces, config: Trails, reduction: Reduction) -> Verdict | None:
    """The edges of the light along `path`; None unless it looks like a trail and is seen all along."""
    profile = median_of_known(pieces.profiles, 0)
    if np.isnan(profile).any():
        return None
    inner = np.nonzero(~pieces.flank)[0]
    top = int(inner[np.argmax(profile[inner])])
    peak = float(profile[top])
    if peak <= 0 or not _rises_from_the_sky(profile, pieces, peak):
        return None
    limit = min(config.edge_sigma * pieces.sigma, 0.5 * peak)
    left, right = _edge(profile, top, -1, limit), _edge(profile, top, 1, limit)
    if top - left < inner[0] or top + right > inner[-1]:
        return None
    core = profile > 0.5 * peak
    core &= np.abs(np.arange(profile.size) - top) <= max(left, right)
    support = _support(pieces, core, path.length / pieces.t.size, config, reduction)
    if support < config.least_support:
        return None
    middle = float(pieces.across[top])
    left, right = max(left - middle, LEAST_HALF_PX), max(right + middle, LEAST_HALF_PX)
    return Verdict(left, right, peak / pieces.sigma, support)


def _rises_from_the_sky(profile: np.ndarray, pieces: Pieces, peak: float) -> bool:
    """Whether both sides are at the same level, as beside a trail and not at the edge of an amplifier."""
    sides = [np.median(profile[pieces.flank & (pieces.across * side > 0)]) for side in (-1, 1)]
    return abs(sides[0] - sides[1]) < 0.3 * peak


def is_of_the_detector(path: Path, data: np.ndarray, mask: np.ndarray, config: Trails) -> bool:
    """Whether it keeps to one row or column, with edges sharper than light has them."""
    rows, columns = path.pixels(np.linspace(0, path.length, PIECES), np.zeros(1))
    axis = int(np.ptp(rows) > np.ptp(columns))  # 0: along a row, 1: along a column
    across = (rows, columns)[axis]
    if np.ptp(across) > DRIFT_PX:
        return False
    at = float(np.median(across))
    direction = ((1.0, 0.0), (0.0, 1.0))[axis]
    exact = Path(((0.0, at), (at, 0.0))[axis], direction, float(data.shape[1 - axis]))
    pieces = Pieces.along(exact, data, mask, exact.length / PIECES, config)
    inner = median_of_known(pieces.profiles, 0)[np.abs(pieces.across) <= DRIFT_PX]
    return bool(np.nanmax(np.abs(np.diff(inner)), initial=0) > SHARPEST * np.nanmax(inner, initial=0))


def _edge(profile: np.ndarray, top: int, step: int, limit: float) -> float:
    """Pixels from the top to where the profile falls to `limit`."""
    at = top
    while 0 <= at + step < profile.size and profile[at + step] > limit:
        at += step
    if not 0 <= at + step < profile.size:
        return float(abs(at - top))
    part = (profile[at] - limit) / (profile[at] - profile[at + step])
    return abs(at - top) + float(part)


def _support(
    pieces: Pieces, core: np.ndarray, piece_px: float, config: Trails, reduction: Reduction
) -> float:
    """Part of the pieces that show the trail, in runs of at least HOUGH_LINES_MINLENGTH pixels."""
    light = pieces.profiles[:, core]
    usable = (np.count_nonzero(~np.isnan(light), axis=1) >= 0.5 * light.shape[1]) & (pieces.noise > 0)
    if np.count_nonzero(usable) < 0.5 * usable.size:
        return 0.0
    counted = np.maximum(np.count_nonzero(~np.isnan(light), axis=1), 1)
    mean = np.nansum(light, axis=1) / counted
    noise = pieces.noise / np.sqrt(counted)
    seen = (mean > config.piece_sigma * noise) & _even(mean, noise, usable, config.unevenness)
    seen = seen[usable]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], seen.astype(int), [0]))))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs * piece_px >= reduction.hough_lines_minlength].sum() / seen.size)


def _even(mean: np.ndarray, noise: np.ndarray, usable: np.ndarray, factor: float) -> np.ndarray:
    """Which pieces are as bright as most: rows of stars, galaxies and diffraction spikes are not even."""
    typical = np.median(mean[usable])
    return (mean + 2 * noise > typical / factor) & (mean - 2 * noise < typical * factor)
