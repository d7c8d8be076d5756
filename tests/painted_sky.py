"""A small sky whose truth is known, painted with numpy alone: stars, noise, and tracks through them."""

import numpy as np
from astropy.io.fits import Header
from scipy import ndimage

from mar.frame import Frame
from mar.kernels.mesh import Sky
from mar.masks import empty_mask

GAIN, READ_NOISE_E = 0.95, 3.43


def frame_of(data, mask=None):
    """A frame without exposure around those pixels."""
    data = np.asarray(data, dtype=np.float32)
    return Frame(data, Header(), empty_mask(data.shape) if mask is None else mask)


def flat_sky(image):
    """The level of an image without structure, as kernels take a sky."""
    ny, nx = image.shape
    rows = np.zeros((ny, 4, 1))
    rows[:, 3, 0] = image[:, 0]
    return Sky(np.array([0.0, nx]), rows)


def paint_star(image, x, y, peak, fwhm, beta=3.0):
    """Add a Moffat star, each pixel sampled 5 x 5 times."""
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    half = int(6 * fwhm + 10)
    y0, y1 = max(0, int(y) - half), min(image.shape[0], int(y) + half + 1)
    x0, x1 = max(0, int(x) - half), min(image.shape[1], int(x) + half + 1)
    within = (np.arange(5) - 2) / 5
    ys = (np.arange(y0, y1)[:, None] + within).ravel()[:, None]
    xs = (np.arange(x0, x1)[:, None] + within).ravel()[None, :]
    profile = (1 + ((xs - x) ** 2 + (ys - y) ** 2) / alpha**2) ** -beta
    image[y0:y1, x0:x1] += peak * profile.reshape(y1 - y0, 5, x1 - x0, 5).mean(axis=(1, 3))


def starry(shape=(577, 576), level=400.0, stars=120, fwhm=2.5, greatest=45000.0, seed=1):
    """Noise-free sky with stars (ADU), and their (x, y, peak)."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, float(level))
    catalogue = []
    for _ in range(stars):
        x, y = rng.uniform(5, shape[1] - 5), rng.uniform(5, shape[0] - 5)
        peak = 10 ** rng.uniform(1.5, np.log10(greatest))
        paint_star(image, x, y, peak, fwhm)
        catalogue.append((x, y, peak))
    return image, catalogue


def noise_of(image):
    """One sigma of each pixel of a noise-free image (ADU)."""
    return np.sqrt(np.maximum(image, 0) / GAIN + (READ_NOISE_E / GAIN) ** 2)


def noisy(image, seed=2):
    """The image with photon and read noise, float32."""
    rng = np.random.default_rng(seed)
    return (image + noise_of(image) * rng.standard_normal(image.shape)).astype(np.float32)


def cosmic_tracks(shape, number=60, seed=3):
    """Charge (ADU) of straight tracks of 150-600 ADU per pixel."""
    rng = np.random.default_rng(seed)
    charge = np.zeros(shape)
    for _ in range(number):
        x, y, angle = rng.uniform(5, shape[1] - 5), rng.uniform(5, shape[0] - 5), rng.uniform(0, np.pi)
        length, strength = rng.exponential(8) + 1, rng.uniform(150, 600)
        steps = np.linspace(0, length, int(5 * length) + 1)
        xs = np.rint(x + steps * np.cos(angle)).astype(int)
        ys = np.rint(y + steps * np.sin(angle)).astype(int)
        inside = (xs >= 0) & (xs < shape[1]) & (ys >= 0) & (ys < shape[0])
        np.add.at(charge, (ys[inside], xs[inside]), strength * length / steps.size)
    return charge


def satellite(shape, through, angle_deg, peak, fwhm=4.0, bend_px=0.0):
    """A trail with a Gaussian profile (ADU) through the point (x, y), bent by `bend_px` over the frame."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(float)
    angle = np.deg2rad(angle_deg)
    along = (xs - through[0]) * np.cos(angle) + (ys - through[1]) * np.sin(angle)
    across = (ys - through[1]) * np.cos(angle) - (xs - through[0]) * np.sin(angle)
    across -= bend_px * (2 * along / max(shape)) ** 2
    return peak * np.exp(-4 * np.log(2) * (across / fwhm) ** 2)


def recall_and_purity(found, truth, tolerance_px=1):
    """Part of the truth that is found, part of the found that is true, within a tolerance."""
    near = np.ones((2 * tolerance_px + 1,) * 2, dtype=bool)
    recall = np.count_nonzero(truth & ndimage.binary_dilation(found, near)) / np.count_nonzero(truth)
    true = np.count_nonzero(found & ndimage.binary_dilation(truth, near))
    return recall, true / max(1, np.count_nonzero(found))
