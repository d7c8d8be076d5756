"""A coarse grid of levels drawn out to every pixel, and what leaves it. Twin: tests.naive.draw_out.

A surface is `rows` (boxes in y, nx) float64 with, for each row y of the image, the one to start from and how
far it is on the way to the next: rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y], as float32.
It is drawn a row at a time and compared at once, while it is in the cache.
"""

import numpy as np

from mar.kernels.jit import jit, summing_jit
from mar.kernels.networks import sort_rows


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


@jit
def _middle(ordered: np.ndarray, count: int, into: np.ndarray) -> None:
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    for k in range(count):
        into[k] = (low[k] + high[k]) / np.float32(2)


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
    values = np.empty((places_x, places_y * boxes), dtype=np.float32)
    middle = np.empty((places_y, boxes), dtype=np.float32)
    for j in range(len(ys)):
        known[j] = True
        for p in range(places_y):
            row = data[ys[j, p]]
            for i in range(boxes):
                for k in range(places_x):
                    value = row[xs[i, k]]
                    finite = abs(value) < np.inf
                    values[k, p * boxes + i] = value if finite else np.float32(np.inf)
                    known[j, i] &= finite
        sort_rows(values, places_y * boxes, network_x)
        _middle(values, places_y * boxes, middle.reshape(-1))
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
