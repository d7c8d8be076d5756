"""How sharp and how round the stars of an image are."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table

from mar.config.reduction import Reduction
from mar.steps.moffat import MoffatFits, fit_moffats
from mar.steps.psf_stars import psf_stars
from mar.steps.stamps import star_stamps


class PsfFigures(NamedTuple):
    """Figures of the PSF, in pixels of the image; NaN where no star shows it."""

    fwhm_sextractor_px: float  #: median FWHM_IMAGE of the stars
    fwhm_rms_px: float  #: their standard deviation
    fwhm_moffat_px: float  #: median FWHM of Moffat fits
    beta: float  #: median of their exponents
    n_stars: int
    ellipticity: float  #: median (a - b) / (a + b) of the fits

    def cards(self, pixel_scale_arcsec: float) -> dict[str, tuple[float | int, str]]:
        """Header cards; figures that are not known are left out."""
        named = {
            "FWHMSEXT": (self.fwhm_sextractor_px, self._arcsec(self.fwhm_sextractor_px, pixel_scale_arcsec)),
            "FWHMSRMS": (self.fwhm_rms_px, self._arcsec(self.fwhm_rms_px, pixel_scale_arcsec)),
            "FWHMMEAN": (self.fwhm_moffat_px, self._arcsec(self.fwhm_moffat_px, pixel_scale_arcsec)),
            "FWHMBETA": (self.beta, "exponent of the Moffat fits"),
            "FWHMNSTARS": (self.n_stars, "stars used"),
            "ELLIPMEAN": (self.ellipticity, "(a-b)/(a+b) of the fits"),
        }
        return {
            f"MAR PRO {key}": (round(value, 4), comment)
            for key, (value, comment) in named.items()
            if np.isfinite(value)
        }

    @staticmethod
    def _arcsec(value_px: float, pixel_scale_arcsec: float) -> str:
        return f"[pixel] {value_px * pixel_scale_arcsec:.2f} arcsec"


def psf_figures(
    data: np.ndarray, catalogue: Table, config: Reduction, gain: float = 1.0, mask: np.ndarray | None = None
) -> PsfFigures:
    """Figures of the PSF of an image (ny, nx), from the stars of its catalogue (SExtractor's names).

    `gain` is in electrons per unit of the data. Stamps of eight FWHM are fitted with an elliptical Moffat
    profile and a sky; stars with masked pixels near their core are left out. With no usable star n_stars is 0
    and the rest NaN.
    """
    candidates = psf_stars(catalogue, config)
    if len(candidates) == 0:
        return _nothing()
    seeing_px = float(np.median(candidates["FWHM_IMAGE"]))
    half = int(np.clip(np.ceil(4 * seeing_px), 8, 24))
    stars = psf_stars(catalogue, config, isolation_px=half)
    stars = candidates if len(stars) < 10 else stars
    stamps, good, used = star_stamps(data, mask, stars, half, max(2.0, seeing_px))
    if not used.any():
        return _nothing()
    fits = _trustworthy(fit_moffats(stamps, good, seeing_px, gain))
    width = np.asarray(stars["FWHM_IMAGE"], dtype=float)[used]
    if fits.fwhm_px.size == 0:
        return _nothing()
    return PsfFigures(
        float(np.median(width)),
        float(np.std(width)),
        float(np.median(fits.fwhm_px)),
        float(np.median(fits.beta)),
        int(used.sum()),
        float(np.median(fits.ellipticity)),
    )


def _nothing() -> PsfFigures:
    nan = float("nan")
    return PsfFigures(nan, nan, nan, nan, 0, nan)


def _trustworthy(fits: MoffatFits) -> MoffatFits:
    """The fits that converged to something like the others."""
    width = fits.fwhm_px
    known = np.isfinite(width)
    if known.any():
        median = np.median(width[known])
        known &= np.abs(np.where(known, width, 0) - median) < 0.5 * median
    return MoffatFits(*(part[known] for part in fits))
