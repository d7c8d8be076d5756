"""Subtract an electronic level from the pixels of one amplifier. Twin: tests.naive.subtract_level."""

import numpy as np

from mar.kernels.jit import jit


@jit
def _row(source: np.ndarray, level: float, along_x: np.ndarray, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = np.float32(source[x]) - level - along_x[x]


@jit
def subtract_level(
    rows: np.ndarray, x0: int, along_y: np.ndarray, along_x: np.ndarray, out: np.ndarray, to_y: int, to_x: int
) -> None:
    """out[to_y + y, to_x + x] = rows[y, x0 + x] - along_y[y] - along_x[x], float32."""
    nx = along_x.size
    for y in range(along_y.size):
        _row(rows[y, x0 : x0 + nx], along_y[y], along_x, out[to_y + y, to_x : to_x + nx])
