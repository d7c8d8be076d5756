"""Level and noise of the sky in the cells of a mesh, and the smooth sky drawn from them.

The rule is SExtractor's (Bertin & Arnouts 1996): a cell's values are cut once about their mean, counted in a
histogram, and the histogram is cut about its median until it no longer changes. Twin:
tests.naive_sources.cell_level.
"""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit, summing_jit

FIRST_CUT = 2.0  # sigma about the mean of all values
REACH = 5.0  # sigma on either side that the histogram covers
MOST_BINS = 4096
BINS_PER_VALUE = 0.997356  # sqrt(2 / pi) REACH / 4: four values in the fullest bin
ROUNDS = 100
COUNTED_AT_ONCE = 1024
CROWDED = 0.3  # mean and median further apart than this many sigma: the median is the safer level


@summing_jit
def _moments(values: np.ndarray, low: np.float32, high: np.float32) -> tuple[int, float, float]:
    """Number, mean and standard deviation of the values from low to high."""
    n, total, squares = 0, 0.0, 0.0
    first = np.float64(values[0])
    for i in range(values.size):
        inside = low <= values[i] <= high
        offset = np.float64(values[i]) - first if inside else 0.0
        n += inside
        total += offset
        squares += offset * offset
    if n == 0:
        return 0, 0.0, 0.0
    mean = total / n
    return n, mean + first, np.sqrt(max(squares / n - mean * mean, 0.0))


@jit
def _counted(values: np.ndarray, width: np.float32, offset: np.float32, bins: np.ndarray) -> None:
    """Count the values in `bins`; those beyond its ends in none."""
    places = np.empty(COUNTED_AT_ONCE, np.int32)
    counts = np.zeros(bins.size + 1, np.int32)  # the last takes what lies outside
    high = np.float32(bins.size)
    for start in range(0, values.size, COUNTED_AT_ONCE):
        part = values[start : start + COUNTED_AT_ONCE]
        for i in range(part.size):
            place = part[i] / width + offset
            places[i] = np.int32(place if np.float32(0.0) <= place < high else high)
        for i in range(part.size):
            counts[places[i]] += np.int32(1)
    for i in range(bins.size):
        bins[i] = counts[i]


@summing_jit
def _bin_sums(bins: np.ndarray, low: int, high: int) -> tuple[int, float, float]:
    """Number, sum and sum of squares of the places of what is counted in bins low..high."""
    n, total, squares = 0, 0.0, 0.0
    for i in range(low, high + 1):
        n += bins[i]
        total += np.float64(bins[i]) * i
        squares += np.float64(bins[i]) * i * i
    return n, total, squares


@jit
def _histogram_median(bins: np.ndarray, low: int, high: int) -> float:
    """Where the counts of bins low..high halve, from both ends inwards, interpolated between two bins."""
    i, j = low, high
    below, above = 0, 0
    for _ in range(low, high + 1):
        if below < above:
            below += bins[i]
            i += 1
        else:
            above += bins[j]
            j -= 1
    if j < 0:
        return 0.0
    return j + 0.5 + (above - below) / (2.0 * max(bins[i], bins[j], 1))


@jit
def _clipped_bins(bins: np.ndarray, clip_sigma: float) -> tuple[float, float, float]:
    """Median, mean and standard deviation, in bins, once cutting about the median changes nothing more."""
    low, high = 0, bins.size - 1
    median, mean, sigma, before = 0.0, 0.0, 10.0 * bins.size, 1.0
    for _ in range(ROUNDS):
        if sigma < 0.1 or abs(sigma / before - 1.0) <= 1e-4:
            break
        before = sigma
        n, total, squares = _bin_sums(bins, low, high)
        median = _histogram_median(bins, low, high)
        mean = total / max(n, 1)
        sigma = np.sqrt(max(squares / max(n, 1) - mean * mean, 0.0))
        low = max(0, int(median - clip_sigma * sigma + 0.5))
        high = min(bins.size - 1, int(median + clip_sigma * sigma + 0.5))
    return median, mean, sigma


@jit
def clipped_level(values: np.ndarray, clip_sigma: float) -> tuple[float, float]:
    """Mode and clipped standard deviation of finite values (n,), n > 0."""
    _, mean, sigma = _moments(values, np.float32(-np.inf), np.float32(np.inf))
    low, high = np.float32(mean - FIRST_CUT * sigma), np.float32(mean + FIRST_CUT * sigma)
    n, mean, sigma = _moments(values, low, high)
    if not sigma > 0.0:
        return mean, 0.0
    bins = np.empty(min(MOST_BINS, int(BINS_PER_VALUE * n + 1)), np.int32)
    # single precision as SExtractor has it: a pixel in the next bin can end the clipping a round earlier
    width = np.float32(2.0 * REACH * np.float32(sigma) / bins.size)
    zero = np.float32(np.float32(mean) - REACH * np.float32(sigma))
    offset = np.float32(0.499999 - zero / width)
    _counted(values, width, offset, bins)
    median, mean, sigma = _clipped_bins(bins, clip_sigma)
    if not (sigma > 0.0 and abs(mean - median) >= CROWDED * sigma):
        median = 2.5 * median - 1.5 * mean  # Da Costa's estimate of the mode
    return float(zero + median * width), float(sigma * width)


@jit
def _row_into(
    row: np.ndarray, mask: np.ndarray, bits: np.uint8, start: int, stop: int, stride: int, out: np.ndarray
) -> int:
    """Copy every `stride`-th usable value from start to stop of a row; gives how many; no `mask` is empty."""
    left_out = 0
    for x in range(start, stop):
        left_out += not abs(row[x]) < np.float32(np.inf)
    if mask.size:
        for x in range(start, stop):
            left_out += (mask[x] & bits) != 0
    good = 0
    if left_out == 0:
        for x in range(start, stop, stride):
            out[good] = row[x]
            good += 1
        return good
    for x in range(start, stop, stride):
        out[good] = row[x]
        good += abs(row[x]) < np.float32(np.inf) and (mask.size == 0 or (mask[x] & bits) == 0)
    return good


@jit
def mesh_row(
    rows: np.ndarray,
    mask: np.ndarray,
    bits: int,
    cell_edges: np.ndarray,
    stride: int,
    clip_sigma: float,
    level: np.ndarray,
    rms: np.ndarray,
) -> None:
    """Level and rms (cells,) of the cells of a mesh row; NaN where under a quarter of the pixels are usable.

    `rows` (n, nx) holds all rows of the cells, `cell_edges` (cells + 1,) the columns between which they lie;
    pixels whose `mask` ((0, 0) where there is none) has one of `bits`, and those that are not finite, are
    left out. Every `stride`-th pixel of every `stride`-th row is looked at.
    """
    nothing = np.empty(0, np.uint8)
    for cell in range(level.size):
        start, stop = cell_edges[cell], cell_edges[cell + 1]
        height, width = (rows.shape[0] - 1) // stride + 1, (stop - start - 1) // stride + 1
        looked_at = height * width
        good = 0
        sample = np.empty(looked_at, dtype=np.float32)
        for y in range(0, rows.shape[0], stride):
            masked = mask[y] if mask.size else nothing
            good += _row_into(rows[y], masked, np.uint8(bits), start, stop, stride, sample[good:])
        level[cell] = np.nan
        rms[cell] = np.nan
        if good >= 3 and 4 * good >= looked_at:
            level[cell], rms[cell] = clipped_level(sample[:good], clip_sigma)


@jit
def steps_from(knots: np.ndarray, nx: int) -> np.ndarray:
    """How far each of nx pixels is from the knot that its piece begins at."""
    steps = np.empty(nx, np.float32)
    for x in range(nx):
        steps[x] = x - knots[_piece_of(knots, x)]
    return steps


@jit
def _piece_of(knots: np.ndarray, x: float) -> int:
    """The piece that pixel x lies in; the first and the last piece go on beyond their knots."""
    low, high = 0, knots.size - 2
    while low < high:
        middle = (low + high + 1) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle - 1
    return low


@jit
def _draw_piece(
    a: np.float32, b: np.float32, c: np.float32, d: np.float32, step: np.ndarray, out: np.ndarray
) -> None:
    for x in range(out.size):
        out[x] = ((a * step[x] + b) * step[x] + c) * step[x] + d


@jit
def draw_row(cubics: np.ndarray, knots: np.ndarray, steps: np.ndarray, out: np.ndarray) -> None:
    """The cubics (4, pieces) of a row between `knots` (pieces + 1,) in all pixels of `out` (float32)."""
    start = 0
    for piece in range(knots.size - 1):
        stop = out.size if piece == knots.size - 2 else min(out.size, max(0, int(np.ceil(knots[piece + 1]))))
        a, b = np.float32(cubics[0, piece]), np.float32(cubics[1, piece])
        c, d = np.float32(cubics[2, piece]), np.float32(cubics[3, piece])
        _draw_piece(a, b, c, d, steps[start:stop], out[start:stop])
        start = max(start, stop)


@jit
def draw_point(cubics: np.ndarray, knots: np.ndarray, x: int) -> float:
    """The cubics of a row at pixel x."""
    piece = _piece_of(knots, x)
    step = x - knots[piece]
    value = (cubics[0, piece] * step + cubics[1, piece]) * step + cubics[2, piece]
    return value * step + cubics[3, piece]


@jit
def less_sky(
    row: np.ndarray, cubics: np.ndarray, knots: np.ndarray, start: int, stop: int, out: np.ndarray
) -> None:
    """The pixels start to stop of a row without its sky, that of `draw_point`, into `out` from its begin."""
    x = start
    while x < stop:
        piece = _piece_of(knots, x)
        last = piece == knots.size - 2
        end = stop if last else min(stop, int(np.ceil(knots[piece + 1])))
        a, b, c, d = cubics[0, piece], cubics[1, piece], cubics[2, piece], cubics[3, piece]
        for i in range(x, end):
            step = i - knots[piece]
            out[i - start] = np.float32(row[i] - (((a * step + b) * step + c) * step + d))
        x = end


@jit
def draw_rows(cubics: np.ndarray, knots: np.ndarray, out: np.ndarray) -> None:
    """`draw_row` for each row: `cubics` (ny, 4, pieces), `out` (ny, nx) float32."""
    steps = steps_from(knots, out.shape[1])
    for y in range(out.shape[0]):
        draw_row(cubics[y], knots, steps, out[y])


class Sky(NamedTuple):
    """A smooth sky of which any part can be drawn where it is needed; nobody holds all of it."""

    knots: np.ndarray  #: columns (pieces + 1,) between which the cubics lie
    rows: np.ndarray  #: their coefficients (ny, 4, pieces)


@jit
def draw_part(sky: Sky, y: int, x0: int, out: np.ndarray) -> None:
    """The sky of row y from column x0 on, in all of `out` (float32): the same values as of `draw_row`."""
    knots, last = sky.knots, sky.knots.size - 2
    stop = x0 + out.size
    piece, x = _piece_of(knots, x0), x0
    while x < stop:
        end = stop if piece == last else max(x, min(stop, int(np.ceil(knots[piece + 1]))))
        cubics = sky.rows[y, :, piece]
        a, b = np.float32(cubics[0]), np.float32(cubics[1])
        c, d = np.float32(cubics[2]), np.float32(cubics[3])
        _draw_from(a, b, c, d, np.float64(x) - knots[piece], out[x - x0 : end - x0])
        piece, x = piece + 1, end


@jit
def _draw_from(
    a: np.float32, b: np.float32, c: np.float32, d: np.float32, first: float, out: np.ndarray
) -> None:
    for x in range(out.size):
        step = np.float32(first + np.float64(x))
        out[x] = ((a * step + b) * step + c) * step + d


@jit
def sky_at(sky: Sky, y: int, x: int) -> np.float32:
    """The sky of one pixel, as `draw_part` has it."""
    piece = _piece_of(sky.knots, x)
    cubics = sky.rows[y, :, piece]
    step = np.float32(x - sky.knots[piece])
    value = (np.float32(cubics[0]) * step + np.float32(cubics[1])) * step + np.float32(cubics[2])
    return np.float32(value * step + np.float32(cubics[3]))
