"""Brightness of pixels for the eye."""

import math

import numpy as np

from mar.kernels.jit import parallel_jit, rows_in_parallel


@parallel_jit
def log_stretch(values: np.ndarray, black: float, steepness: float, white: float, out: np.ndarray) -> None:
    """out = 255 log(1 + steepness (value - black)) / log(1 + steepness (white - black)), within 0-255.

    `values` (n, nx) float32, NaN is black; `out` (n, nx) uint8.
    """
    scale = 255 / math.log(1 + steepness * (white - black))
    for row in rows_in_parallel(values.shape[0]):
        for x in range(values.shape[1]):
            above = values[row, x] - black
            if above > 0:
                out[row, x] = min(255.0, scale * math.log(1 + steepness * above) + 0.5)
            else:
                out[row, x] = 0


@parallel_jit
def block_mean(values: np.ndarray, shrink: int, out: np.ndarray) -> None:
    """Mean of blocks of shrink x shrink pixels, those that are not finite left out; NaN where all are.

    `values` (ny, nx), `out` (ceil(ny / shrink), ceil(nx / shrink)) float32.
    """
    ny, nx = values.shape
    for row in rows_in_parallel(out.shape[0]):
        for column in range(out.shape[1]):
            total = 0.0
            n = 0
            for y in range(row * shrink, min(ny, (row + 1) * shrink)):
                for x in range(column * shrink, min(nx, (column + 1) * shrink)):
                    if np.isfinite(values[y, x]):
                        total += values[y, x]
                        n += 1
            out[row, column] = total / n if n > 0 else np.nan
