"""The value that stands at a place of the ascending order, without sorting the rest."""

import numpy as np

from mar.kernels.jit import jit


@jit
def select(values: np.ndarray, n: int, wanted: int) -> float:
    """What stands at place `wanted` (from 0) of the first `n` values, which change their order; no NaN.

    Hoare 1961, CACM 4, 321: Find.
    """
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < wanted:
            low = i
        if wanted < i:
            high = j
    return values[wanted]
