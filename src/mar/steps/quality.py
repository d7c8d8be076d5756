"""How sharp and how round the stars of an image are."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table

from mar.config.reduction import Reduction
from mar.steps.moffat import MoffatFits, fit_moffats
from mar.steps.psf_stars import psf_stars
from mar.steps.stamps import star_stamps

CELLS = 3  # of the maps, along each axis
LEAST_STARS = 5  # in a cell


class PsfMap(NamedTuple):
    """The PSF in cells of the chip (rows, columns), from the lower left; NaN in cells of too few stars."""

    fwhm_px: np.ndarray
    beta: np.ndarray
    e1: np.ndarray  #: (a - b) / (a + b) cos 2 theta
    e2: np.ndarray  #: the same with sin 2 theta


class PsfFigures(NamedTuple):
    """Figures of the PSF, in pixels of the image; NaN where no star shows it."""

    fwhm_sextractor_px: float  #: median FWHM_IMAGE of the stars
    fwhm_rms_px: float  #: their standard deviation
    fwhm_moffat_px: float  #: median FWHM of Moffat fits
    beta: float  #: median of their exponents
    n_stars: int
    ellipticity: float  #: (a - b) / (a + b) of the fits, added as vectors in each cell of the chip
    map: PsfMap | None = None

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
        if self.map is not None and np.isfinite(self.map.fwhm_px).any():
            named["FWHMLOW"] = float(np.nanmin(self.map.fwhm_px)), "[pixel] of the sharpest part of the chip"
            named["FWHMHIGH"] = float(np.nanmax(self.map.fwhm_px)), "[pixel] of the least sharp part"
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
    fits = fit_moffats(stamps, good, seeing_px, gain)
    trusted = _trustworthy(fits)
    width = np.asarray(stars["FWHM_IMAGE"], dtype=float)[used]
    if not trusted.any():
        return _nothing()
    fits, fitted = MoffatFits(*(part[trusted] for part in fits)), stars[used][trusted]
    # faint stars say little about the wings
    weight = np.asarray(fitted["FLUX_AUTO"], dtype=float) / np.asarray(fitted["FLUXERR_AUTO"], dtype=float)
    chip = _map(fits, weight, fitted, data.shape)
    return PsfFigures(
        float(np.median(width)),
        float(np.std(width)),
        _weighted_median(fits.fwhm_px, weight),
        _weighted_median(fits.beta, weight**2),
        int(used.sum()),
        _ellipticity(fits, weight, chip),
        chip,
    )


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) - 0.5 * weight[order]
    return float(np.interp(0.5 * weight.sum(), reached, values[order]))


def _ellipticity(fits: MoffatFits, weight: np.ndarray, chip: PsfMap) -> float:
    """Mean over the cells; the noise of single stars, which has no direction, falls out of each."""
    known = np.isfinite(chip.e1)
    if known.any():
        return float(np.hypot(chip.e1[known], chip.e2[known]).mean())
    return float(np.hypot(_weighted_median(fits.e1, weight), _weighted_median(fits.e2, weight)))


def _map(fits: MoffatFits, weight: np.ndarray, stars: Table, shape: tuple[int, ...]) -> PsfMap:
    row, column = (
        np.clip((CELLS * (np.asarray(stars[name], dtype=float) - 1) / length).astype(int), 0, CELLS - 1)
        for name, length in zip(("Y_IMAGE", "X_IMAGE"), shape, strict=True)
    )
    chip = PsfMap(*(np.full((CELLS, CELLS), np.nan) for _ in PsfMap._fields))
    for y, x in np.ndindex(CELLS, CELLS):
        here = (row == y) & (column == x)
        if here.sum() >= LEAST_STARS:
            for cells, values in zip(chip, fits, strict=True):
                cells[y, x] = _weighted_median(values[here], weight[here])
    return chip


def _nothing() -> PsfFigures:
    nan = float("nan")
    return PsfFigures(nan, nan, nan, nan, 0, nan)


def _trustworthy(fits: MoffatFits) -> np.ndarray:
    """Which fits converged to something like the others."""
    width = fits.fwhm_px
    known = np.isfinite(width)
    if known.any():
        median = np.median(width[known])
        known &= np.abs(np.where(known, width, 0) - median) < 0.5 * median
    return known
