"""Section `Reduction`: catalogues, PSF stars, repair and trails."""

from typing import Literal

from mar.config.base import Section, item


class Reduction(Section):
    """Catalogues of single frames, selection of PSF stars, repair of masked pixels, trails."""

    cat_back_filtersize: int = item(
        3, "Width of the median filter over the background mesh", unit="mesh", ge=1
    )
    cat_back_size: int = item(256, "Mesh of the background", unit="pixel", ge=8)
    cat_detect_thresh: float = item(1.5, "Detection threshold above the background", unit="sigma", gt=0)
    cat_detect_minarea: int = item(5, "Least number of pixels of a detection", unit="pixel", ge=1)
    cat_reference_aper: float = item(3.0, "Diameter of the reference aperture", unit="arcsec", gt=0)
    cat_zeropoint: float = item(20.0, "Zero point of instrumental magnitudes", unit="mag")
    final_indivcat_include_winparams: bool = item(True, "Windowed parameters in the final catalogues")
    daily_astrom_use_winparams: bool = item(True, "Windowed centroids for the astrometry")
    fwhm_isoareamin: int = item(40, "Least isophotal area of a PSF star", unit="pixel", ge=1)
    fwhm_ellipmax: float = item(0.2, "Greatest ellipticity of a PSF star", gt=0, le=1)
    fwhm_nobjects: int = item(200, "PSF stars used at most", ge=1)
    max_snr: float = item(1000.0, "Greatest signal-to-noise ratio of a PSF star", gt=0)
    fwhm_snmin: float = item(30.0, "Least signal-to-noise ratio of a PSF star", gt=0, alias="FWHM_SNmin")
    cat_ngrid: int = item(12, "Cells along each axis that astrometric stars are drawn from", ge=1)
    objects_per_cell: int = item(8, "Astrometric stars drawn from each cell", ge=1)
    cat_margin: int = item(10, "Margin without astrometric stars", unit="pixel", ge=0)
    pixscale: float = item(
        0.55, "Pixel scale; the camera's own is used", unit="arcsec/pixel", gt=0, unused=True
    )
    pixcor_maskvalues: tuple[int, ...] = item((1,), "Mask bits whose pixels are repaired")
    pixcor_mode: Literal["morphology", "pixels"] = item(
        "morphology", "Repair groups of pixels, or single ones"
    )
    pixcor_interpolator: Literal["idw", "median", "linear"] = item("idw", "How masked pixels are repaired")
    pixcor_maxarea: int = item(10000, "Largest group of masked pixels that is repaired", unit="pixel", ge=1)
    hough_lines_thresh: int = item(100, "Least votes for a trail", ge=1)
    hough_lines_minlength: int = item(100, "Least length of a piece of trail", unit="pixel", ge=1)
    hough_lines_maxgap: int = item(50, "Largest gap within a piece of trail", unit="pixel", ge=0)
    sat_detect_minarea: int = item(100, "Least area of a piece of trail", unit="pixel", ge=1)
    sat_elongation: float = item(5.0, "Least elongation of a piece of trail", ge=1)
    sat_ellipticity: float = item(0.8, "Least ellipticity of a piece of trail", ge=0, le=1)
