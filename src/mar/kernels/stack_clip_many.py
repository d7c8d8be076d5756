"""Clipping by noise models, many pixels at a time: the same rounds as one by one, counted instead of walked.

The values of a pixel are sorted, so what lies beyond a limit is a number of values at an end.
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.stack_rules import BASE, CURVE, LEAST, OFFSET, SHIFT, SLOPE, least_kept

_least_kept = jit(least_kept)


@jit
def _middles(columns: np.ndarray, first: np.ndarray, last: np.ndarray, centre: np.ndarray) -> None:
    for k in range(centre.size):
        middle = first[k] + last[k]
        lower, upper = columns[middle // 2, k], columns[(middle + 1) // 2, k]
        centre[k] = 0.5 * (np.float64(lower) + np.float64(upper))


@jit
def _sigmas(centre: np.ndarray, noise: np.ndarray, common: float, sigma: np.ndarray) -> None:
    shift, slope, least = noise[SHIFT], noise[SLOPE], noise[LEAST]
    offset, curve, base = noise[OFFSET], noise[CURVE], noise[BASE]
    for k in range(sigma.size):
        signal = max(least, slope * (centre[k] + shift))
        sigma[k] = common * np.sqrt(base * (offset + signal + curve * signal * signal))


@jit
def _count_beyond(
    row: np.ndarray,
    centre: np.ndarray,
    sigma: np.ndarray,
    low: float,
    high: float,
    below: np.ndarray,
    above: np.ndarray,
) -> None:
    for k in range(below.size):
        off = row[k] - centre[k]
        below[k] += 1 if -off > low * sigma[k] else 0
        above[k] += 1 if off > high * sigma[k] else 0


@jit
def _move_ends(
    n: int, least: int, below: np.ndarray, above: np.ndarray, first: np.ndarray, last: np.ndarray
) -> int:
    """Leave out what is beyond, of pixels that have enough values; gives how many have lost some."""
    changed = 0
    for k in range(first.size):
        enough = last[k] - first[k] + 1 >= least
        begin, end = max(first[k], below[k]), min(last[k], n - 1 - above[k])
        changed += 1 if enough and (begin > first[k] or end < last[k]) else 0
        first[k] = begin if enough else first[k]
        last[k] = end if enough else last[k]
    return changed


@jit
def clip_together(
    columns: np.ndarray,
    count: int,
    least: int,
    low: float,
    high: float,
    nkeep: int,
    rounds: int,
    noise: np.ndarray,
    common: float,
    ends: np.ndarray,
) -> None:
    """The first and the last value that survive clipping about the median, of the first `count` pixels.

    `columns` (n, at least count) float32 are sorted, infinity where a value is lacking; `noise` is the model
    of all frames and `common` its factor; fewer than `least` values are not clipped. Into `ends` (2, at least
    count) go the two places, and 0, -1 for pixels to be looked at one by one: those that lack values, and
    those that are to get some back because fewer than `nkeep` are left.
    """
    n = columns.shape[0]
    first, last = ends[0, :count], ends[1, :count]
    first[:], last[:] = 0, n - 1
    centre, sigma = np.empty(count), np.empty(count)
    below, above = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    number = 0
    while common > 0.0 and (rounds == 0 or number < rounds):
        _middles(columns, first, last, centre)
        _sigmas(centre, noise, common, sigma)
        below[:], above[:] = 0, 0
        for i in range(n):
            _count_beyond(columns[i, :count], centre, sigma, low, high, below, above)
        number += 1
        if _move_ends(n, least, below, above, first, last) == 0:
            break
    stay = _least_kept(n, nkeep)
    for k in range(count):
        if columns[n - 1, k] == np.inf or last[k] - first[k] + 1 < stay:
            first[k], last[k] = 0, -1
