"""Models of a level along a line of overscan superpixels."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial

from mar.kernels.strips_of_counts import middle_value, running_medians, tally

Line = Callable[[np.ndarray], np.ndarray]
"""Level in ADU at positions along the strip (pixels of the raw frame)."""

SPLINE_POINTS = 5  # a smoothing spline needs that many superpixels
RUNNING = 7  # superpixels that the running median spans
LEAST_NOISE = 0.5  # ADU, of a pixel
CLIP_SIGMA, CLIP_SPAN = 4.0, 15  # superpixels around one that it is compared with
DRIFT_PARTS = 16  # a drift is looked for on this many parts of a strip


class Profile(NamedTuple):
    """What strips tell at each position along them, from their good pixels."""

    start: int  #: first position, pixels of the raw frame
    number: np.ndarray  #: good pixels
    total: np.ndarray  #: their sum, ADU
    square: np.ndarray  #: sum of their squares


class Superpixels(NamedTuple):
    """Neighbouring positions of a strip averaged together."""

    position: np.ndarray  #: mean position of each, pixels
    level: np.ndarray  #: ADU
    weight: np.ndarray  #: pixels that were averaged


def profile(strip: np.ndarray, start: int) -> Profile:
    """The profile of a strip (columns, positions) that begins at `start`; NaN pixels take no part."""
    number, total, square = (
        np.zeros(strip.shape[1], np.int64),
        np.zeros(strip.shape[1]),
        np.zeros(strip.shape[1]),
    )
    tally(strip, number, total, square)
    return Profile(start, number, total, square)


def together(parts: Sequence[Profile]) -> Profile:
    """The profile of several strips that run side by side."""
    number, total, square = (
        np.sum(column, axis=0) for column in zip(*(part[1:] for part in parts), strict=True)
    )
    return Profile(parts[0].start, number, total, square)


def superpixels(of: Profile, size: int) -> Superpixels:
    """Average a profile over `size` positions at a time.

    What is left over at the end joins the last superpixel where it is less than half of one. Superpixels
    without a single good pixel are left out.
    """
    length = len(of.number)
    edges = np.arange(max(1, int(length / size + 0.5))) * size
    weight = np.add.reduceat(of.number, edges).astype(np.float64)
    total = np.add.reduceat(of.total, edges)
    position = of.start + 0.5 * (edges + np.append(edges[1:], length) - 1)
    used = weight > 0
    return Superpixels(position[used], total[used] / weight[used], weight[used])


class Residuals(NamedTuple):
    """What a model leaves along the strips, in ADU."""

    pixels: float  #: rms of single pixels: their noise, and what the model does not follow
    drift: float  #: rms in 16 parts of the strip, once their noise is taken off


def residuals(of: Profile, line: Line) -> Residuals:
    """How far a profile's pixels lie from a line."""
    model = line(of.start + np.arange(len(of.number)))
    left = of.total - of.number * model
    square = of.square - 2 * of.total * model + of.number * model**2
    mean_square, mean = square.sum() / of.number.sum(), left.sum() / of.number.sum()
    parts = superpixels(Profile(of.start, of.number, left, square), max(1, len(left) // DRIFT_PARTS))
    noise = float(np.mean(max(0.0, mean_square - mean**2) / parts.weight))
    drift = np.sqrt(max(0.0, float(np.mean(parts.level**2)) - noise))
    return Residuals(float(np.sqrt(max(0.0, mean_square))), float(drift))


def fit_line(points: Superpixels, function: str, degree: int) -> Line:
    """The level as a function of position.

    - `none`: one level for the whole strip;
    - `polynomial` of that degree, or as high as the number of superpixels allows;
    - `spline`: cubic smoothing spline, its smoothness from generalized cross-validation; a straight line
      where there are fewer than 5 superpixels;
    - `running`: running median over 7 superpixels, linear in between;
    - `rows`: the superpixels themselves, linear in between (with superpixels of one row: each its own).

    All but `rows` leave out superpixels that stand out from those around them. Beyond the strip's ends a
    polynomial goes on, the others keep their last level.
    """
    if function == "rows":
        return _drawn_through(points.position, points.level)
    points = _undisturbed(points)
    if function == "running":
        return _drawn_through(points.position, _running_median(points.level))
    if function == "none":
        return _constant(float(np.average(points.level, weights=points.weight)))
    if function == "spline" and len(points.level) >= SPLINE_POINTS:
        return _spline(points)
    degree = min(degree if function == "polynomial" else 1, len(points.level) - 1)
    return Polynomial.fit(points.position, points.level, degree, w=np.sqrt(points.weight))


def _constant(level: float) -> Line:
    return lambda at: np.full(len(at), level)


def _drawn_through(position: np.ndarray, level: np.ndarray) -> Line:
    return lambda at: np.interp(at, position, level)


def _spline(points: Superpixels) -> Line:
    from scipy.interpolate import make_smoothing_spline  # slow to import, and not the default

    spline = make_smoothing_spline(points.position, points.level, w=points.weight)
    ends = points.position[0], points.position[-1]
    return lambda at: spline(np.clip(at, *ends))


def _undisturbed(points: Superpixels) -> Superpixels:
    """Those within 4 sigma of the median of 15 around them: a drift is none of their faults, a hit row is."""
    n = len(points.level)
    halves = middle_value(points.level[: (n + 1) // 2]), middle_value(points.level[n // 2 :])
    flat = points.level - np.arange(n) * (halves[1] - halves[0]) / max(1, n // 2)  # windows end at the ends
    around = np.empty(n)
    running_medians(flat, min(CLIP_SPAN, n), around)
    off = np.abs(flat - around) * np.sqrt(points.weight)
    kept = off <= CLIP_SIGMA * max(1.4826 * middle_value(off), LEAST_NOISE)
    return Superpixels(*(part[kept] for part in points))


def _running_median(level: np.ndarray) -> np.ndarray:
    """Over RUNNING superpixels, fewer towards the ends, always as many on both sides."""
    smooth = np.empty_like(level)
    for i in range(len(level)):
        reach = min(RUNNING // 2, i, len(level) - 1 - i)
        smooth[i] = np.median(level[i - reach : i + reach + 1])
    return smooth
