"""Things that belong together, as trees: each names its parent, the first of a group itself."""

import numpy as np

from mar.kernels.jit import jit


@jit
def first_of(parent: np.ndarray, i: int) -> int:
    """The first of the group of `i`; the way to it is halved (Tarjan & van Leeuwen 1984, JACM 31, 245)."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
