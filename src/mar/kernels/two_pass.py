"""Lanczos interpolation in two passes: along the columns to the line of an output row, then along that line.

A row of the output crosses the input on a line that is almost straight and almost level. The first pass gives
the image where that line meets each input column, the second interpolates between those values (Catmull &
Smith 1980, SIGGRAPH 14, 279). That is twice 6 taps in place of 6 x 6, and contiguous for the processor. The
weights of the taps are polynomials of the phase (error below 6e-6), so that no position is rounded.
"""

import math
from functools import cache

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.resample import TAPS, lanczos_weights

TERMS = 4  # of the even and of the odd part of a weight: degree 7


def tap_polynomials(order: int) -> np.ndarray:
    """Coefficients (order, 2, TERMS): the even and the odd part of the outermost pair of taps, then inwards.

    At phase t - 1/2 the tap is even + odd, its mirror image even - odd; the parts are polynomials in t^2, the
    odd one times t.
    """
    phase = (np.cos(np.pi * (np.arange(200) + 0.5) / 200) + 1) / 2
    weights = lanczos_weights(np.arange(2 * order) - (order - 1) - phase[:, None], order)
    t = phase - 0.5
    powers = t[:, None] ** (2 * np.arange(TERMS))
    first, mirrored = weights[:, :order], weights[:, ::-1][:, :order]
    even = np.linalg.lstsq(powers, (first + mirrored) / 2, rcond=None)[0]
    odd = np.linalg.lstsq(powers * t[:, None], (first - mirrored) / 2, rcond=None)[0]
    return np.stack([even.T, odd.T], axis=1)


@jit
def _steps(phase: float, slope: float, most: int) -> int:
    """How many of `most` steps of `slope` a phase takes until it leaves 0 to 1."""
    room = 1.0 - phase if slope > 0 else phase
    if abs(slope) * most <= room:
        return most
    return max(1, min(most, int(room / abs(slope)) + 1))


def resample(
    image: np.ndarray,
    bad: np.ndarray,
    first_row: int,
    lattice: np.ndarray,
    step: int,
    first_output_row: int,
    interpolation: str,
    values: np.ndarray,
    weights: np.ndarray,
) -> None:
    """As mar.kernels.resample.resample, for a Lanczos `interpolation` and an input column that grows along x.

    A pixel is inside where the line of its row stays among the input rows as far as its taps reach.
    """
    terms = _terms(TAPS[interpolation] // 2)
    _resample(image, bad, first_row, lattice, step, first_output_row, terms, values, weights)


@cache
def _terms(order: int) -> tuple[np.float32, ...]:
    """The coefficients in a row: the compiler knows the length of a tuple, and unrolls the taps."""
    return tuple(np.float32(term) for term in tap_polynomials(order).ravel())


@jit
def _blend(terms, pixels, start, stride, phase, slope, n, out, to):  # type: ignore[no-untyped-def]
    order = len(terms) // (2 * TERMS)
    taps = 2 * order
    # unsigned indices of flat arrays: the compiler then adds no check for negative ones
    for k in range(n):
        at = start + np.uint64(k)
        t = phase + slope * np.float32(k)
        tt = t * t
        total = np.float32(0)
        for j in range(order):
            a = pixels[at + np.uint64(j) * stride]
            b = pixels[at + np.uint64(taps - 1 - j) * stride]
            even = terms[8 * j + 2] + tt * terms[8 * j + 3]
            even = terms[8 * j] + tt * (terms[8 * j + 1] + tt * even)
            odd = terms[8 * j + 6] + tt * terms[8 * j + 7]
            odd = terms[8 * j + 4] + tt * (terms[8 * j + 5] + tt * odd)
            total += even * (a + b) + t * odd * (a - b)
        out[to + np.uint64(k)] = total


@jit
def _along_columns(terms, pixels, flags, ny, nx, x, y, line, line_bad):  # type: ignore[no-untyped-def]
    order = len(terms) // (2 * TERMS)
    before = order - 1
    # where the line through the nodes (x, y) meets the columns
    width = np.uint64(nx)
    last = x.size - 2
    for cell in range(last + 1):
        first = math.ceil(x[cell]) if cell else math.floor(x[0]) - before
        stop = math.ceil(x[cell + 1]) if cell < last else math.floor(x[cell + 1]) + order + 1
        first, stop = max(0, first), min(nx, stop)
        slope = (y[cell + 1] - y[cell]) / (x[cell + 1] - x[cell])
        column = first
        while column < stop:
            at = y[cell] + (column - x[cell]) * slope
            low = math.floor(at)
            n = _steps(at - low, slope, stop - column)
            if low < before or low + order >= ny:
                low, at = before, before + 0.5  # outside: any value will do
            start = np.uint64(low - before) * width + np.uint64(column)
            phase = np.float32(at - low - 0.5)
            _blend(terms, pixels, start, width, phase, np.float32(slope), n, line, np.uint64(column))
            column += n
        column = first
        while column < stop:
            at = y[cell] + (column - x[cell]) * slope + 0.5
            near = math.floor(at)
            n = _steps(at - near, slope, stop - column)
            start = np.uint64(min(max(near, 0), ny - 1)) * width + np.uint64(column)
            for k in range(n):
                line_bad[np.uint64(column) + np.uint64(k)] = flags[start + np.uint64(k)]
            column += n


@jit
def _along_line(terms, line, line_bad, ny, nodes, step, first, n, values, weights):  # type: ignore[no-untyped-def]
    order = len(terms) // (2 * TERMS)
    before = order - 1
    # output pixels first <= column < first + n, all of one cell of the lattice
    cell = first // step
    x, x_slope = nodes[0, cell], (nodes[0, cell + 1] - nodes[0, cell]) / step
    y, y_slope = nodes[1, cell], (nodes[1, cell + 1] - nodes[1, cell]) / step
    level, level_slope = nodes[2, cell], (nodes[2, cell + 1] - nodes[2, cell]) / step
    factor, factor_slope = nodes[3, cell], (nodes[3, cell + 1] - nodes[3, cell]) / step
    weight, weight_slope = nodes[4, cell], (nodes[4, cell + 1] - nodes[4, cell]) / step
    nx = line.size
    reach = order * abs(y_slope / x_slope)
    high, low = max(y, y + n * y_slope) + reach, min(y, y + n * y_slope) - reach
    if high < before or low >= ny - order or x + n * x_slope < before or x >= nx - order:
        for k in range(first, first + n):
            values[k] = 0
            weights[k] = 0
        return
    inside = low >= before and high < ny - order and x >= before and x + n * x_slope < nx - order
    k = 0
    while k < n:
        at = x + k * x_slope
        left = math.floor(at)
        y_at = y + k * y_slope
        run = _steps(at - left, x_slope - 1.0, n - k) if inside else 1
        if not inside and (
            left < before or left + order >= nx or y_at - reach < before or y_at + reach >= ny - order
        ):
            values[first + k] = 0
            weights[first + k] = 0
            k += 1
            continue
        to = np.uint64(first + k)
        phase, slope = np.float32(at - left - 0.5), np.float32(x_slope - 1.0)
        _blend(terms, line, np.uint64(left - before), np.uint64(1), phase, slope, run, values, to)
        done = 0
        while done < run:
            near = math.floor(at + done * x_slope + 0.5)
            same = _steps(at + done * x_slope + 0.5 - near, x_slope - 1.0, run - done)
            level_at = np.float32(level + (k + done) * level_slope)
            factor_at = np.float32(factor + (k + done) * factor_slope)
            weight_at = np.float32(weight + (k + done) * weight_slope)
            a, b, c = np.float32(level_slope), np.float32(factor_slope), np.float32(weight_slope)
            start, here = np.uint64(near), to + np.uint64(done)
            for i in range(same):
                u, f = np.uint64(i), np.float32(i)
                values[here + u] = (values[here + u] - (level_at + f * a)) * (factor_at + f * b)
                sign = np.float32(1) if line_bad[start + u] == 0 else np.float32(-1)
                weights[here + u] = sign * (weight_at + f * c)
            done += same
        k += run


@jit
def _resample(image, bad, first_row, lattice, step, first_output_row, terms, values, weights):  # type: ignore[no-untyped-def]
    ny, nx = image.shape
    pixels, flags = image.ravel(), bad.ravel()
    columns = values.shape[1]
    line = np.empty(nx, np.float32)
    line_bad = np.empty(nx, np.uint8)
    for row in range(values.shape[0]):
        cell_y = (first_output_row + row) // step
        down = ((first_output_row + row) % step) / step
        nodes = lattice[:, cell_y] + down * (lattice[:, cell_y + 1] - lattice[:, cell_y])
        nodes[1] -= first_row
        _along_columns(terms, pixels, flags, ny, nx, nodes[0], nodes[1], line, line_bad)
        for first in range(0, columns, step):
            n = min(step, columns - first)
            _along_line(terms, line, line_bad, ny, nodes, step, first, n, values[row], weights[row])
