"""Photometry: the zero point against a reference catalogue, the depth, and the correction of apertures."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from mar.config.photometry import Photometry
from mar.frame import CardValue
from mar.refcat.stars import Stars, unit_vectors
from mar.refcat.transformations import magnitudes_in
from mar.steps.growth import GrowthCurve
from mar.steps.sources import FLAG_BLENDED

_ARCSEC = np.pi / 180 / 3600
_MEDIAN_ERROR = 1.2533  # of a median, in errors of a mean


@dataclass(frozen=True)
class ZeroPoint:
    """The magnitude that gives 1 ADU/s, a star's whole light counted."""

    value: float
    error: float  #: of `value`; 0 where it was not measured
    scatter: float  #: of single stars, robust
    stars: int
    origin: str  #: what it rests on, in words
    kron: float = 0.0  #: magnitude of a star's whole light less its MAG_AUTO
    flatness: float = float("nan")  #: scatter over the frame beyond the noise of single stars, mag
    photometric: bool = True  #: false where clouds or worse make stars scatter

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards."""
        cards: dict[str, CardValue | tuple[CardValue, str]] = {
            "MAR PHO ZP": (round(self.value, 5), "[mag] that gives 1 ADU/s of whole light"),
            "MAR PHO ZPERR": (round(self.error, 5), "[mag] error; 0 if not measured"),
            "MAR PHO ZPSCAT": (round(self.scatter, 5), "[mag] scatter of single stars"),
            "MAR PHO ZPSTARS": (self.stars, "stars that it rests on"),
            "MAR PHO ZPFROM": (self.origin, ""),
        }
        if self.stars:
            cards["MAR PHO KRONCOR"] = (round(self.kron, 5), "[mag] whole light of stars less MAG_AUTO")
            cards["MAR PHO PHOTOM"] = (self.photometric, "photometric, or clouds and the like")
        if np.isfinite(self.flatness):
            cards["MAR PHO ZPFLAT"] = (round(self.flatness, 5), "[mag] rms over the frame")
        return cards


def zero_point(
    sources: Table,
    reference: Stars,
    band: str,
    exptime_s: float,
    nominal: float,
    config: Photometry,
    *,
    growth: GrowthCurve | None = None,
    aperture_px: float = 10.0,
    wavelength_nm: float | None = None,
) -> ZeroPoint:
    """The zero point of a frame from its bright stars with a known magnitude in its band.

    `sources` with ALPHAWIN_J2000 and DELTAWIN_J2000; `exptime_s` 1 for images in ADU/s. The light is that in
    the last column of FLUX_APER, a circle of diameter `aperture_px`, made whole by `growth`; without a growth
    curve FLUX_AUTO is taken as it is. Where the catalogue has neither the band nor magnitudes
    from which it is known (`mar.refcat.transformations`), or too few stars match, it is `nominal`, and
    `origin` says so.
    """
    known = magnitudes_in(reference, band, wavelength_nm)
    if known is None:
        return _unmeasured(nominal, f"camera file: {reference.pack or 'catalogue'} has no {band}")
    source, star = _pairs(sources, reference, config)
    chosen, magnitude = sources[source], known[0][star]
    good = _brightest(chosen, np.isfinite(magnitude) & _fit(chosen, config), config.most_stars)
    chosen, magnitude = chosen[good], magnitude[good]
    whole = _whole_light(chosen, growth, aperture_px)
    single = magnitude - whole + 2.5 * np.log10(1 / exptime_s)
    kept, scatter = _clip(single, config.clip_sigma)
    if kept.sum() < config.least_stars:
        return _unmeasured(nominal, f"camera file: {kept.sum()} stars of {reference.pack} in {band}")
    value = float(np.median(single[kept]))
    error = _MEDIAN_ERROR * scatter / np.sqrt(kept.sum())
    origin = f"{reference.pack or 'catalogue'} {band}"
    if known[1] is not None:
        origin = f"{reference.pack or 'catalogue'} {known[1].magnitude} and colour"
        error = float(np.hypot(error, known[1].scatter / np.sqrt(kept.sum())))
    if growth is not None:
        error = float(np.hypot(error, growth.error))
    kron = whole[kept] + 2.5 * np.log10(np.asarray(chosen["FLUX_AUTO"], dtype=float)[kept])
    return ZeroPoint(
        value,
        float(error),
        scatter,
        int(kept.sum()),
        origin,
        float(np.median(kron)),
        _flatness(chosen, single - value, config.cells),
        _robust(single - value) <= config.cloud_scatter,
    )


def _whole_light(stars: Table, growth: GrowthCurve | None, aperture_px: float) -> np.ndarray:
    """Instrumental magnitudes of all their light, zero point 0."""
    if growth is None:
        return -2.5 * np.log10(np.asarray(stars["FLUX_AUTO"], dtype=float))
    inside = np.asarray(stars["FLUX_APER"], dtype=float)[:, -1]
    return -2.5 * np.log10(np.maximum(inside, 1e-30)) + growth.correction(aperture_px)


def _brightest(stars: Table, good: np.ndarray, most: int) -> np.ndarray:
    """Indices of the good stars of the highest signal to noise: the sky's error weighs least on them."""
    places = np.flatnonzero(good)
    order = np.argsort(-np.asarray(stars["SNR_WIN"])[places], kind="stable")
    return places[order[:most]]


def _flatness(stars: Table, residual: np.ndarray, cells: int) -> float:
    """Scatter of the medians of cells x cells parts of the frame, less what the noise of stars explains."""
    if "XWIN_IMAGE" not in stars.colnames or not len(stars):
        return float("nan")
    part = np.zeros(len(stars), dtype=int)
    for name in ("XWIN_IMAGE", "YWIN_IMAGE"):
        at = np.asarray(stars[name], dtype=float)
        part = part * cells + np.clip(
            (cells * (at - at.min()) / max(np.ptp(at), 1e-9)).astype(int), 0, cells - 1
        )
    medians, noises = [], []
    for k in np.unique(part):
        here = residual[part == k]
        if len(here) >= 5:
            medians.append(np.median(here))
            noises.append(_MEDIAN_ERROR**2 * _robust(here - np.median(here)) ** 2 / len(here))
    if len(medians) < 2:
        return float("nan")
    return float(np.sqrt(max(np.var(medians, ddof=1) - np.mean(noises), 0.0)))


def depth(
    noise_adu: float,
    zeropoint: float,
    exptime_s: float,
    aperture_px: float,
    sigmas: float = 5.0,
    aperture_correction_mag: float = 0.0,
) -> float:
    """Magnitude of a star whose flux in an aperture (diameter in pixels) is so many sigma of the sky's noise.

    `noise_adu` is that of one pixel, uncorrelated: for resampled images that of independent pixels.
    `aperture_correction_mag` is the star's whole light less that in the aperture (negative).
    """
    area = np.pi * (aperture_px / 2) ** 2
    limit = zeropoint - 2.5 * np.log10(sigmas * noise_adu * np.sqrt(area) / exptime_s)
    return float(limit + aperture_correction_mag)


def aperture_correction(
    sources: Table, config: Photometry, small: int = 0, large: int = -1
) -> tuple[float, float]:
    """Magnitude of a point source in the large aperture minus that in the small one, and its error.

    `small` and `large` count the columns of MAG_APER. Gives (0, 0) where no star is fit for it.
    """
    good = sources[_fit(sources, config) & (np.asarray(sources["MAG_APER"]) < 99).all(axis=1)]
    magnitudes = np.asarray(good["MAG_APER"], dtype=float)
    single = magnitudes[:, large] - magnitudes[:, small]
    kept, scatter = _clip(single, config.clip_sigma)
    if not kept.any():
        return 0.0, 0.0
    return float(np.median(single[kept])), float(_MEDIAN_ERROR * scatter / np.sqrt(kept.sum()))


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


def _clip(values: np.ndarray, sigmas: float) -> tuple[np.ndarray, float]:
    """Which values lie within so many sigma of the median of such, and the robust scatter of those."""
    kept, scatter = np.ones(len(values), dtype=bool), 0.0
    for _ in range(20):
        if not kept.any():
            break
        scatter = _robust(values[kept] - np.median(values[kept]))
        still = np.abs(values - np.median(values[kept])) <= sigmas * max(scatter, 1e-6)
        if (still == kept).all():
            break
        kept = still
    return kept, scatter


def _robust(offsets: np.ndarray) -> float:
    """Standard deviation of the bulk of offsets from the middle."""
    return float(1.4826 * np.median(np.abs(offsets))) if len(offsets) else 0.0
