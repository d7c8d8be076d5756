"""The band of pixels that a trail covers, drawn into a mask."""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.strips import bent


@jit
def _within(spans: np.ndarray, along: float) -> bool:
    inside = False
    for n in range(spans.shape[0]):
        inside |= spans[n, 0] <= along <= spans[n, 1]
    return inside


@jit
def _value_at(along: float, t: np.ndarray, values: np.ndarray) -> float:
    """Interpolated between the points `t` (increasing); beyond them the value of the nearest."""
    if along <= t[0]:
        return values[0]
    for n in range(1, t.size):
        if along < t[n]:
            slope = (values[n] - values[n - 1]) / (t[n] - t[n - 1])
            return slope * (along - t[n - 1]) + values[n - 1]
    return values[t.size - 1]


@jit
def draw_band(
    mask: np.ndarray,
    bit: int,
    chord: np.ndarray,
    bend: np.ndarray,
    spans: np.ndarray,
    t: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
) -> None:
    """Set `bit` in `mask` between `left` pixels on one side of a path and `right` pixels on the other.

    The path: `chord` is start (x0, y0), direction (dx, dy) of length one, and its length in pixels; `bend`
    the pixels that it lies beside its chord, as a polynomial in 2 t / length - 1, lowest power first. `spans`
    (n, 2) are from where along the path to where; `left` and `right` hold at `t` (increasing) and are
    interpolated between.
    """
    x0, y0, dx, dy, length = chord[0], chord[1], chord[2], chord[3], chord[4]
    flat = abs(dx) >= abs(dy)
    widest = max(left.max(), right.max()) + np.abs(bend).sum() + 1
    ny, nx = mask.shape
    long_side, short_side = (nx, ny) if flat else (ny, nx)
    for a in range(long_side):
        middle = y0 + dy / dx * (a - x0) if flat else x0 + dx / dy * (a - y0)
        half = widest / max(abs(dx), abs(dy))
        for b in range(max(0, int(middle - half)), min(short_side, int(middle + half) + 2)):
            x, y = (a, b) if flat else (b, a)
            along = (x - x0) * dx + (y - y0) * dy
            if not _within(spans, along):
                continue
            u = min(max(2 * along / length - 1, -1.0), 1.0)
            beside = (y - y0) * dx - (x - x0) * dy - bent(bend, u)
            if -_value_at(along, t, left) <= beside <= _value_at(along, t, right):
                mask[y, x] |= bit
