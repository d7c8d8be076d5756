"""Values for masked pixels from the good ones around them."""

import numpy as np

from mar.kernels.jit import jit

IDW, MEDIAN, LINEAR = 0, 1, 2


@jit
def _inverse_distance(data: np.ndarray, usable: np.ndarray, y: int, x: int, radius: int) -> float:
    """Mean of the good pixels in a box, weighted by one over the squared distance; NaN without any."""
    total, weights = 0.0, 0.0
    for j in range(max(0, y - radius), min(data.shape[0], y + radius + 1)):
        for i in range(max(0, x - radius), min(data.shape[1], x + radius + 1)):
            if usable[j, i]:
                weight = 1.0 / ((j - y) ** 2 + (i - x) ** 2)
                total += weight * data[j, i]
                weights += weight
    return total / weights if weights > 0 else np.nan


@jit
def _median(data: np.ndarray, usable: np.ndarray, y: int, x: int, radius: int) -> float:
    """Median of the good pixels in a box; NaN without any."""
    values = np.empty((2 * radius + 1) ** 2, dtype=np.float64)
    n = 0
    for j in range(max(0, y - radius), min(data.shape[0], y + radius + 1)):
        for i in range(max(0, x - radius), min(data.shape[1], x + radius + 1)):
            if usable[j, i]:
                values[n] = data[j, i]
                n += 1
    return np.median(values[:n]) if n > 0 else np.nan


@jit
def _steps_to_good(usable: np.ndarray, y: int, x: int, dy: int, dx: int) -> int:
    """Steps along (dy, dx) to the first good pixel; 0 where the border comes first."""
    steps = 1
    while 0 <= y + steps * dy < usable.shape[0] and 0 <= x + steps * dx < usable.shape[1]:
        if usable[y + steps * dy, x + steps * dx]:
            return steps
        steps += 1
    return 0


@jit
def _linear(data: np.ndarray, usable: np.ndarray, y: int, x: int) -> float:
    """Straight line between the nearest good pixels on both sides, along the row or the column, whichever
    gap is shorter (the row where they tie); NaN where both reach the border."""
    value, shortest = np.nan, 2**62
    for axis in range(2):
        dy, dx = axis, 1 - axis
        before = _steps_to_good(usable, y, x, -dy, -dx)
        after = _steps_to_good(usable, y, x, dy, dx)
        if before and after and before + after < shortest:
            shortest = before + after
            low, high = data[y - before * dy, x - before * dx], data[y + after * dy, x + after * dx]
            value = (after * low + before * high) / shortest
    return value


@jit
def interpolate(
    data: np.ndarray, usable: np.ndarray, ys: np.ndarray, xs: np.ndarray, method: int, largest_radius: int
) -> np.ndarray:
    """Values (n,) float32 for the pixels (ys, xs) of `data` (ny, nx) from the `usable` ones around them.

    IDW and MEDIAN take the smallest box, of radius 2 to `largest_radius`, that holds at least three good
    pixels (at the largest radius: one); LINEAR joins the nearest good pixels of the row or the column, and
    falls back to IDW at the border. NaN where nothing good is near.
    """
    values = np.empty(ys.size, dtype=np.float32)
    for n in range(ys.size):
        y, x = ys[n], xs[n]
        value = _linear(data, usable, y, x) if method == LINEAR else np.nan
        if np.isnan(value):
            radius = _radius_with_good(usable, y, x, largest_radius)
            if method == MEDIAN:
                value = _median(data, usable, y, x, radius)
            else:
                value = _inverse_distance(data, usable, y, x, radius)
        values[n] = value
    return values


@jit
def _radius_with_good(usable: np.ndarray, y: int, x: int, largest: int) -> int:
    radius = 2
    while radius < largest:
        box = usable[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        if box.sum() >= 3:
            return radius
        radius += 1
    return largest
