"""Sections `PSFex` and `Sextractor`: kept for existing scripts."""

from mar.config.base import Section, item


class PSFex(Section):
    """PSF statistics. They come from a Moffat fit of stars, chosen by the FWHM_ items of `Reduction`."""

    vignet_back_filtersize: int = item(3, "Median filter over the background mesh", unused=True)
    vignet_back_size: int = item(256, "Mesh of the background", unit="pixel", unused=True)
    vignet_detect_thresh: float = item(5.0, "Detection threshold", unit="sigma", unused=True)
    vignet_analysis_thresh: float = item(5.0, "Analysis threshold", unit="sigma", unused=True)
    vignet_detect_minarea: int = item(5, "Least number of pixels", unit="pixel", unused=True)
    vignet_phot_fluxfrac: float = item(0.5, "Fraction of light of the half-light radius", unused=True)
    vignet_phot_apertures: float = item(10.0, "Aperture", unit="pixel", unused=True)
    psfex_cat_max_magerr_auto: float = item(0.1, "Greatest magnitude error", unit="mag", unused=True)
    psfex_cat_max_ellipticity: float = item(0.2, "Greatest ellipticity", unused=True)
    psfex_cat_min_isoarea_image: int = item(40, "Least isophotal area", unit="pixel", unused=True)
    psfex_cat_max_snr_win: float = item(1000.0, "Greatest signal-to-noise ratio", unused=True)
    psfex_basis_type: str = item("PIXEL", "Basis of the PSF model", unused=True)
    psfex_basis_number: int = item(20, "Size of the basis", unused=True)
    psfex_psf_sampling: float = item(0.0, "Sampling of the model", unit="pixel", unused=True)
    psfex_psf_size: tuple[int, ...] = item((25, 25), "Size of the model", unit="pixel", unused=True)
    psfex_psfvar_degrees: int = item(2, "Degree of the variation over the frame", unused=True)
    psfex_psfvar_nsnap: int = item(9, "Snapshots of the model", unused=True)
    psfex_homopsf_params: tuple[float, ...] = item((2.0, 3.0), "Homogenised PSF", unused=True)
    timeout: int = item(600, "Time limit", unit="s", unused=True)
    nthreads: int = item(0, "Threads", unused=True)


class Sextractor(Section):
    """Detection runs inside the library."""

    timeout: int = item(600, "Time limit", unit="s", unused=True)
    nthreads: int = item(0, "Threads", unused=True)
