"""What falls on the chip during one exposure: stars, galaxies, sky and trails, in electrons."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table

from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects
from mar.simulate.paint import paint_gaussians, paint_moffats
from mar.simulate.profiles import moffat_gaussians, sersic_gaussians

_FAINT_E = 0.02  # light per pixel that nobody would miss, electrons
_WIDEST_PX = 400


class Psf(NamedTuple):
    """A Moffat profile, as sampled at the middle of the pixels."""

    fwhm_px: float
    beta: float
    e1: float  #: ellipticity 1 - b/a along the axes
    e2: float  #: and along the diagonals

    @property
    def alpha_px(self) -> float:
        """The scale of the profile (1 + (r/alpha)^2)^-beta."""
        return self.fwhm_px / 2 / np.sqrt(2 ** (1 / self.beta) - 1)


def draw_psf(conditions: Conditions, effects: Effects, scale_arcsec: float, rng: np.random.Generator) -> Psf:
    """The PSF of one exposure."""
    fwhm_px = conditions.seeing_arcsec / scale_arcsec
    e1, e2 = rng.normal(0, conditions.ellipticity / np.sqrt(2), 2)
    if effects.seeing:
        fwhm_px *= np.exp(rng.normal(0, conditions.seeing_scatter))
    if not effects.ellipticity:
        e1 = e2 = 0.0
    return Psf(float(fwhm_px), conditions.moffat_beta, float(e1), float(e2))


def paint_sources(
    image: np.ndarray, sources: Table, x: np.ndarray, y: np.ndarray, flux_e: np.ndarray, psf: Psf
) -> None:
    """Paint the sources of `flux_e` electrons at the pixels (x, y) on `image`, in place."""
    ny, nx = image.shape
    near = (x > -_WIDEST_PX) & (x < nx + _WIDEST_PX) & (y > -_WIDEST_PX) & (y < ny + _WIDEST_PX)
    stars = near & (sources["KIND"] == "star")
    _paint_stars(image, x[stars], y[stars], flux_e[stars], psf)
    for row in np.flatnonzero(near & (sources["KIND"] == "galaxy")):
        _paint_galaxy(image, sources[row], x[row], y[row], flux_e[row], psf)


def _paint_stars(image: np.ndarray, x: np.ndarray, y: np.ndarray, flux_e: np.ndarray, psf: Psf) -> None:
    ny, nx = image.shape
    from_middle = ((x - nx / 2) ** 2 + (y - ny / 2) ** 2) / (nx**2 + ny**2) * 4
    # The optics are a little softer in the corners
    alpha = psf.alpha_px * (1 + 0.03 * np.minimum(from_middle, 1.5))
    peak = flux_e * (psf.beta - 1) / (np.pi * alpha**2)
    reach = alpha * np.maximum(peak / _FAINT_E, 1) ** (0.5 / psf.beta)
    radius = np.clip(reach, 4, _WIDEST_PX).astype(np.int64)
    e1, e2 = np.full(x.size, psf.e1), np.full(x.size, psf.e2)
    paint_moffats(image, x, y, flux_e, alpha, psf.beta, e1, e2, radius)


def _paint_galaxy(image: np.ndarray, galaxy: Table.Row, x: float, y: float, flux_e: float, psf: Psf) -> None:
    """A Sersic profile convolved with the PSF, both as sums of Gaussians. PA 0 is along +y."""
    weight, variance = sersic_gaussians(float(galaxy["SERSIC"]))
    seeing_weight, seeing_variance = moffat_gaussians(psf.beta)
    angle = np.radians(galaxy["PA"] + 90)
    major, minor = galaxy["RE_PX"] ** 2, (galaxy["RE_PX"] * galaxy["AXIS_RATIO"]) ** 2
    shape_xx = major * np.cos(angle) ** 2 + minor * np.sin(angle) ** 2
    shape_yy = major * np.sin(angle) ** 2 + minor * np.cos(angle) ** 2
    shape_xy = (major - minor) * np.sin(angle) * np.cos(angle)
    both = np.multiply.outer(weight, seeing_weight).ravel() * flux_e
    seeing = np.tile(seeing_variance * psf.alpha_px**2, weight.size)
    own = np.repeat(variance, seeing_weight.size)
    widest = own * major + seeing
    peaks = both / (2 * np.pi * np.sqrt(widest * (own * minor + seeing)))
    seen = peaks > _FAINT_E / 4
    reach = np.sqrt(2 * widest[seen] * np.log(4 * peaks[seen] / _FAINT_E))
    covariance = (part[seen] for part in (own * shape_xx + seeing, own * shape_xy, own * shape_yy + seeing))
    paint_gaussians(image, x, y, both[seen], *covariance, np.minimum(reach + 1, _WIDEST_PX).astype(np.int64))


def plane(shape: tuple[int, int], direction: tuple[float, float], y0: int, y1: int) -> np.ndarray:
    """Rows y0 to y1 of a plane that rises by one across the image along `direction` (x, y), mean zero."""
    ny, nx = shape
    size = np.hypot(*direction) or 1.0
    x = ((np.arange(nx) + 0.5) / nx - 0.5).astype(np.float32) * np.float32(direction[0] / size)
    y = ((np.arange(y0, y1) + 0.5) / ny - 0.5).astype(np.float32) * np.float32(direction[1] / size)
    return y[:, None] + x
