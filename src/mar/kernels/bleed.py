"""Saturated pixels and the runs of charge that leave them along columns."""

import numpy as np

from mar.kernels.jit import jit


@jit
def mark_columns(values: np.ndarray, full: float, near: float, grow: int, out: np.ndarray) -> None:
    """Set `out` (ny, nx, bool) where values reach `full`, along their columns as long as they reach `near`,
    and `grow` pixels beyond both ends.
    """
    ny, nx = values.shape
    for y in range(ny):
        for x in range(nx):
            out[y, x] = values[y, x] >= full or (y > 0 and out[y - 1, x] and values[y, x] >= near)
    for y in range(ny - 2, -1, -1):
        for x in range(nx):
            if out[y + 1, x] and values[y, x] >= near:
                out[y, x] = True
    _grow_columns(out, grow)


@jit
def _grow_columns(marked: np.ndarray, grow: int) -> None:
    """Mark `grow` pixels more above and below each run of a column, in place."""
    ny, nx = marked.shape
    left = np.zeros(nx, dtype=np.int64)
    for y in range(ny):  # upwards; `left` counts what a run may still grow
        for x in range(nx):
            if marked[y, x]:
                left[x] = grow
            elif left[x] > 0:
                marked[y, x] = True
                left[x] -= 1
    left[:] = 0
    for y in range(ny - 1, -1, -1):
        for x in range(nx):
            if marked[y, x]:
                left[x] = grow
            elif left[x] > 0:
                marked[y, x] = True
                left[x] -= 1
