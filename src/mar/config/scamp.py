"""Section `Scamp`: the astrometric solution, in the words of existing scripts."""

from mar.config.base import Section, item


class Scamp(Section):
    """Reference stars, matching and distortion."""

    astrref_server: str = item("local", "Server of reference catalogues; packs on disk are used", unused=True)
    scamp_checkplot_dev: str = item("PNG", "Device of the check plots", unused=True)
    fwhm_thresholds: tuple[float, float] = item((1.0, 20.0), "FWHM of usable stars", unit="pixel")
    sn_thresholds: tuple[float, float] = item((10.0, 100.0), "Signal-to-noise of usable and of good stars")
    distort_degrees: int = item(3, "Degree of the distortion polynomial", ge=1, le=5)
    match: bool = item(True, "Match the pattern of stars; false trusts the header")
    match_flipped: bool = item(False, "Allow mirrored images")
    crossid_radius: float = item(10.0, "Radius of the last cross-identification", unit="arcsec", gt=0)
    position_maxerr: float = item(5.0, "Greatest pointing error", unit="arcmin", gt=0)
    pixscale_maxerr: float = item(1.2, "Greatest factor between true and nominal pixel scale", gt=1)
    posangle_maxerr: float = item(5.0, "Greatest error of the position angle", unit="deg", gt=0)
    match_resol: float = item(0.0, "Resolution of the match; chosen from the data", unused=True, ge=0)
    astref_catalog: str = item("", "Name of the reference pack, or a pattern as gaia*; empty takes all packs")
    astrefmag_limits: tuple[float, float] = item((-99.0, 18.0), "Magnitudes of reference stars", unit="mag")
    astrclip_nsigma: float = item(3.0, "Reject stars beyond this from the solution", unit="sigma", gt=0)
    timeout: int = item(600, "Time limit", unit="s", unused=True, ge=0)
    nthreads: int = item(0, "Threads", unused=True, ge=0)
    detect_thresh_cat: float = item(5.0, "Detection threshold of astrometric stars", unit="sigma", gt=0)
    back_filtersize_cat: int = item(3, "Median filter over the background mesh", unit="mesh", ge=1)
    back_size_cat: int = item(256, "Mesh of the background", unit="pixel", ge=8)
    filter_cat: bool = item(True, "Convolve before detection")
    phot_apertures_cat: tuple[float, ...] = item((10.0,), "Diameters of the apertures", unit="pixel")
