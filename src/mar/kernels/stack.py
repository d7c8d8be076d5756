"""Combine a stack of rows pixel by pixel, with the rejections of IRAF's imcombine.

Each row is gathered so that the n values of a pixel lie side by side and in ascending order. A rejection then
only moves the two ends of what is kept, and the median is in the middle of the rest.
"""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel

MEDIAN, MEAN = 0, 1
NONE, MINMAX, SIGCLIP, AVSIGCLIP, CCDCLIP = 0, 1, 2, 3, 4
SAME_RESIDUAL = 0.001  # residuals closer than this many sigma are given back together, as imcombine does
BLOCK = 64  # pixels gathered at a time: their values of all frames stay in the cache


class Rejection(NamedTuple):
    """What a value must be like to be left out of its pixel."""

    kind: int  #: NONE, MINMAX, SIGCLIP, AVSIGCLIP or CCDCLIP
    low: float  #: sigmas below the median; with MINMAX the number of lowest values to drop
    high: float  #: sigmas above the median; with MINMAX the number of highest values to drop
    nkeep: int  #: values that a pixel keeps at least, if it has them
    read_noise_adu: float
    gain: float  #: e-/ADU


class Scaling(NamedTuple):
    """A value v of frame i enters as v / scales[i] - zeros[i]."""

    scales: np.ndarray  #: (n,) float64
    zeros: np.ndarray  #: (n,) float64, scaled ADU


@jit
def _gather(
    row: np.ndarray,
    mask: np.ndarray,
    frame: int,
    scaling: Scaling,
    values: np.ndarray,
    frames: np.ndarray,
    count: np.ndarray,
) -> None:
    """Append one frame's usable pixels of a row, scaled, to what the frames before it gave."""
    scale, zero = scaling.scales[frame], scaling.zeros[frame]
    masked = mask.size > 0
    for x in range(row.size):
        value = np.float32(row[x] / scale - zero)
        if np.isfinite(value) and not (masked and mask[x]):
            values[x, count[x]] = value
            frames[x, count[x]] = frame
            count[x] += 1


@jit
def _sort(values: np.ndarray, frames: np.ndarray, n: int) -> None:
    """Sort the first n values in ascending order, and the frames that they came from with them."""
    for i in range(1, n):
        value, frame = values[i], frames[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1], frames[j + 1] = values[j], frames[j]
            j -= 1
        values[j + 1], frames[j + 1] = value, frame


@jit
def _median(values: np.ndarray, first: int, last: int) -> float:
    """Median of the sorted values first..last, both included."""
    middle = (first + last + 1) // 2
    if (last - first) % 2 == 0:
        return np.float64(values[middle])
    return 0.5 * (np.float64(values[middle - 1]) + np.float64(values[middle]))


@jit
def _mean(values: np.ndarray, first: int, last: int) -> float:
    total = 0.0
    for i in range(first, last + 1):
        total += values[i]
    return total / (last - first + 1)


@jit
def _spread(values: np.ndarray, first: int, last: int, centre: float) -> float:
    """Standard deviation about `centre` with n - 1 degrees of freedom; 0 for a single value."""
    if last <= first:
        return 0.0
    total = 0.0
    for i in range(first, last + 1):
        total += (values[i] - centre) ** 2
    return np.sqrt(total / (last - first))


@jit
def _poisson(level: float, scaling: Scaling, frame: int) -> float:
    """Variance of a scaled value of `level`, for a gain of 1: what the scaling made of the Poisson noise."""
    return max(1.0, (level + scaling.zeros[frame]) / scaling.scales[frame])


@jit
def _row_sigma(values: np.ndarray, frames: np.ndarray, count: np.ndarray, scaling: Scaling) -> float:
    """The Poisson-scaled sigma of a whole row about its medians; only pixels of 3 values or more count."""
    total, n = 0.0, 0
    for x in range(count.size):
        if count[x] < 3:
            continue
        median = _median(values[x], 0, count[x] - 1)
        for i in range(count[x]):
            total += (values[x, i] - median) ** 2 / _poisson(median, scaling, frames[x, i])
        n += count[x]
    return np.sqrt(total / (n - 1)) if n > 1 else 0.0


@jit
def _expected(rule: Rejection, common: float, level: float, scaling: Scaling, frame: int) -> float:
    """The sigma expected of one frame's value where the true one is `level`, in scaled ADU."""
    if rule.kind == AVSIGCLIP:
        return common * np.sqrt(_poisson(level, scaling, frame))
    if rule.kind == CCDCLIP:
        scale = scaling.scales[frame]
        signal = max(0.0, scale * (level + scaling.zeros[frame]))
        return np.sqrt(rule.read_noise_adu**2 + signal / rule.gain) / scale
    return common


@jit
def _clip(
    values: np.ndarray,
    frames: np.ndarray,
    n: int,
    rule: Rejection,
    scaling: Scaling,
    row_sigma: float,
    residual: np.ndarray,
) -> tuple[int, int]:
    """The first and the last of n sorted values that survive clipping about their median."""
    least = max(2 if rule.kind == CCDCLIP else 3, min(n, rule.nkeep) + 1)
    first, last = 0, n - 1
    common = row_sigma
    while last - first + 1 >= least:
        before = last - first
        median = _median(values, first, last)
        if rule.kind == SIGCLIP:
            common = _spread(values, first, last, median)
        if rule.kind != CCDCLIP and common <= 0.0:
            break
        while first <= last:
            sigma = _expected(rule, common, median, scaling, frames[first])
            if median - values[first] <= rule.low * sigma:
                break
            residual[first] = (median - values[first]) / sigma
            first += 1
        while last >= first:
            sigma = _expected(rule, common, median, scaling, frames[last])
            if values[last] - median <= rule.high * sigma:
                break
            residual[last] = (values[last] - median) / sigma
            last -= 1
        if last - first == before:
            break
    return _give_back(residual, n, first, last, rule.nkeep)


@jit
def _give_back(residual: np.ndarray, n: int, first: int, last: int, nkeep: int) -> tuple[int, int]:
    """Take back the rejected values of least residual until `nkeep` are there; equal ones come together."""
    while last - first + 1 < min(n, nkeep):
        below = residual[first - 1] if first > 0 else np.inf
        above = residual[last + 1] if last < n - 1 else np.inf
        limit = min(below, above) + SAME_RESIDUAL
        while first > 0 and residual[first - 1] <= limit:
            first -= 1
        while last < n - 1 and residual[last + 1] <= limit:
            last += 1
    return first, last


@jit
def _drop_extremes(n: int, total: int, rule: Rejection) -> tuple[int, int]:
    """What minmax keeps of n values when `low` and `high` of `total` are to go: the same fractions of n."""
    low = int(rule.low * n / total + 0.001)
    high = int(rule.high * n / total + 0.001)
    if n - low - high < min(n, max(1, rule.nkeep)):
        return 0, n - 1
    return low, n - 1 - high


@jit
def _gather_row(
    rows: np.ndarray, masks: np.ndarray, scaling: Scaling
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values of each pixel (nx, n) in ascending order, their frames, and how many there are."""
    n, nx = rows.shape
    values = np.empty((nx, n), dtype=np.float32)
    frames = np.empty((nx, n), dtype=np.int32)
    count = np.zeros(nx, dtype=np.int32)
    for start in range(0, nx, BLOCK):
        stop = min(nx, start + BLOCK)
        here = slice(start, stop)
        for i in range(n):
            _gather(rows[i, here], masks[i, here], i, scaling, values[here], frames[here], count[here])
        for x in range(start, stop):
            _sort(values[x], frames[x], count[x])
    return values, frames, count


@jit
def _combine_row(
    rows: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    method: int,
    rule: Rejection,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
) -> None:
    values, frames, found = _gather_row(rows, masks, scaling)
    row_sigma = _row_sigma(values, frames, found, scaling) if rule.kind == AVSIGCLIP else 0.0
    residual = np.empty(rows.shape[0], dtype=np.float64)
    for x in range(value.size):
        n = found[x]
        if n == 0:
            value[x], count[x], sigma[x] = np.nan, 0, np.nan
            continue
        first, last = 0, n - 1
        if rule.kind == MINMAX:
            first, last = _drop_extremes(n, rows.shape[0], rule)
        elif rule.kind != NONE:
            first, last = _clip(values[x], frames[x], n, rule, scaling, row_sigma, residual)
        centre = _median(values[x], first, last) if method == MEDIAN else _mean(values[x], first, last)
        value[x], count[x], sigma[x] = centre, last - first + 1, _spread(values[x], first, last, centre)


@parallel_jit
def combine_rows(
    stack: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    method: int,
    rule: Rejection,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
) -> None:
    """Combine `stack` (n, ny, nx) into `value`, `count` and `sigma` (ny, nx).

    Pixels that are not finite, or whose mask is not zero, take no part; where none is left, value and sigma
    are NaN. `masks` has the shape of the stack, or (n, ny, 0) where there are none.
    """
    for y in rows_in_parallel(stack.shape[1]):
        _combine_row(stack[:, y], masks[:, y], scaling, method, rule, value[y], count[y], sigma[y])
