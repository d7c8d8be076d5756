"""Values for masked pixels from the good ones around them. The cost is that of the masked pixels."""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel
from mar.kernels.joining import first_of
from mar.kernels.left_out import bits_in

IDW, MEDIAN, LINEAR = 0, 1, 2
_FEW = 3  # good pixels that a box needs
_CHUNK = 64  # pixels that a thread takes at a time


@jit
def runs_of(mask: np.ndarray, bits: int, never: int) -> np.ndarray:
    """Runs (n, 3: y, x from and to) of pixels of `mask` (ny, nx) uint8 with any of `bits`, not `never`."""
    runs = [(0, 0, 0)]
    for y in range(mask.shape[0]):
        if not bits_in(mask[y]) & bits:
            continue
        start = -1
        for x in range(mask.shape[1]):
            asked = (mask[y, x] & bits) != 0 and (mask[y, x] & never) == 0
            if asked and start < 0:
                start = x
            elif start >= 0 and not asked:
                runs.append((y, start, x))
                start = -1
        if start >= 0:
            runs.append((y, start, mask.shape[1]))
    return _array(runs)


@jit
def runs_not_finite(data: np.ndarray) -> np.ndarray:
    """Runs (n, 3) of pixels of `data` (ny, nx) that are not finite: y, x from and to."""
    runs = [(0, 0, 0)]
    for y in range(data.shape[0]):
        lost = np.int32(0)
        for x in range(data.shape[1]):
            lost += np.int32(not abs(data[y, x]) < np.inf)
        if lost == 0:
            continue
        start = -1
        for x in range(data.shape[1]):
            finite = abs(data[y, x]) < np.inf
            if not finite and start < 0:
                start = x
            elif start >= 0 and finite:
                runs.append((y, start, x))
                start = -1
        if start >= 0:
            runs.append((y, start, data.shape[1]))
    return _array(runs)


@jit
def _array(runs):  # type: ignore[no-untyped-def]
    """A list of runs, without its first, as an array."""
    out = np.empty((len(runs) - 1, 3), dtype=np.int64)
    for n in range(1, len(runs)):
        out[n - 1, 0], out[n - 1, 1], out[n - 1, 2] = runs[n]
    return out


@jit
def group_areas(runs: np.ndarray) -> np.ndarray:
    """For each run (y, x from and to; by rows) the pixels of its group of touching runs, corners included."""
    parents = np.arange(runs.shape[0])
    first = 0  # of the runs that the next one may touch
    for n in range(runs.shape[0]):
        y, x0, x1 = runs[n]
        while first < n and (runs[first, 0] < y - 1 or (runs[first, 0] == y - 1 and runs[first, 2] < x0)):
            first += 1
        m = first
        while m < n and runs[m, 0] == y - 1 and runs[m, 1] <= x1:
            parents[first_of(parents, m)] = first_of(parents, n)
            m += 1
    areas = np.zeros(runs.shape[0], dtype=np.int64)
    for n in range(runs.shape[0]):
        areas[first_of(parents, n)] += runs[n, 2] - runs[n, 1]
    out = np.empty(runs.shape[0], dtype=np.int64)
    for n in range(runs.shape[0]):
        out[n] = areas[first_of(parents, n)]
    return out


@jit
def _usable(data: np.ndarray, mask: np.ndarray, bits: int, y: int, x: int) -> bool:
    return (mask.size == 0 or (mask[y, x] & bits) == 0) and abs(data[y, x]) < np.inf


@jit
def _gather(data, mask, bits, y, x, largest, values, weights):  # type: ignore[no-untyped-def]
    """Values and inverse squared distances of the good pixels of the smallest box that holds enough of them.

    The box has a radius of 2 to `largest`. Gives their number.
    """
    ny, nx = data.shape
    n = 0
    for radius in range(1, largest + 1):
        for j in range(max(0, y - radius), min(ny, y + radius + 1)):
            rim = abs(j - y) == radius
            for i in range(x - radius, x + radius + 1, 1 if rim else 2 * radius):
                if 0 <= i < nx and _usable(data, mask, bits, j, i):
                    values[n] = data[j, i]
                    weights[n] = 1.0 / ((j - y) ** 2 + (i - x) ** 2)
                    n += 1
        if radius >= 2 and n >= _FEW:
            break
    return n


@jit
def _steps_to_good(data, mask, bits, y, x, dy, dx, largest):  # type: ignore[no-untyped-def]
    """Steps along (dy, dx) to the first good pixel; 0 where the border or `largest` comes first."""
    for steps in range(1, largest + 1):
        j, i = y + steps * dy, x + steps * dx
        if not (0 <= j < data.shape[0] and 0 <= i < data.shape[1]):
            return 0
        if _usable(data, mask, bits, j, i):
            return steps
    return 0


@jit
def _linear(data: np.ndarray, mask: np.ndarray, bits: int, y: int, x: int, largest: int) -> float:
    """Straight line between the nearest good pixels on both sides, along the row or the column, whichever
    gap is shorter (the row where they tie); NaN where neither has both."""
    value, shortest = np.nan, 2**62
    for axis in range(2):
        dy, dx = axis, 1 - axis
        before = _steps_to_good(data, mask, bits, y, x, -dy, -dx, largest)
        after = _steps_to_good(data, mask, bits, y, x, dy, dx, largest)
        if before and after and before + after < shortest:
            shortest = before + after
            low, high = data[y - before * dy, x - before * dx], data[y + after * dy, x + after * dx]
            value = (after * low + before * high) / shortest
    return value


@jit
def _value(data, mask, bits, y, x, method, largest, values, weights):  # type: ignore[no-untyped-def]
    if method == LINEAR:
        value = _linear(data, mask, bits, y, x, largest)
        if not np.isnan(value):
            return value
    n = _gather(data, mask, bits, y, x, largest, values, weights)
    if n == 0:
        return np.nan
    if method == MEDIAN:
        return np.median(values[:n])
    return np.sum(values[:n] * weights[:n]) / np.sum(weights[:n])


@parallel_jit
def interpolate(
    data: np.ndarray,
    mask: np.ndarray,
    bits: int,
    ys: np.ndarray,
    xs: np.ndarray,
    method: int,
    largest_radius: int,
) -> np.ndarray:
    """Values (n,) float32 for the pixels (ys, xs) of `data` (ny, nx) from the good ones around them.

    Good are finite pixels with none of `bits` in `mask` ((0, 0) where there is none). IDW and MEDIAN take the
    smallest box, of radius 2 to `largest_radius`, that holds at least three good pixels (at the largest
    radius: one); LINEAR joins the nearest good pixels of the row or the column within that radius, and falls
    back to IDW where one is missing. NaN where nothing good is near.
    """
    out = np.empty(ys.size, dtype=np.float32)
    for chunk in rows_in_parallel((ys.size + _CHUNK - 1) // _CHUNK):
        values = np.empty((2 * largest_radius + 1) ** 2, dtype=np.float64)
        weights = np.empty(values.size, dtype=np.float64)
        for n in range(chunk * _CHUNK, min(ys.size, (chunk + 1) * _CHUNK)):
            out[n] = _value(data, mask, bits, ys[n], xs[n], method, largest_radius, values, weights)
    return out
