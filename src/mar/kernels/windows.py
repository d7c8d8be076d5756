"""Gaussian windows on sources: signal to noise, error of the centroid, width of the core, mask bits."""

import numpy as np

from mar.kernels.jit import jit

SNR, ERRX2, ERRY2, ERRXY, FWHM, BITS = range(6)
FIGURES = 6
_CORE = 0.4  # fraction of the peak above which a pixel belongs to the core
_FWHM_PER_SIGMA = 2.3548200450309493


@jit
def _window(
    data: np.ndarray,
    rms: np.ndarray,
    mask: np.ndarray,
    excluded: int,
    x: float,
    y: float,
    sigma: float,
    gain: float,
    figures: np.ndarray,
) -> None:
    """Sums over the pixels within 4 sigma of (x, y)."""
    radius2 = (4.0 * sigma) ** 2
    reach = int(np.ceil(4.0 * sigma))
    signal, noise2, xx, yy, xy, bits = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    cx, cy = int(np.round(x)), int(np.round(y))
    for j in range(max(0, cy - reach), min(data.shape[0], cy + reach + 1)):
        for i in range(max(0, cx - reach), min(data.shape[1], cx + reach + 1)):
            dx, dy = i - x, j - y
            r2 = dx * dx + dy * dy
            if r2 > radius2:
                continue
            if r2 <= 0.25 * radius2:
                bits |= mask[j, i]
            if mask[j, i] & excluded:
                continue
            weight = np.exp(-0.5 * r2 / sigma**2)
            value = data[j, i]
            variance = weight * weight * (rms[j, i] ** 2 + max(value, 0.0) / gain)
            signal += weight * value
            noise2 += variance
            xx += variance * dx * dx
            yy += variance * dy * dy
            xy += variance * dx * dy
    figures[BITS] = bits
    if signal > 0.0 and noise2 > 0.0:
        figures[SNR] = signal / np.sqrt(noise2)
        # the factor of 2 that the iteration of the windowed centroid applies, squared
        figures[ERRX2], figures[ERRY2] = 4.0 * xx / signal**2, 4.0 * yy / signal**2
        figures[ERRXY] = 4.0 * xy / signal**2


@jit
def _peak(data: np.ndarray, x: float, y: float) -> float:
    """The brightest of the 3 x 3 pixels about (x, y)."""
    cx, cy = int(np.round(x)), int(np.round(y))
    peak = 0.0
    for j in range(max(0, cy - 1), min(data.shape[0], cy + 2)):
        for i in range(max(0, cx - 1), min(data.shape[1], cx + 2)):
            peak = max(peak, data[j, i])
    return peak


@jit
def _core_fwhm(data: np.ndarray, x: float, y: float, sigma: float) -> float:
    """FWHM of the Gaussian that fits log(value) against r^2 in the core; that of `sigma` where none fits."""
    least = _CORE * _peak(data, x, y)
    reach = int(np.ceil(2.0 * sigma)) + 1
    cx, cy = int(np.round(x)), int(np.round(y))
    s, sr, sv, srr, srv, n = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for j in range(max(0, cy - reach), min(data.shape[0], cy + reach + 1)):
        for i in range(max(0, cx - reach), min(data.shape[1], cx + reach + 1)):
            value = data[j, i]
            if least <= 0.0 or value <= least:
                continue
            r2 = (i - x) ** 2 + (j - y) ** 2
            weight, log = np.float64(value) ** 2, np.log(value)
            s += weight
            sr += weight * r2
            sv += weight * log
            srr += weight * r2 * r2
            srv += weight * r2 * log
            n += 1
    spread = s * srr - sr * sr
    slope = (s * srv - sr * sv) / spread if n >= 4 and spread > 0.0 else 0.0
    return _FWHM_PER_SIGMA * (np.sqrt(-0.5 / slope) if slope < 0.0 else sigma)


@jit
def measure_windows(
    data: np.ndarray,
    rms: np.ndarray,
    mask: np.ndarray,
    excluded: int,
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray,
    gain: float,
    figures: np.ndarray,
) -> None:
    """Fill `figures` (n, FIGURES) with zeros and then with what the windows of `sigma` pixels tell.

    `data` and `rms` (ny, nx) in ADU, background subtracted; pixels whose `mask` has a bit of `excluded`
    take no part; `gain` in e-/ADU. BITS is the OR of the mask within half the window.
    """
    figures[:] = 0.0
    for k in range(x.size):
        _window(data, rms, mask, excluded, x[k], y[k], sigma[k], gain, figures[k])
        figures[k, FWHM] = _core_fwhm(data, x[k], y[k], sigma[k])
