"""Combine a stack of rows pixel by pixel, with the rejections of IRAF's imcombine.

A row is worked on in blocks of pixels. A sorting network puts the values of all pixels of a block in
ascending order at once, since each of its exchanges is one vector operation over the block. A rejection then
only moves the two ends of what is kept. Most pixels lose nothing: whether one does is seen from its lowest
and its highest value, and only those that do, or that lack values, are looked at one by one.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel

MEDIAN, MEAN = 0, 1
NONE, MINMAX, SIGCLIP, AVSIGCLIP, CCDCLIP = 0, 1, 2, 3, 4
SAME_RESIDUAL = 0.001  # residuals closer than this many sigma are given back together, as imcombine does
BLOCK = 512  # pixels worked on at a time: their values of some ten frames stay in the nearest cache


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


@lru_cache(maxsize=64)
def sorting_network(n: int) -> np.ndarray:
    """Pairs of places (m, 2) that sort n values when exchanged in turn: Batcher's odd-even merge sort."""
    pairs = []
    size = 1
    while size < n:
        step = size
        while step:
            for start in range(step % size, n - step, 2 * step):
                for low in range(start, min(start + step, n - step)):
                    if low // (2 * size) == (low + step) // (2 * size):
                        pairs.append((low, low + step))
            step //= 2
        size *= 2
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@jit
def _gather(
    row: np.ndarray, mask: np.ndarray, scale: float, zero: float, values: np.ndarray, count: np.ndarray
) -> None:
    """One frame's part of a block, scaled; infinity in place of unusable values, so that they sort last."""
    if mask.size == 0:
        for x in range(row.size):
            value = np.float32(row[x] / scale - zero)
            usable = abs(value) < np.float32(np.inf)  # not so for NaN
            values[x] = value if usable else np.float32(np.inf)
            count[x] += 1 if usable else 0
        return
    for x in range(row.size):
        value = np.float32(row[x] / scale - zero)
        usable = abs(value) < np.float32(np.inf) and mask[x] == 0
        values[x] = value if usable else np.float32(np.inf)
        count[x] += 1 if usable else 0


@jit
def _exchange(low: np.ndarray, high: np.ndarray) -> None:
    """Put the smaller value of each pixel into `low`, the larger one into `high`."""
    for x in range(low.size):
        a, b = low[x], high[x]
        low[x] = a if a < b else b
        high[x] = b if a < b else a


@jit
def _exchange_with_frames(
    low: np.ndarray, high: np.ndarray, low_frame: np.ndarray, high_frame: np.ndarray
) -> None:
    """The same, with the frames that the values came from."""
    for x in range(low.size):
        a, b, i, j = low[x], high[x], low_frame[x], high_frame[x]
        swap = b < a
        low[x] = b if swap else a
        high[x] = a if swap else b
        low_frame[x] = j if swap else i
        high_frame[x] = i if swap else j


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


class Work(NamedTuple):
    """What a thread needs for one row; block b holds the pixels from b x BLOCK on."""

    values: np.ndarray  #: (blocks, n, BLOCK) float32, ascending along n
    frames: np.ndarray  #: the same shape, int16, or empty where nothing asks for the frames
    found: np.ndarray  #: (blocks, BLOCK) int32, usable values
    median: np.ndarray  #: (blocks, BLOCK) float64
    squares: np.ndarray  #: (blocks, BLOCK) float64, sum of the squared deviations from the centre


@jit
def _load(rows: np.ndarray, masks: np.ndarray, scaling: Scaling, network: np.ndarray, work: Work) -> None:
    """Fill `work` with the sorted values of a row."""
    n, nx = rows.shape
    masked = masks.shape[1] > 0
    tracked = work.frames.size > 0
    for b in range(work.found.shape[0]):
        start, stop = b * BLOCK, min(nx, (b + 1) * BLOCK)
        width = stop - start
        work.found[b] = 0
        for i in range(n):
            mask = masks[i, start:stop] if masked else masks[i, :0]
            row = rows[i, start:stop]
            _gather(row, mask, scaling.scales[i], scaling.zeros[i], work.values[b, i], work.found[b])
            if tracked:
                work.frames[b, i] = i
        for k in range(network.shape[0]):
            low, high = network[k, 0], network[k, 1]
            if tracked:
                _exchange_with_frames(
                    work.values[b, low, :width],
                    work.values[b, high, :width],
                    work.frames[b, low, :width],
                    work.frames[b, high, :width],
                )
            else:
                _exchange(work.values[b, low, :width], work.values[b, high, :width])


@jit
def _middle(low: np.ndarray, high: np.ndarray, median: np.ndarray) -> None:
    for x in range(low.size):
        median[x] = 0.5 * (np.float64(low[x]) + np.float64(high[x]))


@jit
def _add(values: np.ndarray, total: np.ndarray) -> None:
    for x in range(values.size):
        total[x] += values[x]


@jit
def _add_squares(values: np.ndarray, centre: np.ndarray, total: np.ndarray) -> None:
    for x in range(values.size):
        off = values[x] - centre[x]
        total[x] += off * off


@jit
def _squares_about(values: np.ndarray, centre: np.ndarray, total: np.ndarray) -> None:
    """Sums over the frames of the squared deviations from `centre`, as if no value were missing."""
    total[:] = 0.0
    for i in range(values.shape[0]):
        _add_squares(values[i], centre, total)


@jit
def _one_sigma(work: Work, b: int, x: int, scaling: Scaling) -> float:
    """Sum over a pixel's values of the squared deviations, each in units of its Poisson variance."""
    median = work.median[b, x]
    if work.frames.size == 0:  # all frames are scaled alike
        total = 0.0
        for i in range(work.found[b, x]):
            total += (work.values[b, i, x] - median) ** 2
        return total / _poisson(median, scaling, 0)
    total = 0.0
    for i in range(work.found[b, x]):
        total += (work.values[b, i, x] - median) ** 2 / _poisson(median, scaling, work.frames[b, i, x])
    return total


@jit
def _row_sigma(nx: int, scaling: Scaling, work: Work) -> float:
    """The Poisson-scaled sigma of a whole row about its medians; only pixels of 3 values or more count."""
    total, n = 0.0, 0
    frames = work.values.shape[1]
    tracked = work.frames.size > 0
    for b in range(work.found.shape[0]):
        for x in range(min(BLOCK, nx - b * BLOCK)):
            count = work.found[b, x]
            if count < 3:
                continue
            if count == frames and not tracked:
                total += work.squares[b, x] / _poisson(work.median[b, x], scaling, 0)
            else:
                total += _one_sigma(work, b, x, scaling)
            n += count
    return np.sqrt(total / (n - 1)) if n > 1 else 0.0


@jit
def _find_medians(nx: int, work: Work) -> None:
    """Medians of a row, and where no value is missing the squared deviations from them."""
    n = work.values.shape[1]
    for b in range(work.found.shape[0]):
        width = min(BLOCK, nx - b * BLOCK)
        median = work.median[b, :width]
        _middle(work.values[b, (n - 1) // 2, :width], work.values[b, n // 2, :width], median)
        for x in range(width):
            count = work.found[b, x]
            if count < n:
                lower, upper = max(0, (count - 1) // 2), max(0, count // 2)
                median[x] = 0.5 * (
                    np.float64(work.values[b, lower, x]) + np.float64(work.values[b, upper, x])
                )
        _squares_about(work.values[b, :, :width], median, work.squares[b, :width])


@jit
def _loses_none(b: int, x: int, rule: Rejection, scaling: Scaling, row_sigma: float, work: Work) -> bool:
    """Whether a pixel without missing values keeps them all: its extremes are within their limits."""
    n = work.values.shape[1]
    if rule.kind == NONE or (rule.kind != CCDCLIP and n < 3):
        return True
    if rule.kind == MINMAX:
        return False
    common = row_sigma
    if rule.kind == SIGCLIP:
        common = np.sqrt(work.squares[b, x] / (n - 1))
    median = work.median[b, x]
    lowest, highest = (work.frames[b, 0, x], work.frames[b, n - 1, x]) if work.frames.size > 0 else (0, 0)
    below = _expected(rule, common, median, scaling, lowest)
    above = _expected(rule, common, median, scaling, highest)
    return (
        median - work.values[b, 0, x] <= rule.low * below
        and work.values[b, n - 1, x] - median <= rule.high * above
    )


@jit
def _combine_pixel(
    values: np.ndarray,
    frames: np.ndarray,
    n: int,
    total: int,
    method: int,
    rule: Rejection,
    scaling: Scaling,
    row_sigma: float,
    residual: np.ndarray,
) -> tuple[float, int, float]:
    """Value, count and sigma of one pixel from its n sorted values."""
    if n == 0:
        return np.nan, 0, np.nan
    first, last = 0, n - 1
    if rule.kind == MINMAX:
        first, last = _drop_extremes(n, total, rule)
    elif rule.kind != NONE:
        first, last = _clip(values, frames, n, rule, scaling, row_sigma, residual)
    centre = _median(values, first, last) if method == MEDIAN else _mean(values, first, last)
    return centre, last - first + 1, _spread(values, first, last, centre)


@jit
def _combine_row(
    rows: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    method: int,
    rule: Rejection,
    network: np.ndarray,
    tracked: bool,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
) -> None:
    n, nx = rows.shape
    blocks = (nx + BLOCK - 1) // BLOCK
    work = Work(
        np.empty((blocks, n, BLOCK), dtype=np.float32),
        np.empty((blocks if tracked else 0, n, BLOCK), dtype=np.int16),
        np.zeros((blocks, BLOCK), dtype=np.int32),
        np.empty((blocks, BLOCK), dtype=np.float64),
        np.empty((blocks, BLOCK), dtype=np.float64),
    )
    _load(rows, masks, scaling, network, work)
    _find_medians(nx, work)
    row_sigma = _row_sigma(nx, scaling, work) if rule.kind == AVSIGCLIP else 0.0
    residual = np.empty(n, dtype=np.float64)
    values, frames = np.empty(n, dtype=np.float32), np.zeros(n, dtype=np.int16)
    for b in range(blocks):
        width = min(BLOCK, nx - b * BLOCK)
        one_by_one = [
            x
            for x in range(width)
            if work.found[b, x] < n or not _loses_none(b, x, rule, scaling, row_sigma, work)
        ]
        if method == MEAN:
            centre = work.median[b, :width]
            centre[:] = 0.0
            for i in range(n):
                _add(work.values[b, i, :width], centre)
            centre /= n
            _squares_about(work.values[b, :, :width], centre, work.squares[b, :width])
        for x in range(width):
            at = b * BLOCK + x
            value[at], count[at] = work.median[b, x], n
            sigma[at] = np.sqrt(work.squares[b, x] / (n - 1)) if n > 1 else 0.0
        for x in one_by_one:
            values[:] = work.values[b, :, x]
            if tracked:
                frames[:] = work.frames[b, :, x]
            at = b * BLOCK + x
            value[at], count[at], sigma[at] = _combine_pixel(
                values, frames, work.found[b, x], n, method, rule, scaling, row_sigma, residual
            )


@parallel_jit
def _combine_rows(
    stack: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    method: int,
    rule: Rejection,
    network: np.ndarray,
    tracked: bool,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
) -> None:
    for y in rows_in_parallel(stack.shape[1]):
        _combine_row(
            stack[:, y], masks[:, y], scaling, method, rule, network, tracked, value[y], count[y], sigma[y]
        )


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
    alike = np.ptp(scaling.scales) == 0 and np.ptp(scaling.zeros) == 0
    tracked = not alike and rule.kind in (AVSIGCLIP, CCDCLIP)
    network = sorting_network(len(stack))
    _combine_rows(stack, masks, scaling, method, rule, network, tracked, value, count, sigma)
