"""Section `Swarp`: the coadd, in the words of existing scripts."""

from mar.config.base import Section, item


class Swarp(Section):
    """Size of the tile and background of its frames."""

    nthreads: int = item(0, "Threads", unused=True, ge=0)
    timeout: int = item(1200, "Time limit", unit="s", unused=True, ge=0)
    fpack_intermediate: bool = item(False, "Compress resampled frames; there are none", unused=True)
    keep_intermediate_fits: bool = item(False, "Keep resampled frames; there are none", unused=True)
    first_run_subtract_back: bool = item(True, "Subtract the background of each frame")
    first_run_back_size: int = item(
        1024, "Mesh of the first background; one pass is made", unit="pixel", unused=True
    )
    first_run_back_filtersize: int = item(5, "Median filter over the first mesh", unit="mesh", unused=True)
    image_size: int = item(11000, "Rows and columns of a tile", unit="pixel", ge=1)
    second_run_back_filtersize: int = item(5, "Median filter over the background mesh", unit="mesh", ge=1)
    second_run_back_size: int = item(512, "Mesh of the background", unit="pixel", ge=8)
