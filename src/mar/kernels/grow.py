"""Marked pixels and what lies around them."""

import numpy as np

from mar.kernels.jit import jit


@jit
def mark_around(mask: np.ndarray, bits: int, reach: int, out: np.ndarray) -> None:
    """Set `out` (ny, nx, bool) within `reach` rows and columns of pixels whose `mask` has any of the bits.

    Made for masks with few such pixels.
    """
    ny, nx = mask.shape
    for y in range(ny):
        together = np.uint8(0)
        for x in range(nx):
            together |= mask[y, x]
        if not together & bits:
            continue
        rows = slice(max(0, y - reach), min(ny, y + reach + 1))
        for x in range(nx):
            if mask[y, x] & bits:
                out[rows, max(0, x - reach) : min(nx, x + reach + 1)] = True
