"""Runs of pixels above the detection threshold, and which of them hang together.

A run is a stretch of one row: (row, first column, column after the last). Bands of rows are searched side by
side and joined afterwards, so the result does not depend on them. Twin: scipy.ndimage.label in the tests.
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.joining import first_of
from mar.kernels.mesh import draw_row, steps_from

ROW, FIRST, STOP = range(3)
RUN_FIELDS = 3
NOISE_ROWS = 16  # the noise changes that slowly
SIXTEENTH = np.float32(1 / 16)  # of the sum of the pyramid's weights


@jit
def _difference(row: np.ndarray, sky: np.ndarray, out: np.ndarray) -> None:
    for x in range(out.size):
        value = row[x] - sky[x]
        out[x] = value if abs(value) < np.float32(np.inf) else np.float32(0.0)


@jit
def _left_out(bits: np.ndarray, excluded: np.uint8, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = out[x] if (bits[x] & excluded) == 0 else np.float32(0.0)


@jit
def _one_two_one(left: np.ndarray, middle: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = left[x] + np.float32(2.0) * middle[x] + right[x]


@jit
def _smoothed_row(row: np.ndarray, out: np.ndarray) -> None:
    """1-2-1 along the row; beyond its ends there is nothing."""
    last = row.size - 1
    _one_two_one(row[:-2], row[1:-1], row[2:], out[1:-1])
    out[0] = np.float32(2.0) * row[0] + (row[1] if last else np.float32(0.0))
    if last:
        out[last] = np.float32(2.0) * row[last] + row[last - 1]


@jit
def _scaled(values: np.ndarray, factor: np.float32, least: np.float32, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = max(values[x], least) * factor


@jit
def _next(values: np.ndarray, limits: np.ndarray, x: int, above: bool) -> int:
    """The first place from x on where the value is above its limit, or where it is not."""
    while x < values.size and (values[x] > limits[x]) != above:
        x += 1
    return x


@jit
def find_runs(
    data: np.ndarray,
    mask: np.ndarray,
    excluded: int,
    levels: np.ndarray,
    noises: np.ndarray,
    knots: np.ndarray,
    least_noise: float,
    threshold: float,
    y0: int,
    y1: int,
    runs: np.ndarray,
    pixels: np.ndarray,
) -> tuple[int, int]:
    """Runs of the rows y0 <= y < y1 whose smoothed values exceed `threshold` noises; how many, and pixels.

    `data` (ny, nx) float32; `mask` uint8, (0, 0) where there is none; `levels`, `noises` (ny, 4, pieces) are
    the cubics of the sky between `knots`. The smoothing is the pyramid 1-2-1 x 1-2-1. `runs` (room, 3) int32
    and `pixels` (room, 3) float32 are filled from their beginning; the pixels are those of the runs, in
    order: smoothed value, value and threshold, all above the sky.
    """
    nx = data.shape[1]
    sky, noise, smooth = np.empty(nx, np.float32), np.empty(nx, np.float32), np.empty(nx, np.float32)
    plain = np.zeros((3, nx), np.float32)
    sums = np.zeros((3, nx), np.float32)
    steps = steps_from(knots, nx)
    drawn = -1
    n, m = 0, 0
    for y in range(y0 - 1, y1 + 1):
        now = plain[(y + 3) % 3]
        now[:] = 0.0
        if 0 <= y < data.shape[0]:
            draw_row(levels[y], knots, steps, sky)
            _difference(data[y], sky, now)
            if mask.size:
                _left_out(mask[y], np.uint8(excluded), now)
        _smoothed_row(now, sums[(y + 3) % 3])
        row = y - 1  # the one whose neighbours are known by now
        if row < y0:
            continue
        if drawn != row // NOISE_ROWS:
            drawn = row // NOISE_ROWS
            draw_row(noises[drawn * NOISE_ROWS], knots, steps, noise)
            _scaled(noise, np.float32(16.0 * threshold), np.float32(least_noise), noise)
        _one_two_one(sums[(row + 2) % 3], sums[(row + 3) % 3], sums[(row + 4) % 3], smooth)
        values = plain[(row + 3) % 3]
        x = _next(smooth, noise, 0, True)
        while x < nx:
            first = x
            x = _next(smooth, noise, first, False)
            runs[n, ROW], runs[n, FIRST], runs[n, STOP] = row, first, x
            n += 1
            for i in range(first, x):
                pixels[m, 0], pixels[m, 1] = smooth[i] * SIXTEENTH, values[i]
                pixels[m, 2] = noise[i] * SIXTEENTH
                m += 1
            x = _next(smooth, noise, x, True)
    return n, m


@jit
def rows_of(runs: np.ndarray, ny: int) -> np.ndarray:
    """Index (ny + 1,) of the first run of each row; `runs` are in order of rows."""
    starts = np.zeros(ny + 1, np.int64)
    for i in range(runs.shape[0]):
        starts[runs[i, ROW] + 1] += 1
    for y in range(ny):
        starts[y + 1] += starts[y]
    return starts


@jit
def join_runs(runs: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Number (n,) of the group that each run belongs to; touching corners join. Groups count from 0."""
    n = runs.shape[0]
    parent = np.arange(n)
    for y in range(1, starts.size - 1):
        up, i = starts[y - 1], starts[y]
        while up < starts[y] and i < starts[y + 1]:
            if runs[up, FIRST] <= runs[i, STOP] and runs[i, FIRST] <= runs[up, STOP]:
                a, b = first_of(parent, up), first_of(parent, i)
                parent[max(a, b)] = min(a, b)
            if runs[up, STOP] < runs[i, STOP]:
                up += 1
            else:
                i += 1
    groups = np.empty(n, np.int64)
    count = 0
    for i in range(n):
        root = first_of(parent, i)
        if root == i:
            groups[i] = count
            count += 1
        else:
            groups[i] = groups[root]
    return groups
