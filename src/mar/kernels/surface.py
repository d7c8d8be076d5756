"""A coarse grid of levels drawn out to every pixel. Twin: tests.naive.draw_out."""

import numpy as np

from mar.kernels.jit import jit


@jit
def _mix(near: np.ndarray, far: np.ndarray, share: float, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = near[x] * (1.0 - share) + far[x] * share


@jit
def draw_out(rows: np.ndarray, left: np.ndarray, share: np.ndarray, out: np.ndarray) -> None:
    """out[y] = rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y]; `rows` float64, `out` float32."""
    for y in range(out.shape[0]):
        _mix(rows[left[y]], rows[left[y] + 1], share[y], out[y])
