"""Clipping by noise models, many pixels at a time: the same rounds as one by one.

The values of a pixel are sorted, so what lies beyond a limit is a number of values at an end. The first round
counts them; later ones concern few pixels, whose ends are walked.
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.stack_rules import least_kept, variance

_least_kept, _variance = jit(least_kept), jit(variance)


@jit
def _middles(columns: np.ndarray, first: np.ndarray, last: np.ndarray, centre: np.ndarray) -> None:
    for k in range(centre.size):
        middle = first[k] + last[k]
        lower, upper = columns[middle // 2, k], columns[(middle + 1) // 2, k]
        centre[k] = 0.5 * (np.float64(lower) + np.float64(upper))


@jit
def _sigmas(centre: np.ndarray, noise: np.ndarray, common: float, sigma: np.ndarray) -> None:
    for k in range(sigma.size):
        sigma[k] = common * np.sqrt(_variance(centre[k], noise))


@jit
def _count_apart(
    upper: np.ndarray, lower: np.ndarray, sigma: np.ndarray, limit: float, number: np.ndarray
) -> None:
    for k in range(number.size):
        number[k] += 1 if upper[k] - lower[k] > limit * sigma[k] else 0


@jit
def _move_ends(
    n: int,
    least: int,
    below: np.ndarray,
    above: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    changed: np.ndarray,
) -> int:
    """Leave out what is beyond, of pixels with enough values; gives how many have `changed`, and which."""
    left = 0
    if n >= least:
        for k in range(first.size):
            first[k], last[k] = below[k], n - 1 - above[k]
            changed[left] = k
            left += 1 if below[k] + above[k] > 0 else 0
    return left


@jit
def _walk(
    columns: np.ndarray,
    changed: np.ndarray,
    least: int,
    low: float,
    high: float,
    noise: np.ndarray,
    common: float,
    first: np.ndarray,
    last: np.ndarray,
) -> int:
    """One more round of the pixels that the last one has changed; gives how many it changes, and which.

    They are few, and lose little more: their ends are walked.
    """
    left = 0
    for k in changed:
        begin, end = first[k], last[k]
        if end - begin + 1 < least:
            continue
        middle = begin + end
        centre = 0.5 * (np.float64(columns[middle // 2, k]) + np.float64(columns[(middle + 1) // 2, k]))
        sigma = common * np.sqrt(_variance(centre, noise))
        while begin <= end and centre - columns[begin, k] > low * sigma:
            begin += 1
        while end >= begin and columns[end, k] - centre > high * sigma:
            end -= 1
        moved = begin > first[k] or end < last[k]
        first[k], last[k] = begin, end
        changed[left] = k
        left += 1 if moved else 0
    return left


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
    if common > 0.0:
        centre, sigma = np.empty(count), np.empty(count)
        below, above = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        _middles(columns, first, last, centre)
        _sigmas(centre, noise, common, sigma)
        for i in range((n + 1) // 2):  # nothing above the median can be too low
            _count_apart(centre, columns[i, :count], sigma, low, below)
            _count_apart(columns[n - 1 - i, :count], centre, sigma, high, above)
        changed = np.empty(count, dtype=np.int64)
        left, number = _move_ends(n, least, below, above, first, last, changed), 1
        while left > 0 and (rounds == 0 or number < rounds):
            left = _walk(columns, changed[:left], least, low, high, noise, common, first, last)
            number += 1
    stay = _least_kept(n, nkeep)
    for k in range(count):
        if columns[n - 1, k] == np.inf or last[k] - first[k] + 1 < stay:
            first[k], last[k] = 0, -1
