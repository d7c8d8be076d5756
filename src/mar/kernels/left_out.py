"""Pixels that an answer must not rest on, told from the bits of a mask where they are asked for."""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit


class LeftOut(NamedTuple):
    """Pixels with a bit of `bits`, and all within `reach` rows and columns of one with a bit of `around`."""

    mask: np.ndarray  #: (ny, nx) uint8
    bits: int
    around: int = 0
    reach: int = 0


@jit
def bits_in(row: np.ndarray) -> np.uint8:
    """All bits that are set somewhere in a row of a mask (n,) uint8."""
    together = np.uint8(0)
    for x in range(row.size):
        together |= row[x]
    return together


@jit
def _any_bit(mask: np.ndarray, bits: int, y: int, x: int, reach: int) -> bool:
    ny, nx = mask.shape
    for v in range(max(0, y - reach), min(ny, y + reach + 1)):
        for u in range(max(0, x - reach), min(nx, x + reach + 1)):
            if mask[v, u] & bits:
                return True
    return False


@jit
def any_left_out(left_out: LeftOut, y: int, x: int, reach: int) -> bool:
    """Whether a pixel within `reach` rows and columns of (y, x) is left out."""
    if _any_bit(left_out.mask, left_out.bits, y, x, reach):
        return True
    return left_out.around != 0 and _any_bit(left_out.mask, left_out.around, y, x, reach + left_out.reach)
