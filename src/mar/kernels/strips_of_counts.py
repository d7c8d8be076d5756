"""Numbers of overscan strips, whose columns lie in the rows of an array. Twins: numpy's, in the tests."""

import numpy as np

from mar.kernels.jit import jit

LOWEST, HIGHEST = -0x7F800001, 0x7F800000  # keys of minus infinity and infinity
INFINITE = np.float32(np.inf)


@jit
def _up_to(values: np.ndarray, limit: np.float32) -> int:
    """How many values are not above a limit; NaN are."""
    found = 0
    for x in range(values.size):
        found += 1 if values[x] <= limit else 0
    return found


@jit
def _least_above(values: np.ndarray, limit: np.float32) -> np.float32:
    least = INFINITE
    for x in range(values.size):
        least = values[x] if (limit < values[x]) & (values[x] < least) else least
    return least


@jit
def _at_place(values: np.ndarray, place: int, word: np.ndarray) -> np.float32:
    """What stands at a place of the ascending order: halvings of the whole numbers that order as floats do.

    Counting is one vector operation, where sorting is a jump per comparison. `word` is (1,) int32 to work in.
    """
    low, high = LOWEST, HIGHEST
    while low < high:
        middle = (low + high) >> 1
        word[0] = middle if middle >= 0 else middle ^ 0x7FFFFFFF
        if _up_to(values, word.view(np.float32)[0]) > place:
            high = middle
        else:
            low = middle + 1
    word[0] = low if low >= 0 else low ^ 0x7FFFFFFF
    return word.view(np.float32)[0]


@jit
def _count_finite(values: np.ndarray) -> int:
    found = 0
    for x in range(values.size):
        found += 1 if abs(values[x]) < INFINITE else 0
    return found


@jit
def quantiles_of_rows(values: np.ndarray, fractions: np.ndarray, out: np.ndarray) -> None:
    """out[k, y] = the value that `fractions[k]` of the numbers of row y lie below, between two their middle.

    `values` (rows, n) float32, `out` (fractions, rows); NaN take no part, and are what a row without numbers
    gives.
    """
    word = np.empty(1, dtype=np.int32)
    for y in range(values.shape[0]):
        row = values[y]
        last = _count_finite(row) - 1
        for k in range(fractions.size):
            if last < 0:
                out[k, y] = np.nan
                continue
            place = int(np.floor(fractions[k] * last))
            below = _at_place(row, place, word)
            above = below
            if np.ceil(fractions[k] * last) > place and _up_to(row, below) < place + 2:
                above = _least_above(row, below)
            out[k, y] = (below + above) / np.float32(2)


@jit
def levels_near(values: np.ndarray, middle: np.ndarray, reach: np.ndarray, out: np.ndarray) -> None:
    """out[y] = mean of the values of row y within `reach[y]` of `middle[y]`, 0 of none; float64."""
    for y in range(values.shape[0]):
        total, near = 0.0, 0
        for x in range(values.shape[1]):
            if abs(values[y, x] - middle[y]) <= reach[y]:
                total += values[y, x]
                near += 1
        out[y] = total / max(1, near)


@jit
def _tally(row: np.ndarray, number: np.ndarray, total: np.ndarray, square: np.ndarray) -> None:
    for x in range(row.size):
        good = abs(row[x]) < INFINITE
        value = np.float64(row[x]) if good else 0.0
        number[x] += 1 if good else 0
        total[x] += value
        square[x] += value * value


@jit
def tally(values: np.ndarray, number: np.ndarray, total: np.ndarray, square: np.ndarray) -> None:
    """Add to each position (n,) how many values of its column are finite, their sum, and that of squares."""
    for y in range(values.shape[0]):
        _tally(values[y], number, total, square)


@jit
def forget_far(values: np.ndarray, off: np.ndarray, middle: np.ndarray, limit: np.float32) -> int:
    """NaN in both where `off` (rows, n) is farther than `limit` from its row's middle; gives how many."""
    found = 0
    for y in range(off.shape[0]):
        here = 0
        for x in range(off.shape[1]):
            here += 1 if abs(off[y, x] - middle[y]) > limit else 0
        found += here
        for x in range(off.shape[1] if here else 0):
            if abs(off[y, x] - middle[y]) > limit:
                values[y, x] = off[y, x] = np.nan
    return found
