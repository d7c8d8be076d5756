"""Section `Coadd`: how frames become a tile, beside the legacy items of `Swarp`."""

from typing import Literal

from mar.config.base import Section, item


class Coadd(Section):
    """Grid, resampling and combination of the frames of a tile."""

    method: Literal["clipped", "weighted", "median"] = item(
        "clipped", "Clipped weighted mean, plain weighted mean, or median"
    )
    clip_sigma: float = item(4.0, "Clip values further than this from the median", unit="sigma", gt=0)
    clip_fraction: float = item(
        0.3, "and further than this part of the median, which spares the cores of stars", ge=0
    )
    background: Literal["mesh", "galaxy", "constant"] = item(
        "mesh",
        "Subtract the mesh, the mesh smoothed across large galaxies, or its median alone",
    )
    resampling: Literal["nearest", "bilinear", "lanczos2", "lanczos3", "lanczos4"] = item(
        "lanczos3", "Interpolating function"
    )
    flux_scaling: Literal["none", "fixed", "variable"] = item(
        "fixed",
        "Keep pixel values, scale by the ratio of the pixel areas at the centre, or by the local ratio",
    )
    tile_size: Literal["auto", "fixed"] = item(
        "auto", "IMAGE_SIZE pixels, or less where the camera's frames and their dithers cover less"
    )
    dither_margin: float = item(
        0.2, "With auto: the tile is larger than a frame by this part of it", ge=0, le=1
    )
    pixel_scale_arcsec: float = item(0.0, "Pixel of the tile; 0 = the camera's", unit="arcsec", ge=0)
    scale_flux: bool = item(True, "Scale frames to a common transparency by the stars they share")
    match_radius_arcsec: float = item(1.5, "Stars of two frames are one within this", unit="arcsec", gt=0)
    star_min_snr: float = item(20.0, "Signal to noise of stars that measure transparency and seeing", gt=0)
    max_seeing_ratio: float = item(
        2.0, "Drop frames whose stars are wider than this many times the median frame's", gt=1
    )
    min_transparency: float = item(
        0.3, "Drop frames with less than this part of the median frame's flux", ge=0, lt=1
    )
    max_sky_ratio: float = item(
        10.0, "Drop frames whose sky is brighter than this many times the median frame's", gt=1
    )
    max_noise_ratio: float = item(
        5.0, "Drop frames with more noise of the sky than this many times the median frame's", gt=1
    )
    memory_mb: int = item(256, "Memory for one band of resampled rows", unit="MB", ge=16)
    provenance: bool = item(True, "Write beside the tile which frames each of its pixels comes from")
