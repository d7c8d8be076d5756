"""Combination of resampled frames: clipped weighted mean, weighted mean, median."""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel

CLIPPED, WEIGHTED, MEDIAN = 0, 1, 2


@jit
def _sort(values: np.ndarray, n: int) -> None:
    """Sort the first n values in place; n is the number of frames, so insertion is quickest."""
    for i in range(1, n):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@jit
def _median(values: np.ndarray, n: int) -> float:
    _sort(values, n)
    return 0.5 * (values[(n - 1) // 2] + values[n // 2])


@jit
def _kept(
    values: np.ndarray, weights: np.ndarray, n: int, middle: float, clip_sigma: float, margin: float
) -> tuple[float, float, int]:
    """Weighted sum, weight and number of the values near enough to the middle."""
    total = 0.0
    total_weight = 0.0
    used = 0
    for i in range(n):
        if abs(values[i] - middle) <= clip_sigma / np.sqrt(weights[i]) + margin:
            total += weights[i] * values[i]
            total_weight += weights[i]
            used += 1
    return total, total_weight, used


@jit
def _masked_mean(values: np.ndarray, weights: np.ndarray, row: int, x: int) -> float:
    """Mean of the values whose weight is negative; 0 where there is none."""
    total = 0.0
    total_weight = 0.0
    for frame in range(values.shape[0]):
        w = weights[frame, row, x]
        if w < 0:
            total -= w * values[frame, row, x]
            total_weight -= w
    return total / total_weight if total_weight > 0 else 0.0


@parallel_jit
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
    pixels), with weight and count 0. `count` is the number of frames used.
    """
    frames, rows, columns = values.shape
    for row in rows_in_parallel(rows):
        good = np.empty(frames, np.float32)
        good_weight = np.empty(frames, np.float32)
        ordered = np.empty(frames, np.float32)
        for x in range(columns):
            n = 0
            total = 0.0
            total_weight = 0.0
            highest_weight = np.float32(0)
            low, high = np.float32(np.inf), np.float32(-np.inf)
            for frame in range(frames):
                w = weights[frame, row, x]
                if w > 0:
                    v = values[frame, row, x]
                    good[n] = v
                    good_weight[n] = w
                    n += 1
                    total += w * v
                    total_weight += w
                    highest_weight = max(highest_weight, w)
                    low, high = min(low, v), max(high, v)
            used = n
            value = total / total_weight if n > 0 else _masked_mean(values, weights, row, x)
            if n > 0 and method == MEDIAN:
                value = _median(good, n)
            # most pixels agree so well that nothing can lie beyond the limit: spare them the sorting
            elif n >= 3 and method == CLIPPED and (high - low) ** 2 * highest_weight > clip_sigma**2:
                ordered[:n] = good[:n]
                middle = _median(ordered, n)
                total, total_weight, used = _kept(
                    good, good_weight, n, middle, clip_sigma, clip_fraction * abs(middle)
                )
                value = total / total_weight if used > 0 else middle
            tile[row, x] = value
            weight[row, x] = total_weight
            count[row, x] = used
