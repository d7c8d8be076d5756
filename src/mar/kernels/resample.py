"""Interpolation of an image at the positions of another grid's pixels.

The twin of SWarp's resampling (Bertin et al. 2002): an interpolating function of 2 to 8 taps a side,
tabulated in 1024 phases per pixel, so that a position is rounded by at most 1/2048 pixel. Unlike there, the
weights of the Lanczos functions are corrected by some thousandths so that they reproduce a plane exactly:
plain Lanczos-3 moves a star by up to 0.02 pixel, 11 mas at 0.55 arcsec/pixel, depending on its phase.
"""

import math
from functools import cache

import numpy as np

from mar.kernels.jit import jit

PHASES = 1024
TAPS = {"nearest": 2, "bilinear": 2, "lanczos2": 4, "lanczos3": 6, "lanczos4": 8}


@cache
def interpolation_table(name: str) -> np.ndarray:
    """Weights (PHASES + 1, taps) float32 of the interpolation `name`; each row sums to one.

    Row p serves a position p / PHASES of a pixel right of tap number taps / 2 - 1. Raises KeyError for names
    that it does not know.
    """
    taps = TAPS[name]
    phase = np.arange(PHASES + 1)[:, None] / PHASES
    distance = np.arange(taps)[None, :] - (taps // 2 - 1) - phase
    if name == "nearest":
        weights = np.column_stack([phase < 0.5, phase >= 0.5]).astype(float)
    elif name == "bilinear":
        weights = 1 - np.abs(distance)
    else:
        weights = lanczos_weights(distance, taps // 2)
    return weights.astype(np.float32)


def lanczos_weights(distance: np.ndarray, order: int) -> np.ndarray:
    """Lanczos weights plus window times (a + b distance), such that constants and planes come out exactly."""
    weights = np.sinc(distance) * np.sinc(distance / order)
    window = np.cos(np.pi * distance / (2 * order)) ** 2
    weights[np.abs(distance) >= order] = window[np.abs(distance) >= order] = 0
    moments = [(window * distance**power).sum(axis=1) for power in range(3)]
    missing = np.stack([1 - weights.sum(axis=1), -(weights * distance).sum(axis=1)], axis=-1)
    matrix = np.stack([np.stack(moments[:2], axis=-1), np.stack(moments[1:], axis=-1)], axis=-2)
    a, b = np.linalg.solve(matrix, missing[..., None])[..., 0].T
    return weights + window * (a[:, None] + b[:, None] * distance)


def resample(
    image: np.ndarray,
    bad: np.ndarray,
    first_row: int,
    lattice: np.ndarray,
    step: int,
    first_output_row: int,
    table: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Fill the output rows `values` and `weights` (rows, nx) float32 from a window of an input image.

    `image` (float32) and `bad` (uint8, 0 = good) hold the input rows from `first_row` on. `lattice`
    (5, my, mx) float64 tells at every `step`-th output pixel: input column, input row, level to be
    subtracted, factor for what is left, weight. Pixels whose taps leave the window get value and weight 0.
    Where the nearest input pixel is bad the weight is negative: there is a value, but one not to be trusted.
    """
    # the compiler knows the length of a tuple, and unrolls the sums over the taps
    each_tap = (0,) * table.shape[1]
    _resample(image, bad, first_row, lattice, step, first_output_row, table, each_tap, values, weights)


@jit
def _interpolate(each_tap, pixels, width, corner, weights, across, upward):  # type: ignore[no-untyped-def]
    taps = len(each_tap)
    # unsigned indices of flat arrays: the compiler then adds no check for negative ones
    total = np.float32(0)
    for j in range(taps):
        line = np.float32(0)
        for i in range(taps):
            line += weights[across + np.uint64(i)] * pixels[corner + np.uint64(i)]
        total += weights[upward + np.uint64(j)] * line
        corner += width
    return total


@jit
def _resample(image, bad, first_row, lattice, step, first_output_row, table, each_tap, values, weights):  # type: ignore[no-untyped-def]
    taps = len(each_tap)
    before = taps // 2 - 1
    ny, nx = image.shape
    columns = values.shape[1]
    cells = (columns + step - 1) // step
    phases = table.shape[0] - 1
    pixels, flags, tap_weights, width = image.ravel(), bad.ravel(), table.ravel(), np.uint64(nx)
    for row in range(values.shape[0]):
        cell_y = (first_output_row + row) // step
        down = ((first_output_row + row) % step) / step
        at = np.empty(5)
        slope = np.empty(5)
        for cell in range(cells):
            for part in range(5):
                left = lattice[part, cell_y, cell]
                right = lattice[part, cell_y, cell + 1]
                at[part] = left + down * (lattice[part, cell_y + 1, cell] - left)
                right += down * (lattice[part, cell_y + 1, cell + 1] - right)
                slope[part] = (right - at[part]) / step
            x_at, y_at, level_at, factor_at, weight_at = at
            x_slope, y_slope, level_slope, factor_slope, weight_slope = slope
            start = cell * step
            for k in range(min(step, columns - start)):
                x = x_at + k * x_slope
                y = y_at + k * y_slope - first_row
                x0 = math.floor(x)
                y0 = math.floor(y)
                left_tap = x0 - before
                low_tap = y0 - before
                if left_tap < 0 or low_tap < 0 or left_tap + taps > nx or low_tap + taps > ny:
                    values[row, start + k] = 0
                    weights[row, start + k] = 0
                    continue
                across = np.uint64((x - x0) * phases + 0.5) * np.uint64(taps)
                upward = np.uint64((y - y0) * phases + 0.5) * np.uint64(taps)
                corner = np.uint64(low_tap) * width + np.uint64(left_tap)
                value = _interpolate(each_tap, pixels, width, corner, tap_weights, across, upward)
                value -= np.float32(level_at + k * level_slope)
                values[row, start + k] = value * np.float32(factor_at + k * factor_slope)
                weight = np.float32(weight_at + k * weight_slope)
                if flags[np.uint64(y + 0.5) * width + np.uint64(x + 0.5)] != 0:
                    weight = -weight
                weights[row, start + k] = weight
