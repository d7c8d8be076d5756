"""A coarse grid of levels drawn out to every pixel, and what leaves it. Twin: tests.naive.draw_out.

A surface is `rows` (boxes in y, nx) float64 with, for each row y of the image, the one to start from and how
far it is on the way to the next: rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y], as float32.
It is drawn a row at a time and compared at once, while it is in the cache.
"""

import numpy as np

from mar.kernels.jit import jit


@jit
def _mix(near: np.ndarray, far: np.ndarray, share: float, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = near[x] * (1.0 - share) + far[x] * share


@jit
def departures(
    data: np.ndarray,
    x0: int,
    y0: int,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    step: int,
    out: np.ndarray,
) -> None:
    """out = every step-th pixel, row after row, less the surface, which begins at data[y0, x0]; float32."""
    nx = rows.shape[1]
    for k in range(out.size):
        y, x = (k * step) // nx, (k * step) % nx
        level = rows[left[y], x] * (1.0 - share[y]) + rows[left[y] + 1, x] * share[y]
        out[k] = data[y0 + y, x0 + x] - np.float32(level)


@jit
def _above(row: np.ndarray, surface: np.ndarray, limit: np.float32, bad: np.uint8, mask: np.ndarray) -> None:
    for x in range(row.size):
        mask[x] |= np.uint8(0) if row[x] - surface[x] <= limit else bad


@jit
def mark_above(
    data: np.ndarray,
    x0: int,
    y0: int,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    limit: np.float32,
    bad: np.uint8,
    mask: np.ndarray,
) -> None:
    """mask |= bad unless data - surface <= limit; `data` (ny, nx) float32 and `mask` uint8 of that shape."""
    surface = np.empty(rows.shape[1], dtype=np.float32)
    x1 = x0 + surface.size
    for y in range(left.size):
        _mix(rows[left[y]], rows[left[y] + 1], share[y], surface)
        _above(data[y0 + y, x0:x1], surface, limit, bad, mask[y0 + y, x0:x1])


@jit
def _outside(
    row: np.ndarray,
    surface: np.ndarray,
    low: np.float32,
    high: np.float32,
    bad: np.uint8,
    mask: np.ndarray,
) -> None:
    for x in range(row.size):
        good = (row[x] > 0) & (row[x] >= low * surface[x]) & (row[x] <= high * surface[x])
        mask[x] |= np.uint8(0) if good else bad


@jit
def mark_outside(
    data: np.ndarray,
    x0: int,
    y0: int,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    low: np.float32,
    high: np.float32,
    bad: np.uint8,
    mask: np.ndarray,
) -> None:
    """mask |= bad unless low surface <= data <= high surface, and data > 0; arrays as of `mark_above`."""
    surface = np.empty(rows.shape[1], dtype=np.float32)
    x1 = x0 + surface.size
    for y in range(left.size):
        _mix(rows[left[y]], rows[left[y] + 1], share[y], surface)
        _outside(data[y0 + y, x0:x1], surface, low, high, bad, mask[y0 + y, x0:x1])
