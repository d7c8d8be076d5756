"""Models of a level along a line of overscan superpixels."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial
from scipy.interpolate import make_smoothing_spline

Line = Callable[[np.ndarray], np.ndarray]
"""Level in ADU at positions along the strip (pixels of the raw frame)."""

SPLINE_POINTS = 5  # a smoothing spline needs that many superpixels
RUNNING = 7  # superpixels that the running median spans
CLIP_SIGMA = 4.0


class Superpixels(NamedTuple):
    """Neighbouring positions of a strip averaged together."""

    position: np.ndarray  #: mean position of each, pixels
    level: np.ndarray  #: ADU
    weight: np.ndarray  #: pixels that were averaged


def superpixels(strip: np.ndarray, start: int, size: int) -> Superpixels:
    """Average a strip (positions, across) over `size` positions at a time; NaN pixels take no part.

    The first position is `start`. What is left over at the end joins the last superpixel where it is less
    than half of one. Superpixels without a single good pixel are left out.
    """
    count = max(1, int(len(strip) / size + 0.5))
    edges = np.minimum(np.arange(count) * size, len(strip))
    good = np.isfinite(strip)
    weight = np.add.reduceat(good.sum(axis=1), edges).astype(np.float64)
    total = np.add.reduceat(np.where(good, strip, 0.0).sum(axis=1, dtype=np.float64), edges)
    position = start + 0.5 * (edges + np.append(edges[1:], len(strip)) - 1)
    used = weight > 0
    return Superpixels(position[used], total[used] / weight[used], weight[used])


def fit_line(points: Superpixels, function: str, degree: int) -> Line:
    """The level as a function of position.

    - `none`: one level for the whole strip;
    - `polynomial` of that degree, or as high as the number of superpixels allows, clipped at 4 sigma;
    - `spline`: cubic smoothing spline, its smoothness from generalized cross-validation; a straight line
      where there are fewer than 5 superpixels;
    - `running`: running median over 7 superpixels, linear in between;
    - `rows`: the superpixels themselves, linear in between (with superpixels of one row: each its own).

    Beyond the strip's ends a polynomial goes on, the others keep their last level.
    """
    if function == "none":
        return _constant(float(np.average(points.level, weights=points.weight)))
    if function == "polynomial" or (function == "spline" and len(points.level) < SPLINE_POINTS):
        return _polynomial(points, degree if function == "polynomial" else 1)
    if function == "spline":
        spline = make_smoothing_spline(points.position, points.level, w=points.weight)
        ends = points.position[0], points.position[-1]
        return lambda at: spline(np.clip(at, *ends))
    level = _running_median(points.level) if function == "running" else points.level
    return lambda at: np.interp(at, points.position, level)


def _constant(level: float) -> Line:
    return lambda at: np.full(len(at), level)


def _polynomial(points: Superpixels, degree: int) -> Line:
    kept = np.ones(len(points.level), dtype=bool)
    while True:
        position, level, weight = (part[kept] for part in points)
        fit = Polynomial.fit(position, level, min(degree, len(level) - 1), w=np.sqrt(weight))
        off = np.abs(points.level - fit(points.position)) * np.sqrt(points.weight)
        still = kept & (off <= CLIP_SIGMA * max(1.4826 * float(np.median(off[kept])), 1e-6))
        if still.sum() == kept.sum() or still.sum() <= degree + 1:
            return fit
        kept = still


def _running_median(level: np.ndarray) -> np.ndarray:
    """Over RUNNING superpixels, fewer towards the ends, always as many on both sides."""
    smooth = np.empty_like(level)
    for i in range(len(level)):
        reach = min(RUNNING // 2, i, len(level) - 1 - i)
        smooth[i] = np.median(level[i - reach : i + reach + 1])
    return smooth
