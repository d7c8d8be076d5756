"""Sums along straight lines of an image: binning, and the fast Radon transform.

The transform adds ever longer pieces of lines, two neighbours at a time (Goetz & Druckmueller 1996, Pattern
Recognition 29, 711; Brady 1998, SIAM J. Comput. 27, 107), so that it gives the sums over short pieces of
lines on its way (Nir, Zackay & Ofek 2018, AJ 156, 229).
"""

import numpy as np

from mar.kernels.jit import jit

BLOCK = 128  # columns passed over together where no line is strong
ROUGHLY = 0.999  # of single precision: rather a line too many for the closer look


@jit
def bin_mean(
    data: np.ndarray, mask: np.ndarray, bits: int, factor: int, mean: np.ndarray, count: np.ndarray
) -> None:
    """Means of the good pixels in squares of `factor` pixels, and how many there are.

    `data` (ny, nx), `mask` uint8 of that shape; pixels with any of `bits`, and those that are not finite, are
    left out. `mean` float32 and `count` int32 are (ceil(ny / factor), ceil(nx / factor)); the mean of nothing
    is 0.
    """
    ny, nx = data.shape
    for j in range(mean.shape[0]):
        sums = np.zeros(nx, dtype=np.float32)
        good = np.zeros(nx, dtype=np.int32)
        for y in range(j * factor, min(ny, (j + 1) * factor)):
            row, marked = data[y], mask[y]
            for x in range(nx):
                value = np.float32(row[x])
                known = (marked[x] & bits) == 0 and abs(value) < np.inf
                sums[x] += value if known else np.float32(0)
                good[x] += 1 if known else 0
        for i in range(mean.shape[1]):
            total, number = 0.0, 0
            for x in range(i * factor, min(nx, (i + 1) * factor)):
                total += sums[x]
                number += good[x]
            count[j, i] = number
            mean[j, i] = total / number if number > 0 else 0.0


@jit
def _added(below: np.ndarray, above: np.ndarray, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = below[x] + above[x]


@jit
def _join_pairs(strips: np.ndarray, height: int, start: int, joined: np.ndarray) -> None:
    """From strips of `height` rows to those of twice as many, from column `start` on."""
    columns = strips.shape[1]
    for first in range(0, strips.shape[0], 2 * height):
        for k in range(2 * height):
            below, above = strips[first + k // 2], strips[first + height + k // 2]
            moved, out = k - k // 2, joined[first + k]
            end = max(columns - moved, start)
            _added(below[start:end], above[start + moved :], out[start:end])
            out[end:] = below[end:]


@jit
def join_strips(
    strips: np.ndarray, spare: np.ndarray, height: int, wanted: int, empty: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums along lines through strips of `wanted` rows from those through strips of `height` rows.

    `strips` (rows, columns): rows s to s + height - 1 belong to one strip, and row s + k holds, by the column
    where they begin, the sums along lines that move k columns to the right within it. The first `empty`
    columns of the image hold nothing but 0; `spare`, of the same shape, begins as 0. Both change. Gives first
    the one that holds the sums. All strips that are joined into one are joined at once, while they are in
    the cache.
    """
    for first in range(0, strips.shape[0], wanted):
        below, above = strips[first : first + wanted], spare[first : first + wanted]
        now = height
        while now < wanted:
            _join_pairs(below, now, max(empty - 2 * now + 1, 0), above)
            below, above = above, below
            now *= 2
    now = height
    while now < wanted:
        strips, spare = spare, strips
        now *= 2
    return strips, spare


@jit
def _any_strong(a, b, n, m, least, square):  # type: ignore[no-untyped-def]
    """Whether the sums of any two neighbours could be of `least` values and, over their root, of `square`."""
    number = np.int32(0)
    for x in range(a.size):
        total, known = a[x] + b[x], n[x] + m[x]
        number += np.int32((known >= least) & (total > 0) & (total * total >= square * known))
    return number > 0


@jit
def strongest_lines(
    light: np.ndarray,
    known: np.ndarray,
    height: int,
    least: float,
    usual: tuple[float, float],
    limit: float,
    tile: int,
    best: np.ndarray,
) -> int:
    """The most significant pairs of neighbouring lines of each tile of the transform, into `best` (n, 4).

    `light` and `known` are sums along lines through strips of `height` rows: of values with a noise of one,
    and of how many there are. `usual` is the median and scatter of light over the root of known. A line
    counts with at least `least` values and `limit` such scatters above that median: its significance. A row
    of `best` is that, the first row of the strip, the columns moved, and the column where it begins. Gives
    their number, never more than the rows of `best`.
    """
    rows, columns = light.shape
    lowest_sum = np.float32(usual[0] + limit * usual[1])
    roughly, square = np.float32(ROUGHLY * least), np.float32(ROUGHLY * lowest_sum**2)
    across = (columns + tile - 1) // tile
    peak = np.zeros(across, dtype=np.float32)
    at = np.zeros((across, 2), dtype=np.int64)
    found = 0
    for first in range(0, rows, height):
        for lowest in range(0, height, tile):
            peak[:] = 0
            for k in range(lowest, min(height, lowest + tile)):
                a, n = light[first + k], known[first + k]
                for start in range(0, columns - 1, BLOCK):
                    stop = min(columns - 1, start + BLOCK)
                    here, beside = slice(start, stop), slice(start + 1, stop + 1)
                    if not _any_strong(a[here], a[beside], n[here], n[beside], roughly, square):
                        continue
                    for x in range(start, stop):
                        number = n[x] + n[x + 1]
                        total = a[x] + a[x + 1]
                        if number >= least and total > 0:
                            strength = total / np.sqrt(number)
                            if strength > peak[x // tile]:
                                peak[x // tile] = strength
                                at[x // tile, 0], at[x // tile, 1] = k, x
            for i in range(across):
                if peak[i] >= lowest_sum and found < best.shape[0]:
                    best[found, 0] = (peak[i] - usual[0]) / usual[1]
                    best[found, 1], best[found, 2], best[found, 3] = first, at[i, 0], at[i, 1] + 0.5
                    found += 1
    return found


@jit
def strength_along(
    light: np.ndarray, known: np.ndarray, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, float]:
    """Significance of the light within a pixel of the line from (x0, y0) to (x1, y1), and the values counted.

    `light` (ny, nx) has a noise of one where `known` is 1, and is 0 where that is 0.
    """
    ny, nx = light.shape
    steep = abs(y1 - y0) >= abs(x1 - x0)
    if steep:
        x0, y0, x1, y1, nx, ny = y0, x0, y1, x1, ny, nx
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    slope = (y1 - y0) / max(x1 - x0, 1e-9)
    total, number = 0.0, 0.0
    for x in range(max(0, int(np.ceil(x0))), min(nx - 1, int(np.floor(x1))) + 1):
        lower = int(np.floor(y0 + slope * (x - x0)))
        for y in (lower, lower + 1):
            if 0 <= y < ny:
                total += light[x, y] if steep else light[y, x]
                number += known[x, y] if steep else known[y, x]
    return total / np.sqrt(max(number, 1.0)), number
