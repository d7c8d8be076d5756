"""Combination of resampled frames: clipped weighted mean, weighted mean, median."""

import numpy as np

from mar.kernels.jit import jit

CLIPPED, WEIGHTED, MEDIAN = 0, 1, 2
BLOCK = 256  # columns whose sums stay in the processor's cache
INFINITE = np.float32(np.inf)
GONE = np.float32(-np.inf)
"""Weight of a value that was clipped."""


@jit
def _median(values: np.ndarray, n: int) -> float:
    """Median of the first n values, which it sorts; n is the number of frames, so insertion is quickest."""
    for i in range(1, n):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
    return 0.5 * (values[(n - 1) // 2] + values[n // 2])


@jit
def _sum_up(values: np.ndarray, weights: np.ndarray, sums: np.ndarray) -> None:
    """Add one frame's values with positive weights to `sums`: seven parts of BLOCK numbers.

    They are: weighted sum, weight, number, lowest and highest value, highest weight, number of negative
    weights. One array, since the compiler gives up telling eight apart.
    """
    for k in range(values.size):
        i = np.uint64(k)
        value = values[i]
        good = weights[i] > 0
        w = weights[i] if good else np.float32(0)
        sums[i] += w * value
        sums[i + np.uint64(BLOCK)] += w
        sums[i + np.uint64(2 * BLOCK)] += np.float32(1) if good else np.float32(0)
        below, above = value if good else INFINITE, value if good else -INFINITE
        low, high = sums[i + np.uint64(3 * BLOCK)], sums[i + np.uint64(4 * BLOCK)]
        sums[i + np.uint64(3 * BLOCK)] = below if below < low else low
        sums[i + np.uint64(4 * BLOCK)] = above if above > high else high
        highest = sums[i + np.uint64(5 * BLOCK)]
        sums[i + np.uint64(5 * BLOCK)] = w if w > highest else highest
        sums[i + np.uint64(6 * BLOCK)] += np.float32(1) if weights[i] < 0 else np.float32(0)


@jit
def _mean(sums: np.ndarray, tile: np.ndarray, weight: np.ndarray, count: np.ndarray) -> None:
    """Weighted mean, weight and number of all values; 0 where there is none."""
    for k in range(tile.size):
        i = np.uint64(k)
        w = sums[i + np.uint64(BLOCK)]
        tile[i] = sums[i] / (w if w > 0 else np.float32(1))
        weight[i] = w
        count[i] = np.uint16(np.int32(sums[i + np.uint64(2 * BLOCK)]))


@jit
def _kept(
    values: np.ndarray, weights: np.ndarray, row: int, x: int, middle: float, clip_sigma: float, margin: float
) -> tuple[float, float, int]:
    """Weighted sum, weight and number of a pixel's values near enough to the middle; the others are GONE."""
    total = 0.0
    total_weight = 0.0
    used = 0
    for frame in range(values.shape[0]):
        w = weights[frame, row, x]
        if w > 0:
            if abs(values[frame, row, x] - middle) <= clip_sigma / np.sqrt(w) + margin:
                total += w * values[frame, row, x]
                total_weight += w
                used += 1
            else:
                weights[frame, row, x] = GONE
    return total, total_weight, used


@jit
def _masked_mean(values: np.ndarray, weights: np.ndarray, row: int, x: int) -> float:
    """Mean of a pixel's values whose weight is negative; 0 where there is none."""
    total = 0.0
    total_weight = 0.0
    for frame in range(values.shape[0]):
        w = weights[frame, row, x]
        if w < 0:
            total -= w * values[frame, row, x]
            total_weight -= w
    return total / total_weight if total_weight > 0 else 0.0


@jit
def _middle(values: np.ndarray, weights: np.ndarray, row: int, x: int, good: np.ndarray) -> float:
    """Median of a pixel's values with positive weights; `good` (n,) is room to work in."""
    n = 0
    for frame in range(values.shape[0]):
        if weights[frame, row, x] > 0:
            good[n] = values[frame, row, x]
            n += 1
    return _median(good, n)


@jit
def coadd(
    values: np.ndarray,
    weights: np.ndarray,
    method: int,
    clip_sigma: float,
    clip_fraction: float,
    tile: np.ndarray,
    weight: np.ndarray,
    count: np.ndarray,
) -> None:
    """Combine `values` (n, rows, nx) with inverse variances `weights` into three arrays (rows, nx).

    CLIPPED leaves out values further from the median than clip_sigma standard deviations plus clip_fraction
    times the median (Gruen et al. 2014, PASP 126, 158): the second term keeps the cores of stars, whose
    height differs from frame to frame with the seeing. It needs three values; of two none is left out.
    Weights <= 0 do not count; where there is nothing else the value is the mean of those below 0 (masked
    pixels), with weight and count 0. `count` (uint16) is the number of frames used. The weights of values
    that were clipped become GONE in `weights`.
    """
    frames, rows, columns = values.shape
    limit = np.float32(clip_sigma**2)
    sums = np.empty(7 * BLOCK, np.float32)
    number = sums[2 * BLOCK : 3 * BLOCK]
    low, high, highest = sums[3 * BLOCK : 4 * BLOCK], sums[4 * BLOCK : 5 * BLOCK], sums[5 * BLOCK : 6 * BLOCK]
    masked = sums[6 * BLOCK :]
    good = np.empty(frames, np.float32)
    for row in range(rows):
        for first in range(0, columns, BLOCK):
            stop = min(columns, first + BLOCK)
            sums[:] = 0
            low[:] = np.inf
            high[:] = -np.inf
            for frame in range(frames):
                _sum_up(values[frame, row][first:stop], weights[frame, row][first:stop], sums)
            _mean(sums, tile[row][first:stop], weight[row][first:stop], count[row][first:stop])
            for k in range(stop - first):
                x = first + k
                # most pixels agree so well that nothing can lie beyond the limit: spare them the sorting
                apart = number[k] >= 3 and (high[k] - low[k]) ** 2 * highest[k] > limit
                if number[k] == 0 and masked[k] > 0:
                    tile[row, x] = _masked_mean(values, weights, row, x)
                elif method == MEDIAN and number[k] > 0:
                    tile[row, x] = _middle(values, weights, row, x, good)
                elif method == CLIPPED and apart:
                    middle = _middle(values, weights, row, x, good)
                    margin = clip_fraction * abs(middle)
                    kept, kept_weight, used = _kept(values, weights, row, x, middle, clip_sigma, margin)
                    tile[row, x] = kept / kept_weight if used > 0 else middle
                    weight[row, x] = kept_weight
                    count[row, x] = used
