"""The sources of a processed frame, their astrometry, photometry and PSF."""

from dataclasses import dataclass

from astropy.table import Table

from mar.camera import Camera
from mar.config import Config
from mar.frame import Frame
from mar.io.names import Layout
from mar.refcat.packs import RefCat
from mar.run.plots import residual_plot
from mar.steps.astrometry import add_positions, search_cone, solve, with_solution
from mar.steps.background import estimate
from mar.steps.growth import growth_curve
from mar.steps.photometry import zero_point
from mar.steps.quality import psf_figures
from mar.steps.rough import rough_wcs
from mar.steps.sources import APERTURES_PX, detect


@dataclass(frozen=True)
class Measured:
    """A frame with what was measured on it."""

    frame: Frame
    sources: Table | None = None
    plot: bytes = b""  #: PNG of the astrometric residuals


def measure(frame: Frame, layout: Layout, camera: Camera, config: Config) -> Measured:
    """Detect, solve, calibrate. Raises NotSolved, NoReference, ReferenceUnreachable, BadHeader, BadImage."""
    exposure = frame.exposure
    assert exposure is not None  # read with its camera
    reduction = config.reduction
    sky = estimate(frame.data, frame.mask, reduction.cat_back_size, reduction.cat_back_filtersize)
    sources = detect(frame.data, frame.mask, sky, reduction, gain=camera.gain)
    rough = rough_wcs(frame, camera)
    cone = search_cone(rough, frame.data.shape, config.scamp)
    stars = RefCat(layout.reference).stars_in(cone, exposure.date_obs, config.scamp.astref_catalog)
    solution = solve(sources, stars, rough, frame.data.shape, config, exposure.band or "")
    frame = with_solution(frame, solution)
    sources = add_positions(sources, solution.wcs)
    band = camera.band(exposure.band or "")
    psf = psf_figures(frame.data, sources, reduction, camera.gain, frame.mask)
    growth = growth_curve(frame.data, frame.mask, sources, reduction, psf.fwhm_moffat_px, psf.beta)
    zeropoint = zero_point(
        sources,
        stars,
        band.name,
        exposure.exptime_s,
        band.zeropoint_adu_s,
        config.photometry,
        growth=growth,
        aperture_px=APERTURES_PX[-1],
        wavelength_nm=band.wavelength_nm,
    )
    frame = frame.with_cards(zeropoint.cards()).with_cards(psf.cards(solution.wcs.scale_arcsec))
    frame = frame.with_cards(growth.cards(APERTURES_PX) if growth else {})
    return Measured(frame, sources, residual_plot(solution, f"{frame.label} {band.name}"))
