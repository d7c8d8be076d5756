"""The rejections of IRAF's imcombine, one pixel at a time, as they are meant.

The values of a pixel are sorted; a rejection moves the two ends of what is kept. Looked at here are the
pixels that lack values and those that may lose some.
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.networks import sort_rows
from mar.kernels.stack_clip_many import clip_together
from mar.kernels.stack_rules import (
    AVSIGCLIP,
    CCDCLIP,
    MEDIAN,
    MINMAX,
    NONE,
    PCLIP,
    SIGCLIP,
    Places,
    Rejection,
    Scaling,
    after_extremes,
    least_kept,
    percentile_place,
    variance,
)

INFINITE = np.float32(np.inf)
SAME_RESIDUAL = 0.001  # residuals closer than this many sigma are given back together, as imcombine does

_after_extremes, _percentile_place = jit(after_extremes), jit(percentile_place)
_least_kept, _variance = jit(least_kept), jit(variance)


@jit
def _least_to_clip(n: int, kind: int, nkeep: int) -> int:
    return max(2 if kind == CCDCLIP else 3, _least_kept(n, nkeep) + 1)


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
def _centre(values: np.ndarray, first: int, last: int, about_mean: bool, trimmed: bool) -> float:
    """What a round of clipping is about: the median, or the mean, which may leave out the extremes."""
    if not about_mean:
        return _median(values, first, last)
    if trimmed and last - first >= 2:
        return _mean(values, first + 1, last - 1)
    return _mean(values, first, last)


@jit
def _weighted_squares(
    values: np.ndarray, frames: np.ndarray, first: int, last: int, centre: float, noise: np.ndarray
) -> float:
    total = 0.0
    for i in range(first, last + 1):
        total += (values[i] - centre) ** 2 / _variance(centre, noise[frames[i]])
    return total


@jit
def _clip(
    values: np.ndarray,
    frames: np.ndarray,
    n: int,
    kind: int,
    low: float,
    high: float,
    nkeep: int,
    about_mean: bool,
    rounds: int,
    weighted: bool,
    noise: np.ndarray,
    row_sigma: float,
    residual: np.ndarray,
) -> tuple[int, int]:
    """The first and the last of n sorted values that survive clipping; numbers only, for speed."""
    least = _least_to_clip(n, kind, nkeep)
    first, last, number = 0, n - 1, 0
    common = row_sigma
    while last - first + 1 >= least and (rounds == 0 or number < rounds):
        before = last - first
        centre = _centre(values, first, last, about_mean, number == 0 or kind == CCDCLIP)
        if kind == SIGCLIP:
            common = np.sqrt(_weighted_squares(values, frames, first, last, centre, noise) / before)
        if common <= 0.0:
            break
        sigma = common * np.sqrt(_variance(centre, noise[frames[first]]))
        while first <= last:
            if weighted:
                sigma = common * np.sqrt(_variance(centre, noise[frames[first]]))
            if centre - values[first] <= low * sigma:
                break
            residual[first] = (centre - values[first]) / sigma
            first += 1
        while last >= first:
            if weighted:
                sigma = common * np.sqrt(_variance(centre, noise[frames[last]]))
            if values[last] - centre <= high * sigma:
                break
            residual[last] = (values[last] - centre) / sigma
            last -= 1
        number += 1
        if last - first == before:
            break
    return _give_back(residual, n, first, last, nkeep)


@jit
def _clip_percentile(
    values: np.ndarray, n: int, low: float, high: float, nkeep: int, pclip: int, residual: np.ndarray
) -> tuple[int, int]:
    """PCLIP: one round, whose sigma is how far a certain value is from the median."""
    if n < _least_to_clip(n, PCLIP, nkeep):
        return 0, n - 1
    first, last = 0, n - 1
    median = _median(values, first, last)
    sigma = abs(values[_percentile_place(n, pclip)] - median)
    if sigma == 0.0:
        return first, last
    while first < n and (median - values[first]) / sigma >= low:
        residual[first] = (median - values[first]) / sigma
        first += 1
    while last >= first and (values[last] - median) / sigma >= high:
        residual[last] = (values[last] - median) / sigma
        last -= 1
    return _give_back(residual, n, first, last, nkeep)


@jit
def _give_back(residual: np.ndarray, n: int, first: int, last: int, nkeep: int) -> tuple[int, int]:
    """Take back the rejected values of least residual until enough are there; equal ones come together."""
    while last - first + 1 < _least_kept(n, nkeep):
        below = residual[first - 1] if first > 0 else np.inf
        above = residual[last + 1] if last < n - 1 else np.inf
        limit = min(below, above) + SAME_RESIDUAL
        while first > 0 and residual[first - 1] <= limit:
            first -= 1
        while last < n - 1 and residual[last + 1] <= limit:
            last += 1
    return first, last


@jit
def _sort_pixel(column: np.ndarray, values: np.ndarray, frames: np.ndarray) -> int:
    """Put a pixel's usable values in order, with the frames they come from; gives their number."""
    n = 0
    for i in range(column.size):
        value = column[i]
        if value == INFINITE:
            continue
        k = n
        while k > 0 and values[k - 1] > value:
            values[k], frames[k] = values[k - 1], frames[k - 1]
            k -= 1
        values[k], frames[k] = value, i
        n += 1
    return n


@jit
def _flagged(flags: np.ndarray, wide: int, chosen: np.ndarray) -> int:
    """The flagged places among the first `wide` into `chosen`; gives their number."""
    m = 0
    eights = flags.view(np.uint64)  # most are nothing at all
    for k in range((wide + 7) // 8):
        if eights[k] != 0:
            for x in range(8 * k, min(wide, 8 * k + 8)):
                chosen[m] = x
                m += 1 if flags[x] else 0
    return m


@jit
def _columns(
    stack: np.ndarray,
    masks: np.ndarray,
    scaling: Scaling,
    y: int,
    start: int,
    chosen: np.ndarray,
    columns: np.ndarray,
) -> None:
    """The values of the chosen pixels of a row side by side, infinity where there is none to use."""
    for i in range(stack.shape[0]):
        row, column = stack[i, y], columns[i]
        inverse, zero = np.float32(1.0 / scaling.scales[i]), np.float32(scaling.zeros[i])
        for k in range(chosen.size):
            value = row[start + chosen[k]] * inverse - zero
            column[k] = value if abs(value) < INFINITE else INFINITE
        if masks.shape[2] > 0:
            for k in range(chosen.size):
                if masks[i, y, start + chosen[k]] != 0:
                    column[k] = INFINITE


@jit
def _take(columns: np.ndarray, k: int, values: np.ndarray) -> int:
    """One pixel's sorted values; gives how many of them are usable."""
    n = 0
    for i in range(columns.shape[0]):
        values[i] = columns[i, k]
        n += 1 if values[i] < INFINITE else 0
    return n


@jit
def add_lacking(
    blocks_of_values: np.ndarray,
    about_mean: bool,
    noise: np.ndarray,
    lacking: np.ndarray,
    found: np.ndarray,
    width: int,
    nx: int,
    sums: np.ndarray,
    numbers: np.ndarray,
) -> None:
    """What pixels that lack values, but have three, add to the squared deviations of their row."""
    n = blocks_of_values.shape[1]
    blocks = (nx + width - 1) // width
    values, frames = np.empty(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
    for b in range(sums.size * blocks):
        if not lacking[b]:
            continue
        for x in range(min(width, nx - (b % blocks) * width)):
            if 3 <= found[b, x] < n:
                m = _sort_pixel(blocks_of_values[b, :, x], values, frames)
                centre = _centre(values, 0, m - 1, about_mean, True)
                sums[b // blocks] += _weighted_squares(values, frames, 0, m - 1, centre, noise)
                numbers[b // blocks] += m


@jit
def _without_one(
    picked: np.ndarray, at: Places, x: int, low: float, high: float, noise: np.ndarray, common: float
) -> float:
    """The median of a pixel that loses no value, its lowest, or its highest; NaN if it is not so simple."""
    lowest, highest = np.float64(picked[at.lowest, x]), np.float64(picked[at.highest, x])
    lower, upper = np.float64(picked[at.lower, x]), np.float64(picked[at.upper, x])
    centre = 0.5 * (lower + upper)
    sigma = common * np.sqrt(_variance(centre, noise[0]))
    too_low, too_high = centre - lowest > low * sigma, highest - centre > high * sigma
    if too_low == too_high:
        return np.nan if too_low else centre
    if too_low:
        lowest = np.float64(picked[at.second, x])
        lower, upper = upper, np.float64(picked[at.over, x])
    else:
        highest = np.float64(picked[at.last_but_one, x])
        lower, upper = np.float64(picked[at.under, x]), lower
    more = centre - lowest > low * sigma or highest - centre > high * sigma
    centre = 0.5 * (lower + upper)
    sigma = common * np.sqrt(_variance(centre, noise[0]))
    again = centre - lowest > low * sigma or highest - centre > high * sigma
    return np.nan if more or again else centre


@jit
def _clip_the_simple(
    chosen: np.ndarray,
    picked: np.ndarray,
    at: Places,
    low: float,
    high: float,
    noise: np.ndarray,
    common: float,
    value: np.ndarray,
) -> int:
    """Combine those of the `chosen` pixels that lose one value at most; gives how many others there are."""
    left = 0
    for x in chosen:
        middle = np.nan
        if common > 0.0 and picked[at.highest, x] < INFINITE:
            middle = _without_one(picked, at, x, low, high, noise, common)
        value[x] = middle
        chosen[left] = x
        left += 1 if middle != middle else 0
    return left


@jit
def combine_flagged(
    stack: np.ndarray,
    masks: np.ndarray,
    picked: np.ndarray,
    at: Places,
    scaling: Scaling,
    by_frame: bool,
    network: np.ndarray,
    method: int,
    rule: Rejection,
    noise: np.ndarray,
    common: np.ndarray,
    flags: np.ndarray,
    width: int,
    y0: int,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
    rejected: np.ndarray,
) -> None:
    """Combine the flagged pixels of rows from y0 on; all results but `value` may be empty.

    `picked` are their order statistics: nearly all clipped pixels lose one value, and then those suffice.
    `network` sorts n values; only where it matters from which frame each comes they are sorted one by one.
    """
    n, nx = stack.shape[0], value.shape[1]
    blocks = (nx + width - 1) // width
    kind, low, high, nkeep = rule.kind, rule.low, rule.high, rule.nkeep
    about_mean, rounds, pclip, weighted = rule.about_mean, rule.rounds, rule.pclip, rule.weighted
    values, frames = np.empty(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
    residual, ends = np.empty(n, dtype=np.float64), np.empty((2, width), dtype=np.int64)
    together = kind in (AVSIGCLIP, CCDCLIP) and not (by_frame or about_mean)
    middle_suffices = together and method == MEDIAN and count.size + sigma.size + rejected.size == 0
    least = _least_to_clip(n, kind, nkeep)
    simple = middle_suffices and rounds != 1 and n > least
    chosen, columns = np.empty(width + 1, dtype=np.int64), np.empty((n, width), dtype=np.float32)
    for b in range(common.size * blocks):
        y, start = y0 + b // blocks, (b % blocks) * width
        flagged = _flagged(flags[b], min(width, nx - start), chosen)
        if simple:
            into = value[y, start : start + width]
            flagged = _clip_the_simple(
                chosen[:flagged], picked[b], at, low, high, noise, common[b // blocks], into
            )
        _columns(stack, masks, scaling, y, start, chosen[:flagged], columns)
        if not by_frame:
            sort_rows(columns, flagged, network)
        ends[0], ends[1] = 0, -1
        if together:
            row_sigma = common[b // blocks]
            clip_together(columns, flagged, least, low, high, nkeep, rounds, noise[0], row_sigma, ends)
        for k in range(flagged):
            x = chosen[k]
            first, last = ends[0, k], ends[1, k]
            if middle_suffices and 0 <= first <= last:
                lower, upper = columns[(first + last) // 2, k], columns[(first + last + 1) // 2, k]
                value[y, start + x] = 0.5 * (np.float64(lower) + np.float64(upper))
                continue
            m = _sort_pixel(columns[:, k], values, frames) if by_frame else _take(columns, k, values)
            if m > 0 and last < 0:
                first, last = 0, m - 1
                if kind == MINMAX:
                    first, last = _after_extremes(m, n, low, high, nkeep)
                elif kind == PCLIP:
                    first, last = _clip_percentile(values, m, low, high, nkeep, pclip, residual)
                elif kind != NONE:
                    first, last = _clip(
                        values, frames, m, kind, low, high, nkeep, about_mean, rounds, weighted, noise,
                        common[b // blocks], residual,
                    )  # fmt: skip
            centre = np.nan
            if last >= first:
                centre = _median(values, first, last) if method == MEDIAN else _mean(values, first, last)
            value[y, start + x] = centre
            if count.shape[0] > 0:
                count[y, start + x] = last - first + 1
            if sigma.shape[0] > 0:
                sigma[y, start + x] = _spread(values, first, last, centre) if last >= first else np.nan
            if rejected.shape[0] > 0:
                for i in range(m):
                    rejected[frames[i], y, start + x] = i < first or i > last
