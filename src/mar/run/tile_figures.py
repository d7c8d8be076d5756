"""What is measured on a finished tile: catalogue, PSF, zero point, depth, astrometric residuals."""

from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table

from mar.camera import Camera
from mar.config import Config
from mar.errors import NoReference, ReferenceUnreachable
from mar.frame import CardValue
from mar.io.names import Layout
from mar.refcat.packs import RefCat
from mar.refcat.stars import Cone, Stars
from mar.steps import statistics
from mar.steps.astrometry import add_positions
from mar.steps.background import estimate
from mar.steps.growth import growth_curve
from mar.steps.photometry import depth, zero_point
from mar.steps.quality import PsfFigures, psf_figures
from mar.steps.residuals import Residuals, residuals
from mar.steps.rough import rough_from_header
from mar.steps.sources import APERTURES_PX, detect

Cards = dict[str, CardValue | tuple[CardValue, str]]


@dataclass(frozen=True)
class TileFigures:
    """The catalogue of a tile, its header cards and the figures that the archive keeps; None is unknown."""

    sources: Table
    cards: Cards
    zeropoint: float | None
    fwhm: float | None  #: arcsec
    ellipticity: float | None
    depth: float | None  #: 5 sigma in the reference aperture, mag
    astrometric_rms: float | None  #: arcsec, per axis
    psf: PsfFigures
    residuals: Residuals


def measure_tile(
    data: np.ndarray,
    mask: np.ndarray,
    noise: float,
    header: Header,
    band: str,
    epoch: float,
    layout: Layout,
    camera: Camera,
    config: Config,
) -> TileFigures:
    """Measure a tile (adu/s) with its mask; `noise` is that of one pixel, before resampling, adu/s."""
    pixels = np.asarray(data)
    reduction = config.reduction
    sky = estimate(pixels, mask, reduction.cat_back_size, reduction.cat_back_filtersize)
    sources = detect(pixels, mask, sky, reduction, gain=float(header["GAIN"]), local_noise=True)
    wcs = rough_from_header(header, pixels.shape)  # exact: a tile is a tangent plane
    sources = add_positions(sources, wcs)
    scale_arcsec = wcs.scale_arcsec
    psf = psf_figures(pixels, sources, reduction, float(header["GAIN"]), mask)
    stars = _reference(wcs.crval, pixels.shape, scale_arcsec, epoch, layout, config)
    growth = growth_curve(pixels, mask, sources, reduction, psf.fwhm_moffat_px, psf.beta)
    zeropoint = zero_point(
        sources,
        stars,
        band,
        1.0,
        camera.band(band).zeropoint_adu_s,
        config.photometry,
        growth=growth,
        aperture_px=APERTURES_PX[-1],
        wavelength_nm=camera.band(band).wavelength_nm,
    )
    off = residuals(sources, stars, wcs.crval)
    rms_mas = off.rms_mas
    aperture_px = reduction.cat_reference_aper / scale_arcsec
    correction = growth.correction(aperture_px) if growth else 0.0
    limit = depth(noise, zeropoint.value, 1.0, aperture_px, aperture_correction_mag=correction)
    cards: Cards = dict(statistics.measure(pixels, mask).cards())
    cards |= psf.cards(scale_arcsec) | zeropoint.cards()
    cards |= growth.cards(APERTURES_PX) if growth else {}
    cards["MAR PHO DEPTH"] = (
        round(limit, 4),
        f"[mag] star of 5 sigma in {reduction.cat_reference_aper} arcsec",
    )
    if np.isfinite(rms_mas):
        cards["MAR AST RMS"] = (round(rms_mas, 3), "[mas] per axis, to the reference")
    return TileFigures(
        sources,
        cards,
        zeropoint.value,
        _known(psf.fwhm_moffat_px * scale_arcsec),
        _known(psf.ellipticity),
        _known(limit),
        _known(rms_mas / 1000),
        psf,
        off,
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _reference(
    centre: tuple[float, float],
    shape: tuple[int, ...],
    scale_arcsec: float,
    epoch: float,
    layout: Layout,
    config: Config,
) -> Stars:
    """The reference stars of a tile; none where there is no catalogue, the tile is made all the same."""
    radius_deg = np.hypot(shape[0], shape[1]) / 2 * scale_arcsec / 3600
    try:
        cone = Cone(*centre, float(radius_deg))
        return RefCat(layout.reference).stars_in(cone, epoch, config.scamp.astref_catalog)
    except (NoReference, ReferenceUnreachable):
        nothing = np.empty(0)
        return Stars(nothing, nothing, nothing)
