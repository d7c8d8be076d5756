"""Photometry: the zero point against a reference catalogue, the depth, and the correction of apertures."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from mar.config.photometry import Photometry
from mar.frame import CardValue
from mar.refcat.stars import Stars, unit_vectors
from mar.steps.sources import FLAG_BLENDED

_ARCSEC = np.pi / 180 / 3600
_MEDIAN_ERROR = 1.2533  # of a median, in errors of a mean


@dataclass(frozen=True)
class ZeroPoint:
    """The magnitude that gives 1 ADU/s in FLUX_AUTO."""

    value: float
    error: float  #: of `value`; 0 where it was not measured
    scatter: float  #: of single stars, robust
    stars: int
    origin: str  #: what it rests on, in words

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards."""
        return {
            "MAR PHO ZP": (round(self.value, 5), "[mag] that gives 1 ADU/s"),
            "MAR PHO ZPERR": (round(self.error, 5), "[mag] error; 0 if not measured"),
            "MAR PHO ZPSCAT": (round(self.scatter, 5), "[mag] scatter of single stars"),
            "MAR PHO ZPSTARS": (self.stars, "stars that it rests on"),
            "MAR PHO ZPFROM": (self.origin, ""),
        }


def zero_point(
    sources: Table, reference: Stars, band: str, exptime_s: float, nominal: float, config: Photometry
) -> ZeroPoint:
    """The zero point of a frame from the reference stars that have a magnitude in its band.

    `sources` with ALPHAWIN_J2000 and DELTAWIN_J2000; `exptime_s` 1 for images in ADU/s. Where the catalogue
    does not have the band, or too few stars match, it is `nominal`, and `origin` says so: no colour is
    assumed.
    """
    if band not in reference.bands:
        return _unmeasured(nominal, f"camera file: {reference.pack or 'catalogue'} has no {band}")
    source, star = _pairs(sources, reference, config)
    magnitude = np.asarray(reference.bands[band], dtype=float)[star]
    chosen = sources[source]
    good = np.isfinite(magnitude) & _fit(chosen, config)
    flux = np.asarray(chosen["FLUX_AUTO"], dtype=float)[good]
    single = magnitude[good] + 2.5 * np.log10(flux / exptime_s)
    single, scatter = _clipped(single, config.clip_sigma)
    if len(single) < config.least_stars:
        return _unmeasured(nominal, f"camera file: {len(single)} stars of {reference.pack} in {band}")
    error = _MEDIAN_ERROR * scatter / np.sqrt(len(single))
    origin = f"{reference.pack or 'catalogue'} {band}"
    return ZeroPoint(float(np.median(single)), float(error), scatter, len(single), origin)


def depth(
    noise_adu: float, zeropoint: float, exptime_s: float, aperture_px: float, sigmas: float = 5.0
) -> float:
    """Magnitude whose flux in an aperture (diameter in pixels) is so many sigma of the sky noise per pixel.

    For uncorrelated noise: in resampled images it is too faint.
    """
    area = np.pi * (aperture_px / 2) ** 2
    return float(zeropoint - 2.5 * np.log10(sigmas * noise_adu * np.sqrt(area) / exptime_s))


def aperture_correction(
    sources: Table, config: Photometry, small: int = 0, large: int = -1
) -> tuple[float, float]:
    """Magnitude of a point source in the large aperture minus that in the small one, and its error.

    `small` and `large` count the columns of MAG_APER. Gives (0, 0) where no star is fit for it.
    """
    good = sources[_fit(sources, config) & (np.asarray(sources["MAG_APER"]) < 99).all(axis=1)]
    magnitudes = np.asarray(good["MAG_APER"], dtype=float)
    single, scatter = _clipped(magnitudes[:, large] - magnitudes[:, small], config.clip_sigma)
    if not len(single):
        return 0.0, 0.0
    return float(np.median(single)), float(_MEDIAN_ERROR * scatter / np.sqrt(len(single)))


def _unmeasured(nominal: float, why: str) -> ZeroPoint:
    return ZeroPoint(nominal, 0.0, 0.0, 0, why)


def _fit(sources: Table, config: Photometry) -> np.ndarray:
    """Which sources are fit for photometry: clear of everything but a separated neighbour."""
    flags = np.asarray(sources["FLAGS"]).astype(int) & ~FLAG_BLENDED
    bright = np.asarray(sources["SNR_WIN"]) >= config.least_snr
    return bright & (flags == 0) & (np.asarray(sources["FLUX_AUTO"]) > 0)


def _pairs(sources: Table, reference: Stars, config: Photometry) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (source, star) on the sky, none of a star that two sources claim."""
    if not len(sources) or not len(reference):
        return np.empty(0, dtype=int), np.empty(0, dtype=int)
    seen = unit_vectors(np.asarray(sources["ALPHAWIN_J2000"]), np.asarray(sources["DELTAWIN_J2000"]))
    tree = cKDTree(unit_vectors(reference.ra_deg, reference.dec_deg))
    distance, star = tree.query(seen, distance_upper_bound=config.match_radius * _ARCSEC)
    source = np.flatnonzero(np.isfinite(distance))
    claimed = np.bincount(star[source], minlength=len(reference))
    source = source[claimed[star[source]] == 1]
    return source, star[source]


def _clipped(values: np.ndarray, sigmas: float) -> tuple[np.ndarray, float]:
    """The values within so many sigma of the median, and their robust scatter."""
    scatter = 0.0
    for _ in range(20):
        if not len(values):
            break
        distance = np.abs(values - np.median(values))
        scatter = float(1.4826 * np.median(distance))
        kept = values[distance <= sigmas * max(scatter, 1e-6)]
        if len(kept) == len(values):
            break
        values = kept
    return values, scatter
