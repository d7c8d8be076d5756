"""Combination of resampled frames: clipped weighted mean, weighted mean, weighted median of equals."""

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
            masked_sum = 0.0
            masked_weight = 0.0
            for frame in range(frames):
                w = weights[frame, row, x]
                if w > 0:
                    good[n] = values[frame, row, x]
                    good_weight[n] = w
                    ordered[n] = good[n]
                    n += 1
                elif w < 0:
                    masked_sum -= w * values[frame, row, x]
                    masked_weight -= w
            middle = 0.0
            if n > 0 and method != WEIGHTED:
                middle = _median(ordered, n)
            total = 0.0
            total_weight = 0.0
            used = 0
            for i in range(n):
                if method == CLIPPED and n >= 3:
                    limit = clip_sigma / np.sqrt(good_weight[i]) + clip_fraction * abs(middle)
                    if abs(good[i] - middle) > limit:
                        continue
                total += good_weight[i] * good[i]
                total_weight += good_weight[i]
                used += 1
            value = 0.0
            if used > 0:
                value = total / total_weight
            elif n > 0:
                value = middle
            elif masked_weight > 0:
                value = masked_sum / masked_weight
            if method == MEDIAN and n > 0:
                value = middle
            tile[row, x] = value
            weight[row, x] = total_weight
            count[row, x] = used
