"""What a band of rows needs before it is resampled: sky subtracted, scaled, small holes filled."""

import numpy as np

from mar.kernels.jit import parallel_jit, rows_in_parallel

REACH = 3  #: pixels around a hole that its filling looks at


@parallel_jit
def subtract_lattice(
    rows: np.ndarray, first_row: int, lattice: np.ndarray, step: int, scale: float, out: np.ndarray
) -> None:
    """out = (rows - level) * scale, the level interpolated bilinearly from its values at every step-th pixel.

    `rows` and `out` (n, nx) float32 are the rows from `first_row` on; `lattice` (my, mx) reaches over them.
    """
    columns = rows.shape[1]
    for row in rows_in_parallel(rows.shape[0]):
        cell_y = (first_row + row) // step
        down = ((first_row + row) % step) / step
        for cell in range((columns + step - 1) // step):
            left = lattice[cell_y, cell] + down * (lattice[cell_y + 1, cell] - lattice[cell_y, cell])
            right = lattice[cell_y, cell + 1]
            right += down * (lattice[cell_y + 1, cell + 1] - right)
            slope = np.float32((right - left) / step)
            start = np.float32(left)
            for x in range(cell * step, min(columns, (cell + 1) * step)):
                level = start + slope * np.float32(x - cell * step)
                out[row, x] = (rows[row, x] - level) * np.float32(scale)


@parallel_jit
def fill_holes(rows: np.ndarray, holes: np.ndarray, keep: int, filled: np.ndarray) -> None:
    """`filled` = `rows`, but each pixel where `holes` is not 0 is the mean of the good ones near it.

    The mean is weighted by the inverse square of the distance, within REACH pixels in x and y. A hole with no
    good pixel there becomes 0, or keeps its value where it has a bit of `keep`. All arrays are (n, nx);
    `filled` is not `rows`.
    """
    ny, nx = rows.shape
    for y in rows_in_parallel(ny):
        for x in range(nx):
            if holes[y, x] == 0:
                filled[y, x] = rows[y, x]
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
                filled[y, x] = total / weight
            else:
                filled[y, x] = rows[y, x] if holes[y, x] & keep else 0.0
