"""Brightness of pixels for the eye. Twins: tests.library.test_colour."""

import math

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel

_FADING = np.float32(4)  # white where the intensity is a quarter beyond white


@jit
def add_band(band: np.ndarray, total: np.ndarray, covered: np.ndarray) -> None:
    """Add a band's pixels (n, nx) float32 to `total`; `covered` (bool) becomes true where they are not 0."""
    for y in range(band.shape[0]):
        for x in range(band.shape[1]):
            total[y, x] += band[y, x]
            covered[y, x] |= band[y, x] != 0


@jit
def mean_of_bands(total: np.ndarray, covered: np.ndarray, n: int) -> None:
    """total (n, nx) float32 of n bands becomes their mean in place, NaN where nothing is covered."""
    for y in range(total.shape[0]):
        for x in range(total.shape[1]):
            total[y, x] = total[y, x] / np.float32(n) if covered[y, x] else np.float32(np.nan)


@jit
def log_stretch(values: np.ndarray, black: float, steepness: float, white: float, out: np.ndarray) -> None:
    """out = 255 log(1 + steepness (value - black)) / log(1 + steepness (white - black)), within 0-255.

    `values` (n, nx) float32, NaN is black; `out` (n, nx) uint8.
    """
    scale = np.float32(255 / math.log(1 + steepness * (white - black)))
    one, half, most = np.float32(1), np.float32(0.5), np.float32(255)
    low, steep = np.float32(black), np.float32(steepness)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            above = values[y, x] - low
            if above > 0:
                bright = scale * math.log(one + steep * above) + half
                out[y, x] = np.uint8(bright if bright < most else most)
            else:
                out[y, x] = np.uint8(0)


@jit
def asinh_stretch(
    red: np.ndarray,
    green: np.ndarray,
    blue: np.ndarray,
    black: np.ndarray,
    span: np.ndarray,
    softening: float,
    out: np.ndarray,
) -> None:
    """Brightness by the asinh of the mean intensity, colours as the channels stand to each other.

    Channels (n, nx) float32, NaN is black; `black` and `span` (3,) float32: (value - black) / span is the
    intensity. Where a channel would be beyond white all three are dimmed, so that the colour stays (Lupton et
    al. 2004); but what is too bright as a whole fades to white, because detectors know no colour there.
    `out` (n, nx, 3) uint8.
    """
    soft = np.float32(softening)
    zero, half, one, full = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    for y in range(red.shape[0]):
        for x in range(red.shape[1]):
            r = (red[y, x] - black[0]) / span[0]
            g = (green[y, x] - black[1]) / span[1]
            b = (blue[y, x] - black[2]) / span[2]
            r, g, b = r if r > 0 else zero, g if g > 0 else zero, b if b > 0 else zero
            intensity = (r + g + b) / np.float32(3)
            greatest = max(r, g, b)
            factor, faded = zero, zero
            if intensity > 0:
                bright = math.asinh(soft * intensity) / soft
                factor = full * min(bright / intensity, one / greatest)
                faded = full * min(max(_FADING * (bright - one), zero), one)
            keep = one - faded / full
            out[y, x, 0] = np.uint8(min(full, keep * r * factor + faded + half))
            out[y, x, 1] = np.uint8(min(full, keep * g * factor + faded + half))
            out[y, x, 2] = np.uint8(min(full, keep * b * factor + faded + half))


@parallel_jit
def block_mean(values: np.ndarray, shrink: int, out: np.ndarray) -> None:
    """Mean of blocks of shrink x shrink pixels, those that are not finite left out; NaN where all are.

    `values` (ny, nx), `out` (ceil(ny / shrink), ceil(nx / shrink)) float32.
    """
    ny, nx = values.shape
    for row in rows_in_parallel(out.shape[0]):
        for column in range(out.shape[1]):
            total = 0.0
            n = 0
            for y in range(row * shrink, min(ny, (row + 1) * shrink)):
                for x in range(column * shrink, min(nx, (column + 1) * shrink)):
                    if np.isfinite(values[y, x]):
                        total += values[y, x]
                        n += 1
            out[row, column] = total / n if n > 0 else np.nan
