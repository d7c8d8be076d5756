"""Clipped statistics of the boxes of a grid over an image."""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel, summing_jit
from mar.kernels.ordering import ascending

CLIP_SIGMA = 3.0
TRUNCATED = 0.98658  # standard deviation of a Gaussian of sigma 1 cut at 3 sigma
MAX_ROUNDS = 30
CROWDED = 0.3  # mean and median further apart than this many sigma: the mode formula does not hold


@summing_jit
def _sum(values: np.ndarray) -> float:
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


@summing_jit
def _squares(values: np.ndarray, mean: float) -> float:
    total = 0.0
    for k in range(values.size):
        total += (values[k] - mean) * (values[k] - mean)
    return total


@jit
def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    mean = _sum(values) / values.size
    return mean, np.sqrt(_squares(values, mean) / values.size)


@jit
def clipped(values: np.ndarray) -> tuple[float, float, float, int]:
    """Median, mean, standard deviation and number of the finite values within 3 sigma of their median.

    `values` are (n,) float32. The deviation is corrected for the cut, so that Gaussian noise gives its sigma.
    NaN where there is none.
    """
    ordered = ascending(values).astype(np.float64)
    n = ordered.size
    if n == 0:
        return np.nan, np.nan, np.nan, 0
    first, last = 0, n - 1
    sigma = 0.5 * (ordered[int(0.84135 * (n - 1))] - ordered[int(0.15865 * (n - 1))])
    if sigma <= 0.0:  # most values are the same
        sigma = _mean_and_deviation(ordered)[1]
    for _ in range(MAX_ROUNDS):
        middle = 0.5 * (ordered[(first + last) // 2] + ordered[(first + last + 1) // 2])
        low = np.searchsorted(ordered, middle - CLIP_SIGMA * sigma, side="left")
        high = np.searchsorted(ordered, middle + CLIP_SIGMA * sigma, side="right") - 1
        if low == first and high == last:
            break
        first, last = low, high
        sigma = _mean_and_deviation(ordered[first : last + 1])[1] / TRUNCATED
    kept = ordered[first : last + 1]
    middle = 0.5 * (ordered[(first + last) // 2] + ordered[(first + last + 1) // 2])
    mean, deviation = _mean_and_deviation(kept)
    return middle, mean, deviation / (1.0 if kept.size == n else TRUNCATED), kept.size


@jit
def mode_of(median: float, mean: float, sigma: float) -> float:
    """The mode of clipped values, 2.5 median - 1.5 mean, or the median where they are too skew for that."""
    if abs(mean - median) > CROWDED * sigma:
        return median
    return 2.5 * median - 1.5 * mean


@jit
def _one_box(
    data: np.ndarray, mask: np.ndarray, bits: int, y0: int, y1: int, x0: int, x1: int, step: int, least: int
) -> tuple[float, float, float]:
    """Mode, median and noise of one box, from every step-th pixel of every step-th row."""
    sample = np.empty(((y1 - y0 + step - 1) // step) * ((x1 - x0 + step - 1) // step), dtype=np.float32)
    n = 0
    for y in range(y0, y1, step):
        for x in range(x0, x1, step):
            if mask.size == 0 or not (mask[y, x] & bits):
                sample[n] = data[y, x]
                n += 1
    median, mean, sigma, kept = clipped(sample[:n])
    if kept < least:
        return np.nan, np.nan, np.nan
    return mode_of(median, mean, sigma), median, sigma


@parallel_jit
def box_statistics(
    data: np.ndarray,
    mask: np.ndarray,
    bits: int,
    y_edges: np.ndarray,
    x_edges: np.ndarray,
    step: int,
    least: int,
    out: np.ndarray,
) -> None:
    """Mode, median and noise of each box of a grid into `out` (boxes in y, boxes in x, 3).

    Pixels with any of the mask's `bits`, and those that are not finite, take no part; a box with fewer than
    `least` values left gets NaN. `mask` is (0, 0) where there is none.
    """
    for j in rows_in_parallel(y_edges.size - 1):
        for i in range(x_edges.size - 1):
            mode, median, noise = _one_box(
                data, mask, bits, y_edges[j], y_edges[j + 1], x_edges[i], x_edges[i + 1], step, least
            )
            out[j, i, 0], out[j, i, 1], out[j, i, 2] = mode, median, noise
