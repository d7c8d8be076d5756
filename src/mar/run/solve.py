"""Solve one image of any telescope: bin, detect, match with the packs, fit; the file stays as it is."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io.fits import Header

from mar.config import Config
from mar.config.astrometry import Astrometry
from mar.config.reduction import Reduction
from mar.config.scamp import Scamp
from mar.errors import BadConfig, BadHeader, BadImage
from mar.frame import set_cards
from mar.io.fits import read_image, replace_header, write_bytes
from mar.refcat.packs import RefCat
from mar.steps.astrometry import Solution, search_cone, solve
from mar.steps.background import estimate
from mar.steps.rough import Pointing, pointing_of, rough_at
from mar.steps.sources import detect
from mar.steps.wcs_header import iraf_projection, without_astrometry

PIXEL = 0.55  # arcsec; limits in arcsec grow with the pixels above this
LEAST_SIDE = 16  # pixels


@dataclass(frozen=True)
class Wishes:
    """What is known about an image beside its header; None where the header must tell."""

    ra_deg: float | None = None
    dec_deg: float | None = None
    scale_arcsec: float | None = None
    radius_deg: float | None = None  #: how far the true position may be
    angle_deg: float = 180.0  #: how far the orientation may be off; 180 for any
    bin: int = 1  #: binning before detection; 2 for a Bayer mosaic
    degree: int = 3
    pack: str = ""
    epoch: float | None = None  #: Julian year


class Solved(NamedTuple):
    """A solution in the pixels of the file, and the number of sources that it was sought with."""

    solution: Solution
    sources: int
    header: Header  #: the file's, with the solution
    left_out: str = ""  #: TNX or ZPX where the file had such a distortion: only its linear part was used


def solve_file(path: Path, folder: Path, wishes: Wishes) -> Solved:
    """The solution of an image with the packs of `folder`.

    Raises NotSolved, NoReference, ReferenceUnreachable, BadImage, and BadHeader where neither header nor
    `wishes` tell where it points and how large its pixels are.
    """
    data, header = read_image(path)
    image = binned(data, wishes.bin, path.name)
    known = pointing_of(header, data.shape)
    pointing = Pointing(
        wishes.ra_deg if wishes.ra_deg is not None else known.ra_deg,
        wishes.dec_deg if wishes.dec_deg is not None else known.dec_deg,
        wishes.scale_arcsec or known.scale_arcsec,
        known.cd,
        wishes.epoch or known.epoch,
    )
    if pointing.ra_deg is None or pointing.dec_deg is None or not pointing.scale_arcsec:
        raise BadHeader(
            f"{path.name}: the header does not tell where it points and how large its pixels are; give "
            "--ra, --dec (degrees) and --scale (arcsec/pixel)"
        )
    rough = rough_at(pointing, data.shape).binned(wishes.bin)
    config = _config(rough.scale_arcsec, image.shape, wishes)
    sky = estimate(image, None, config.reduction.cat_back_size)
    sources = detect(image, None, sky, config.reduction, gain=1.0)
    cone = search_cone(rough, image.shape, config.scamp)
    stars = RefCat(folder).stars_in(cone, pointing.epoch, wishes.pack)
    solution = solve(sources, stars, rough, image.shape, config).unbinned(wishes.bin)
    solved = without_astrometry(header)
    set_cards(solved, solution.cards())
    return Solved(solution, len(sources), solved, iraf_projection(header))


def write_solved(path: Path, solved: Solved, copy: Path | None, wcs: Path | None) -> None:
    """Write a copy of the image with the solution, or the header alone as a FITS file without pixels."""
    if copy is not None:
        if copy.resolve() == path.resolve():
            raise BadConfig(f"{copy} is the image itself: give another name, it is never overwritten")
        if (copy.suffix == ".fz") != (path.suffix == ".fz"):
            raise BadConfig(f"{copy.name}: the copy is packed as {path.name} is; both names end alike")
        shutil.copyfile(path, copy)
        replace_header(copy, solved.header)
    if wcs is not None:
        bare = Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0)])
        bare.extend([card for card in solved.header.cards if card.keyword not in bare], end=True)
        write_bytes(wcs, bare.tostring().encode("ascii"))


def binned(data: np.ndarray, factor: int, label: str = "image") -> np.ndarray:
    """The means (float32) of blocks of factor x factor pixels; rows and columns left over are not used."""
    ny, nx = (size // factor for size in data.shape)
    if min(ny, nx) < LEAST_SIDE:
        raise BadImage(f"{label}: {nx} x {ny} pixels after binning by {factor} are too few")
    blocks = data[: ny * factor, : nx * factor].astype(np.float32).reshape(ny, factor, nx, factor)
    return np.ascontiguousarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _config(scale_arcsec: float, shape: tuple[int, ...], wishes: Wishes) -> Config:
    """Limits in arcsec for pixels of that scale, meshes for an image of that size."""
    larger = max(1.0, scale_arcsec / PIXEL)
    default = Config()
    radius_deg = wishes.radius_deg or max(default.scamp.position_maxerr / 60, 20 * scale_arcsec / 3600)
    scamp = Scamp(
        fwhm_thresholds=(0.5, 30.0),
        sn_thresholds=(7.0, 100.0),
        distort_degrees=wishes.degree,
        match_flipped=True,
        crossid_radius=max(default.scamp.crossid_radius, 3 * scale_arcsec),
        position_maxerr=60 * radius_deg,
        posangle_maxerr=wishes.angle_deg,
        astrefmag_limits=(-99.0, 99.0),
    )
    mesh = int(np.clip(min(shape) // 6, LEAST_SIDE, default.reduction.cat_back_size))
    reduction = Reduction(cat_detect_thresh=3.0, cat_detect_minarea=3, cat_back_size=mesh, cat_margin=3)
    astrometry = Astrometry(max_rms=default.astrometry.max_rms * larger)
    return Config(scamp=scamp, reduction=reduction, astrometry=astrometry)
