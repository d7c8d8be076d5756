"""Numbers of overscan strips, whose columns lie in the rows of an array. Twins: numpy's, in the tests."""

import numpy as np

from mar.kernels.jit import jit, summing_jit
from mar.kernels.selection import select

LOWEST, HIGHEST = -0x7F800001, 0x7F800000  # keys of minus infinity and infinity
INFINITE = np.float32(np.inf)
STEPS = 6  # values up or down from a guess, before it is given up


@jit
def take_strips(rows: np.ndarray, y0: int, strips: np.ndarray, pixels: np.ndarray) -> None:
    """Copy what the rows from y0 hold of some strips into `pixels` (n,) float32.

    `strips` (strips, 7) are x0, x1, y0, y1, where in `pixels` each begins, and how far apart its neighbouring
    rows and columns lie there.
    """
    for k in range(strips.shape[0]):
        left, right, bottom, top, begin, step_y, step_x = strips[k]
        for y in range(max(y0, bottom), min(y0 + rows.shape[0], top)):
            at = begin + (y - bottom) * step_y
            for x in range(left, right):
                pixels[at] = rows[y - y0, x]
                at += step_x


@jit
def middle_value(values: np.ndarray) -> float:
    """The median of (n,) values, of any order; NaN where one is NaN, or of nothing."""
    n, own = values.size, values.copy()
    for k in range(n):
        if np.isnan(own[k]):
            return np.nan
    if n == 0:
        return np.nan
    high = select(own, n, n // 2)
    return (select(own, n, (n - 1) // 2) + high) / 2


@jit
def running_medians(values: np.ndarray, span: int, out: np.ndarray) -> None:
    """out[i] = median of the `span` values around i, the outermost that many at the ends; no NaN."""
    for i in range(values.size):
        first = min(max(0, i - span // 2), values.size - span)
        out[i] = middle_value(values[first : first + span])


@jit
def _up_to(values: np.ndarray, limit: np.float32) -> int:
    """How many values are not above a limit; NaN are."""
    found = 0
    for x in range(values.size):
        found += 1 if values[x] <= limit else 0
    return found


@jit
def _below(values: np.ndarray, limit: np.float32) -> int:
    found = 0
    for x in range(values.size):
        found += 1 if values[x] < limit else 0
    return found


@jit
def _key(word: np.int32) -> np.int32:
    """The bits of a float as a whole number that orders as floats do, and back."""
    return word if word >= 0 else word ^ np.int32(0x7FFFFFFF)


@jit
def _least_above(words: np.ndarray, limit: np.int32) -> np.int32:
    """The key of the least of some floats, as int32, that lies above the key `limit`."""
    least = np.int32(HIGHEST)
    for x in range(words.size):
        key = _key(words[x])
        key = key if key > limit else np.int32(HIGHEST)
        least = min(least, key)
    return least


@jit
def _greatest_below(words: np.ndarray, limit: np.int32) -> np.int32:
    greatest = np.int32(LOWEST)
    for x in range(words.size):
        key = _key(words[x])
        key = key if key < limit else np.int32(LOWEST)
        greatest = max(greatest, key)
    return greatest


@jit
def _at_place(values: np.ndarray, place: int, guess: np.float32, word: np.ndarray) -> np.float32:
    """What stands at a place of the ascending order.

    Counts lie on few levels, and those of one column near those of the column before: from a `guess` it is
    some values up or down. If not, halvings of the whole numbers that order as floats do. Counting is one
    vector operation, where sorting is a jump per comparison. `word` is (1,) int32 to work in.
    """
    words, at = values.view(np.int32), word.view(np.float32)
    at[0] = guess
    for _ in range(STEPS):
        if _up_to(values, at[0]) <= place:
            word[0] = _key(_least_above(words, _key(word[0])))
        elif _below(values, at[0]) > place:
            word[0] = _key(_greatest_below(words, _key(word[0])))
        else:
            return at[0]
    low, high = LOWEST, HIGHEST
    while low < high:
        middle = (low + high) >> 1
        word[0] = middle if middle >= 0 else middle ^ 0x7FFFFFFF
        if _up_to(values, at[0]) > place:
            high = middle
        else:
            low = middle + 1
    word[0] = low if low >= 0 else low ^ 0x7FFFFFFF
    return at[0]


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
    word, guesses = np.empty(1, dtype=np.int32), np.zeros(fractions.size, dtype=np.float32)
    at = word.view(np.float32)
    for y in range(values.shape[0]):
        row = values[y]
        last = _count_finite(row) - 1
        for k in range(fractions.size):
            if last < 0:
                out[k, y] = np.nan
                continue
            place = int(np.floor(fractions[k] * last))
            below = _at_place(row, place, guesses[k], word)
            guesses[k] = above = below
            if np.ceil(fractions[k] * last) > place and _up_to(row, below) < place + 2:
                word[0] = _key(_least_above(row.view(np.int32), _key(word[0])))
                above = at[0]
            out[k, y] = (below + above) / np.float32(2)


@summing_jit
def _sum_near(row: np.ndarray, middle: np.float32, reach: np.float32) -> tuple[float, int]:
    total, near = 0.0, 0
    for x in range(row.size):
        good = abs(row[x] - middle) <= reach
        total += np.float64(row[x]) if good else 0.0
        near += 1 if good else 0
    return total, near


@jit
def levels_near(values: np.ndarray, middle: np.ndarray, reach: np.ndarray, out: np.ndarray) -> None:
    """out[y] = mean of the values of row y within `reach[y]` of `middle[y]`, 0 of none; float64."""
    for y in range(values.shape[0]):
        total, near = _sum_near(values[y], middle[y], reach[y])
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
