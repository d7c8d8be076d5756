"""Sorting many values at once. Twin: numpy.sort."""

import numpy as np

from mar.kernels.jit import jit

_DIGIT, _DIGITS = 11, 2048  # bits of a digit, and its values: three make a word
_SIGN, _NO_NUMBER = np.uint32(0x80000000), np.uint32(0x7F800000)


@jit
def ascending(values: np.ndarray) -> np.ndarray:
    """The finite ones of `values` (n,) float32 in ascending order: sorted by 11 bits at a time."""
    words, keys = values.view(np.uint32), np.empty(values.size, np.uint32)
    counts = np.zeros((3, _DIGITS), np.int64)
    n = 0
    for i in range(values.size):
        word = words[i]
        if word & _NO_NUMBER == _NO_NUMBER:
            continue
        # as whole numbers these have the order of the values
        key = ~word if word & _SIGN else word | _SIGN
        keys[n] = key
        n += 1
        counts[0, key & (_DIGITS - 1)] += 1
        counts[1, (key >> _DIGIT) & (_DIGITS - 1)] += 1
        counts[2, key >> (2 * _DIGIT)] += 1
    other = np.empty(n, np.uint32)
    keys = keys[:n]
    for turn in range(3):
        place, total = counts[turn], 0
        for k in range(_DIGITS):
            many = place[k]
            place[k] = total
            total += many
        for i in range(n):
            k = (keys[i] >> np.uint32(_DIGIT * turn)) & (_DIGITS - 1)
            other[place[k]] = keys[i]
            place[k] += 1
        keys, other = other, keys
    for i in range(n):
        key = keys[i]
        keys[i] = key ^ _SIGN if key & _SIGN else ~key
    return keys.view(np.float32)
