"""Compiled loops that paint light on an image; they add to `image` (float32, electrons) in place."""

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True, nogil=True)
def paint_moffats(image, x, y, flux, alpha, beta, e1, e2, radius):  # type: ignore[no-untyped-def]
    """Stars at (x, y) of total `flux`, sampled at the middle of each pixel.

    `e1`, `e2` are the ellipticity (1 - b/a) along the axes and the diagonals.
    """
    ny, nx = image.shape
    for star in range(x.size):
        keep = np.sqrt(1 - e1[star] ** 2 - e2[star] ** 2)
        peak = keep * flux[star] * (beta - 1) / (np.pi * alpha[star] ** 2)
        scale = 1 / alpha[star] ** 2
        xx, yy, xy = scale * (1 - e1[star]), scale * (1 + e1[star]), -2 * scale * e2[star]
        reach = radius[star]
        for j in range(max(0, int(y[star]) - reach), min(ny, int(y[star]) + reach + 2)):
            dy = j - y[star]
            for i in range(max(0, int(x[star]) - reach), min(nx, int(x[star]) + reach + 2)):
                dx = i - x[star]
                image[j, i] += peak * (1 + xx * dx * dx + yy * dy * dy + xy * dx * dy) ** -beta


@njit(cache=True, fastmath=True, nogil=True)
def paint_gaussians(image, x, y, weight, xx, xy, yy, radius):  # type: ignore[no-untyped-def]
    """One object: the sum over k of Gaussians of flux weight[k] and covariance (xx, xy, yy)[k].

    Component k is painted within `radius[k]` pixels.
    """
    ny, nx = image.shape
    for k in range(weight.size):
        det = xx[k] * yy[k] - xy[k] * xy[k]
        peak = weight[k] / (2 * np.pi * np.sqrt(det))
        inverse_xx, inverse_xy, inverse_yy = -0.5 * yy[k] / det, xy[k] / det, -0.5 * xx[k] / det
        for j in range(max(0, int(y) - radius[k]), min(ny, int(y) + radius[k] + 2)):
            dy = j - y
            row, slope = inverse_yy * dy * dy, inverse_xy * dy
            for i in range(max(0, int(x) - radius[k]), min(nx, int(x) + radius[k] + 2)):
                dx = i - x
                image[j, i] += peak * np.exp(inverse_xx * dx * dx + slope * dx + row)


@njit(cache=True, fastmath=True, nogil=True)
def paint_trail(image, marked, bit, x0, y0, angle, peak, sigma, wave, phase, noise_var):  # type: ignore[no-untyped-def]
    """A straight trail through (x0, y0) with a Gaussian profile of `sigma` pixels, edge to edge.

    Its brightness swings by 15 % with the wavelength `wave`. `bit` is set in `marked` where the trail
    is above the local noise, the square root of image + noise_var.
    """
    ny, nx = image.shape
    cosine, sine = np.cos(angle), np.sin(angle)
    reach = 5 * sigma
    for j in range(ny):
        low, high = 0, nx
        if abs(sine) > 1e-6:
            middle = x0 + (j - y0) * cosine / sine
            half = reach / abs(sine)
            low = max(0, int(min(max(middle - half, 0.0), float(nx))))
            high = min(nx, int(min(max(middle + half + 1, 0.0), float(nx))))
        for i in range(low, high):
            along = (i - x0) * cosine + (j - y0) * sine
            across = (j - y0) * cosine - (i - x0) * sine
            if abs(across) < reach:
                light = peak * np.exp(-0.5 * (across / sigma) ** 2)
                light *= 1 + 0.15 * np.sin(2 * np.pi * along / wave + phase)
                if light * light > image[j, i] + noise_var:
                    marked[j, i] |= bit
                image[j, i] += light


@njit(cache=True, fastmath=True, nogil=True)
def paint_streak(image, marked, bit, place, knots, peaks, sigmas, noise_var):  # type: ignore[no-untyped-def]
    """A trail whose Gaussian profile changes along it.

    `place` is (x0, y0, angle, curve): its line through (x0, y0), bent by curve * along^2 pixels. `knots` is
    (first, step), where along it `peaks` and `sigmas` hold; between them they are interpolated. `bit` is set
    in `marked` where the trail is above the local noise, the square root of image + noise_var.
    """
    ny, nx = image.shape
    x0, y0, angle, curve = place
    first, step = knots
    cosine, sine = np.cos(angle), np.sin(angle)
    widest = 5 * sigmas.max()
    for j in range(ny):
        for i in range(nx):
            along = (i - x0) * cosine + (j - y0) * sine
            across = (j - y0) * cosine - (i - x0) * sine - curve * along * along
            at = (along - first) / step
            if abs(across) >= widest or at < 0 or at >= peaks.size - 1:
                continue
            k = int(at)
            part = at - k
            sigma = (1 - part) * sigmas[k] + part * sigmas[k + 1]
            light = (1 - part) * peaks[k] + part * peaks[k + 1]
            light *= np.exp(-0.5 * (across / sigma) ** 2)
            if light * light > image[j, i] + noise_var:
                marked[j, i] |= bit
            image[j, i] += light


@njit(cache=True, nogil=True)
def bleed_columns(image, full, marked, bit):  # type: ignore[no-untyped-def]
    """Spill the charge of each pixel above `full` (electrons) up and down its column.

    Half of the excess goes each way and fills the next pixels to the brim; what reaches the edge of the
    chip is lost. Charge is conserved otherwise. `bit` is set in `marked` wherever charge overflowed or
    came to rest. Returns the charge lost.
    """
    ny, nx = image.shape
    up = np.zeros(nx, dtype=np.float64)
    down = np.zeros(nx, dtype=np.float64)
    for j in range(ny):
        for i in range(nx):
            excess = image[j, i] - full
            if excess > 0:
                up[i] += 0.5 * excess
                marked[j, i] |= bit
            elif up[i] > 0:
                taken = min(-excess, up[i])
                image[j, i] += taken
                up[i] -= taken
                marked[j, i] |= bit
    for j in range(ny - 1, -1, -1):
        for i in range(nx):
            excess = image[j, i] - full
            if excess > 0:
                down[i] += 0.5 * excess
                image[j, i] = full
            elif down[i] > 0:
                taken = min(-excess, down[i])
                image[j, i] += taken
                down[i] -= taken
                marked[j, i] |= bit
    return up.sum() + down.sum()
