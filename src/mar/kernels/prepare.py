"""What rows need before they are resampled: it is known which pixels count, and small holes are filled."""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.left_out import bits_in

REACH = 3  #: pixels around a hole that its filling looks at


@jit
def flag_holes(rows: np.ndarray, mask: np.ndarray, bits: int, hole: int, holes: np.ndarray) -> None:
    """`holes` = the `bits` of `mask`, and `hole` where a value is not finite; arrays (n, nx).

    A mask of no pixels stands for one without any bit.
    """
    masked = mask.size > 0
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            lost = np.uint8(0) if np.isfinite(rows[y, x]) else np.uint8(hole)
            holes[y, x] = lost | (mask[y, x] & np.uint8(bits) if masked else np.uint8(0))


@jit
def fill_holes(rows: np.ndarray, holes: np.ndarray, first: int, stop: int, keep: int, level: float) -> None:
    """Give pixels where `holes` is not 0 the mean of the good ones near them, in the rows first <= y < stop.

    The mean is weighted by the inverse square of the distance, within REACH pixels in x and y. A hole with no
    good pixel there becomes `level`, or keeps its value where it has a bit of `keep`. The other rows (n, nx)
    are only looked at.
    """
    ny, nx = rows.shape
    for y in range(first, stop):
        line = holes[y]
        if not bits_in(line):
            continue
        for x in range(nx):
            if line[x] == 0:
                continue
            total = 0.0
            weight = 0.0
            for v in range(max(0, y - REACH), min(ny, y + REACH + 1)):
                for u in range(max(0, x - REACH), min(nx, x + REACH + 1)):
                    if holes[v, u] == 0:
                        near = 1.0 / ((v - y) ** 2 + (u - x) ** 2)
                        total += near * rows[v, u]
                        weight += near
            if weight > 0:
                rows[y, x] = total / weight
            elif line[x] & keep == 0:
                rows[y, x] = level
