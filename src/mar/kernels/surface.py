"""A coarse grid of levels drawn out to every pixel, and what leaves it. Twin: tests.naive.draw_out.

The amplifiers of a surface lie side by side in the same rows of an image and are all nx pixels wide;
amplifier a begins in column x0[a]. Its surface is `rows` (boxes in y, amplifiers x nx) float64, a's part from
a nx, and for each row y of the image the one to start from and how far it is on the way to the next:
rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y], as float32. It is drawn a row at a time and looked
at while it is in the cache; the image is read along its whole rows.
"""

import numpy as np

from mar.kernels.jit import jit, summing_jit
from mar.kernels.networks import sort_rows

GROUP = 32  # rows of which the highest departure is kept
_CHUNK = 1 << 11  # rows of boxes, in boxes: their pixels stay in the nearest cache while they are sorted
INFINITE = np.float32(np.inf)


@jit
def draw_along(values: np.ndarray, left: np.ndarray, share: np.ndarray, out: np.ndarray) -> None:
    """Linear between the columns of a grid of one amplifier after the other, float64.

    `values` (boxes in y, amplifiers, boxes in x) float32, `out` (boxes in y, amplifiers, nx): in column x
    values[left[x]] (1 - share[x]) + values[left[x] + 1] share[x].
    """
    for j in range(out.shape[0]):
        for a in range(out.shape[1]):
            for x in range(out.shape[2]):
                near, far = values[j, a, left[x]], values[j, a, left[x] + 1]
                out[j, a, x] = near * (1.0 - share[x]) + far * share[x]


@jit
def _depart(
    row: np.ndarray, near: np.ndarray, far: np.ndarray, share: float, off: np.ndarray, highest: np.ndarray
) -> None:
    for x in range(off.size):
        above = row[x] - np.float32(near[x] * (1.0 - share) + far[x] * share)
        known = above if above < INFINITE else INFINITE
        highest[x] = known if known > highest[x] else highest[x]
        off[x] = above


@jit
def departures(
    data: np.ndarray,
    x0: np.ndarray,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    y0: int,
    y1: int,
    step: int,
    sampled: np.ndarray,
    highest: np.ndarray,
) -> None:
    """How far the rows y0 <= y < y1 of `data` (ny, columns) float32 lie above a surface, float32.

    `sampled` (amplifiers, values) has every step-th pixel of each amplifier, row after row; `highest`
    (groups, amplifiers x nx) the highest of GROUP rows in each column, infinity where one is no number.
    y0 begins a group.
    """
    nx = rows.shape[1] // x0.size
    off = np.empty(nx, dtype=np.float32)
    for y in range(y0, y1):
        top = highest[y // GROUP]
        if y % GROUP == 0:
            top[:] = -INFINITE
        for a in range(x0.size):
            first, last = a * nx, (a + 1) * nx
            near, far = rows[left[y], first:last], rows[left[y] + 1, first:last]
            _depart(data[y, x0[a] : x0[a] + nx], near, far, share[y], off, top[first:last])
            k = -((-y * nx) // step)
            for x in range(k * step - y * nx, nx, step):
                sampled[a, k] = off[x]
                k += 1


@jit
def mark_above(
    data: np.ndarray,
    x0: np.ndarray,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    a: int,
    limit: np.float32,
    bad: np.uint8,
    highest: np.ndarray,
    mask: np.ndarray,
) -> None:
    """mask |= bad unless data - surface <= limit, in amplifier `a`; `highest` are from `departures`.

    `data` (ny, columns) float32 and `mask` uint8 of that shape.
    """
    nx = rows.shape[1] // x0.size
    for group in range(highest.shape[0]):
        for x in range(a * nx, (a + 1) * nx):
            if highest[group, x] <= limit and highest[group, x] < INFINITE:
                continue
            at = x0[a] + x - a * nx
            for y in range(group * GROUP, min(data.shape[0], (group + 1) * GROUP)):
                level = rows[left[y], x] * (1.0 - share[y]) + rows[left[y] + 1, x] * share[y]
                if not data[y, at] - np.float32(level) <= limit:
                    mask[y, at] |= bad


@jit
def _mix(near: np.ndarray, far: np.ndarray, share: float, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = near[x] * (1.0 - share) + far[x] * share


@jit
def _any_outside(row: np.ndarray, surface: np.ndarray, low: np.float32, high: np.float32) -> np.bool:
    number = np.int32(0)
    for x in range(row.size):
        good = (row[x] > 0) & (row[x] >= low * surface[x]) & (row[x] <= high * surface[x])
        number += np.int32(not good)
    return number > 0


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
    x0: np.ndarray,
    rows: np.ndarray,
    left: np.ndarray,
    share: np.ndarray,
    y0: int,
    y1: int,
    low: np.float32,
    high: np.float32,
    bad: np.uint8,
    mask: np.ndarray,
) -> None:
    """In the rows y0 <= y < y1 mask |= bad unless low surface <= data <= high surface, and data > 0.

    Arrays as of `mark_above`.
    """
    nx = rows.shape[1] // x0.size
    surface = np.empty(nx, dtype=np.float32)
    for y in range(y0, y1):
        for a in range(x0.size):
            first, last = a * nx, (a + 1) * nx
            _mix(rows[left[y], first:last], rows[left[y] + 1, first:last], share[y], surface)
            row = data[y, x0[a] : x0[a] + nx]
            if _any_outside(row, surface, low, high):
                _outside(row, surface, low, high, bad, mask[y, x0[a] : x0[a] + nx])


@jit
def _middle(ordered: np.ndarray, count: int, into: np.ndarray) -> None:
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    for k in range(count):
        into[k] = (low[k] + high[k]) / np.float32(2)


@jit
def _all_finite(row: np.ndarray) -> np.bool:
    number = np.int32(0)
    for x in range(row.size):
        number += np.int32(not abs(row[x]) < INFINITE)
    return number == 0


@jit
def _put_last(values: np.ndarray, known: np.ndarray) -> None:
    """Infinity for what is not finite in some rows of boxes, of which nothing is known then."""
    for k in range(values.size):
        if not abs(values[k]) < INFINITE:
            values[k] = INFINITE
            known[k % known.size] = False


@jit
def box_medians(
    data: np.ndarray,
    ys: np.ndarray,
    xs: np.ndarray,
    network_x: np.ndarray,
    network_y: np.ndarray,
    medians: np.ndarray,
    known: np.ndarray,
) -> None:
    """The median of the medians of the rows of each box of a grid, of some of its rows and columns.

    `ys` (boxes in y, places) and `xs` (boxes in x, places) are the rows and columns that are looked at, and
    the networks sort as many values as there are places. Where `known` (boxes in y, boxes in x) becomes
    False, a value is not finite, and the median is not right.
    """
    places_y, (boxes, places_x) = ys.shape[1], xs.shape
    many = max(1, _CHUNK // (boxes * places_x))
    values = np.empty((places_x, many * boxes), dtype=np.float32)
    middle = np.empty((places_y, boxes), dtype=np.float32)
    for j in range(len(ys)):
        known[j] = True
        for start in range(0, places_y, many):
            stop = min(places_y, start + many)
            width = (stop - start) * boxes
            for p in range(start, stop):
                row = data[ys[j, p]]
                for i in range(boxes):
                    for k in range(places_x):
                        values[k, (p - start) * boxes + i] = row[xs[i, k]]
            for k in range(places_x):
                if not _all_finite(values[k, :width]):
                    _put_last(values[k, :width], known[j])
            sort_rows(values, width, network_x)
            _middle(values, width, middle[start:stop].reshape(-1))
        sort_rows(middle, boxes, network_y)
        _middle(middle, boxes, medians[j])


@summing_jit
def _mean(values: np.ndarray) -> float:
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total / values.size


@summing_jit
def _deviation(values: np.ndarray) -> float:
    mean, total = _mean(values), 0.0
    for k in range(values.size):
        off = values[k] - mean
        total += off * off
    return np.sqrt(total / values.size)


@jit
def upper_limit(ordered: np.ndarray, sigmas: float, rounds: int) -> float:
    """What clipping about the median comes to: `sigmas` standard deviations above it; NaN of nothing.

    `ordered` (n,) float32 ascend, so that what is kept is a range and its median in the middle.
    """
    first, last, limit = 0, ordered.size, np.nan
    for _ in range(rounds if last else 0):
        low, high = ordered[(first + last - 1) // 2], ordered[(first + last) // 2]
        centre = (np.float64(low) + np.float64(high)) / 2
        reach = sigmas * _deviation(ordered[first:last])
        limit = centre + reach
        begin, end = first, last
        while centre - ordered[begin] > reach:
            begin += 1
        while ordered[end - 1] - centre > reach:
            end -= 1
        if (begin, end) == (first, last):
            break
        first, last = begin, end
    return limit
