"""The light along and beside a path across an image: levels of its pieces, the best curve, the drawing.

A path is start (x0, y0), direction (dx, dy) of length one, its length in pixels, and `bend`: the pixels that
it lies beside its chord, as a polynomial in 2 t / length - 1, lowest power first.
"""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel
from mar.kernels.selection import select

LAG = 2  # steps between pixels that differ by their noise, not by being one and the same
LOWER = 0.25  # part of the second differences below the one that tells the noise; stars raise the others
DIFFERENCE_SIGMA = 1 / (0.31864 * 6**0.5)  # one sigma of pixels, of that difference


@jit
def bent(bend: np.ndarray, u: float) -> float:
    """Pixels from the chord at `u`, -1 to 1 along it."""
    value = 0.0
    for power in range(bend.size - 1, -1, -1):
        value = value * u + bend[power]
    return value


@jit
def _quantile(values: np.ndarray, part: float) -> float:
    """The value that `part` of the others are below, NaN of nothing; `values` change their order."""
    if values.size == 0:
        return np.nan
    wanted = int(part * (values.size - 1) + 0.5)
    return select(values, values.size, wanted)


@parallel_jit
def piece_levels(
    data: np.ndarray,
    mask: np.ndarray,
    bits: int,
    chord: np.ndarray,
    bend: np.ndarray,
    steps: int,
    flank: int,
    part: float,
    levels: np.ndarray,
    spread: np.ndarray,
) -> None:
    """Levels along each piece of a path at each distance beside it; NaN where nothing is known.

    `data` (ny, nx), `mask` uint8; pixels with any of `bits`, and NaN, are not known. `chord` is x0, y0, dx,
    dy, length; a piece has `steps` steps. `levels` (pieces, offsets) are what `part` of the pixels lie below,
    of those nearest to the points from -(offsets // 2) to offsets // 2 pixels beside the path; `spread`
    (pieces,) is one sigma of the noise of a pixel in the outer `flank` offsets, by the smaller of their
    second differences along the path, which stars hardly change (as DER_SNR, Stoehr et al. 2008, ASP Conf.
    Ser. 394, 505, which takes their median).
    """
    ny, nx = data.shape
    x0, y0, dx, dy, length = chord[0], chord[1], chord[2], chord[3], chord[4]
    pieces, offsets = levels.shape
    step_px = length / (pieces * steps)
    for p in rows_in_parallel(pieces):
        values = np.empty((offsets, steps), dtype=np.float32)
        number = np.zeros(offsets, dtype=np.int64)
        for s in range(steps):
            t = (p * steps + s + 0.5) * step_px
            beside = bent(bend, 2 * t / length - 1) - offsets // 2
            for o in range(offsets):
                x = int(np.rint(x0 + dx * t - dy * (beside + o)))
                y = int(np.rint(y0 + dy * t + dx * (beside + o)))
                if 0 <= x < nx and 0 <= y < ny and (mask[y, x] & bits) == 0 and np.isfinite(data[y, x]):
                    values[o, number[o]] = data[y, x]
                    number[o] += 1
        differences = np.empty(2 * flank * steps, dtype=np.float32)
        m = 0
        for o in range(offsets):
            if o < flank or o >= offsets - flank:
                for n in range(LAG, number[o] - LAG):
                    differences[m] = abs(2 * values[o, n] - values[o, n - LAG] - values[o, n + LAG])
                    m += 1
            levels[p, o] = _quantile(values[o, : number[o]], part)
        spread[p] = DIFFERENCE_SIGMA * _quantile(differences[:m], LOWER)


@jit
def best_curve(scores: np.ndarray, u: np.ndarray, ranges: np.ndarray, found: np.ndarray) -> float:
    """The curve c0 + c1 u + c2 (u^2 - 1/3) with the greatest sum of scores; gives that sum.

    `scores` (pieces, offsets) are of the offsets from -(offsets // 2), one pixel apart, and `u` (pieces,) is
    where the pieces lie, -1 to 1. Each c runs in whole pixels from -ranges to ranges, (3,); they come back in
    `found` (3,).
    """
    pieces, offsets = scores.shape
    best = -np.inf
    for c2 in range(-ranges[2], ranges[2] + 1):
        for c1 in range(-ranges[1], ranges[1] + 1):
            for c0 in range(-ranges[0], ranges[0] + 1):
                total = 0.0
                for p in range(pieces):
                    at = c0 + c1 * u[p] + c2 * (u[p] * u[p] - 1 / 3)
                    o = int(np.rint(at)) + offsets // 2
                    if 0 <= o < offsets:
                        total += scores[p, o]
                if total > best:
                    best = total
                    found[0], found[1], found[2] = c0, c1, c2
    return best
