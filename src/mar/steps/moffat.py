"""Moffat profiles fitted to many stars at once, by damped least squares."""

from typing import NamedTuple

import numpy as np

_ROUNDS = 40
_SETTLED = 1e-4  #: relative change of the sum of squares that ends the fit


class MoffatFits(NamedTuple):
    """One value per star; those of a fit that failed are NaN."""

    fwhm_px: np.ndarray  #: geometric mean of both axes
    beta: np.ndarray
    e1: np.ndarray  #: (a - b) / (a + b), as PSFEx has it, times cos 2 theta of the major axis
    e2: np.ndarray  #: the same times sin 2 theta

    @property
    def ellipticity(self) -> np.ndarray:
        """(a - b) / (a + b)."""
        return np.hypot(self.e1, self.e2)


def fit_moffats(stamps: np.ndarray, good: np.ndarray, fwhm_px: float, gain: float) -> MoffatFits:
    """Fit I0 (1 + r^2)^-beta + sky, r an elliptical radius (Moffat 1969), to stamps (n, size, size) of stars.

    `good` (n, size, size) tells which pixels count; `fwhm_px` starts the fit; `gain` in electrons per unit of
    the stamps tells their Poisson noise. Profiles are sampled at the centres of the pixels.
    """
    n, size, _ = stamps.shape
    values, usable = stamps.reshape(n, -1).astype(float), good.reshape(n, -1)
    values = np.where(usable, values, 0.0)
    offset = np.arange(size) - size // 2
    dy, dx = (axis.ravel().astype(float) for axis in np.meshgrid(offset, offset, indexing="ij"))
    edge = np.where(usable & (np.hypot(dx, dy) > size // 2 - 1.5), values, np.nan)
    sky, noise = _sky_and_noise(edge)
    found = _start(values, sky, fwhm_px)
    damping = np.full(n, 1e-3)
    model, slopes = _model(found, dx, dy)
    for _ in range(_ROUNDS):
        # weights from the model, not from the noisy data: those would bias the wings
        signal = np.maximum(model - found[:, 7:], 0)
        weight = usable / (noise[:, None] ** 2 + signal / gain)
        before = (weight * (values - model) ** 2).sum(axis=1)
        step = _step(slopes, weight, values - model, damping)
        tried = found + step
        tried[:, 6] = np.clip(tried[:, 6], np.log(0.05), np.log(30))
        tried_model, tried_slopes = _model(tried, dx, dy)
        after = (weight * (values - tried_model) ** 2).sum(axis=1)
        better = after < before
        found = np.where(better[:, None], tried, found)
        model = np.where(better[:, None], tried_model, model)
        slopes = np.where(better[:, None, None], tried_slopes, slopes)
        damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-9, 1e6)
        if np.all(np.abs(before - after) < _SETTLED * before):
            break
    return _shapes(found)


def _sky_and_noise(edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.where(np.isfinite(edge).any(axis=1, keepdims=True), edge, 0.0)
    sky = np.nanmedian(known, axis=1)
    noise = 1.4826 * np.nanmedian(np.abs(known - sky[:, None]), axis=1)
    return sky, np.maximum(noise, 1e-6 * np.abs(sky) + 1e-12)


def _start(values: np.ndarray, sky: np.ndarray, fwhm_px: float) -> np.ndarray:
    """Parameters (n, 8): log I0, x, y, l1, l2, l3, log(beta - 1), sky; r = |(l1 dx + l2 dy, l3 dy)|."""
    found = np.zeros((len(values), 8))
    found[:, 0] = np.log(np.maximum(values.max(axis=1) - sky, 1e-6 * np.abs(sky) + 1e-12))
    found[:, 3] = found[:, 5] = 2 * np.sqrt(2 ** (1 / 3) - 1) / fwhm_px
    found[:, 6] = np.log(2.0)
    found[:, 7] = sky
    return found


def _model(found: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Model (n, pixels) and its derivatives (n, 8, pixels)."""
    log_peak, x, y, l1, l2, l3, log_beta, sky = (found[:, [part]] for part in range(8))
    u = l1 * (dx - x) + l2 * (dy - y)
    v = l3 * (dy - y)
    base = 1 + u**2 + v**2
    beta = 1 + np.exp(log_beta)
    profile = np.exp(np.clip(log_peak, -50, 50)) * base**-beta
    inner = -2 * beta * profile / base
    slopes = np.stack(
        [
            profile,
            -inner * u * l1,
            -inner * (u * l2 + v * l3),
            inner * u * (dx - x),
            inner * u * (dy - y),
            inner * v * (dy - y),
            -profile * np.log(base) * (beta - 1),
            np.ones_like(profile),
        ],
        axis=1,
    )
    return profile + sky, slopes


def _step(slopes: np.ndarray, weight: np.ndarray, residual: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Levenberg-Marquardt steps (n, 8)."""
    weighted = slopes * weight[:, None, :]
    matrix = weighted @ slopes.transpose(0, 2, 1)
    vector = (weighted * residual[:, None, :]).sum(axis=2)
    diagonal = np.arange(8)
    matrix[:, diagonal, diagonal] *= 1 + damping[:, None]
    matrix[:, diagonal, diagonal] += 1e-12 * matrix[:, diagonal, diagonal].max(axis=1, keepdims=True) + 1e-300
    return np.linalg.solve(matrix, vector[..., None])[..., 0]


def _shapes(found: np.ndarray) -> MoffatFits:
    l1, l2, l3 = found[:, 3], found[:, 4], found[:, 5]
    trace, determinant = l1**2 + l2**2 + l3**2, np.abs(l1 * l3)
    spread = np.sqrt(np.maximum(trace**2 - 4 * determinant**2, 0))
    ratio = np.sqrt(np.maximum(trace - spread, 0) / (trace + spread))  # minor axis / major axis
    beta = 1 + np.exp(found[:, 6])
    with np.errstate(divide="ignore"):
        fwhm = 2 * np.sqrt(2 ** (1 / beta) - 1) / np.sqrt(determinant)
    size_known = np.isfinite(fwhm) & (np.hypot(found[:, 1], found[:, 2]) < 3)
    # r^2 = (l1 x + l2 y)^2 + (l3 y)^2 grows slowest along the major axis
    along, across = l2**2 + l3**2 - l1**2, -2 * l1 * l2
    share = (1 - ratio) / (1 + ratio) / np.maximum(np.hypot(along, across), 1e-30)
    return MoffatFits(
        *(np.where(size_known, part, np.nan) for part in (fwhm, beta, along * share, across * share))
    )
