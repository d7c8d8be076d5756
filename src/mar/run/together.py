"""Solve the processed frames of a field together and give them the common solution; their pixels stay."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.table import Table

from mar.camera import Camera
from mar.config import Config
from mar.errors import BadHeader, MarError, NotEnoughFrames
from mar.exposure import read_exposure
from mar.frame import set_cards
from mar.io.catalogs import read_catalog, write_catalog
from mar.io.fits import read_header, replace_header, stem
from mar.io.names import Layout
from mar.refcat.packs import RefCat
from mar.refcat.stars import Cone, separation_deg
from mar.run.processed import astrometry_of
from mar.steps.astrometry import add_positions
from mar.steps.star_choice import unblended, usable
from mar.steps.together import Member, Together, solve_together
from mar.steps.tpv import Tpv, tpv_of
from mar.steps.wcs_header import without_wcs

logger = logging.getLogger(__name__)


def together(frames: Sequence[Path], layout: Layout, camera: Camera, config: Config) -> Together:
    """Solve processed frames of one field, of any bands, and write the result into them and their catalogues.

    Frames of one band share their distortion. Raises NotEnoughFrames for fewer than two, BadHeader where one
    has no solution of its own, NotSolved where one shares no stars with the rest; then nothing is written.
    """
    if len(frames) < 2:
        raise NotEnoughFrames("frames are solved together from two on")
    headers = [read_header(path) for path in frames]
    tables = [read_catalog(layout.frame_catalog(_raw_name(path))) for path in frames]
    for path, header in zip(frames, headers, strict=True):
        if header.get("ASTROMETRY") != "SUCCESS":
            raise BadHeader(f"{path.name}: has no astrometric solution; solve it first (`mar science`, am)")
    exposures = [
        read_exposure(header, camera, stem(path)) for path, header in zip(frames, headers, strict=True)
    ]
    members = [
        _member(tpv_of(header), (int(header["NAXIS2"]), int(header["NAXIS1"])), table, one.band or "", config)
        for header, table, one in zip(headers, tables, exposures, strict=True)
    ]
    epoch = min(one.date_obs for one in exposures)
    reference = RefCat(layout.reference).stars_in(_around(members), epoch, config.scamp.astref_catalog)
    found = solve_together(
        members,
        reference,
        config.scamp.distort_degrees,
        config.scamp.astrclip_nsigma,
        config.astrometry.reference_error,
    )
    cards = _cards(found, len(frames))
    for path, header, table, wcs in zip(frames, headers, tables, found.wcs, strict=True):
        solved = without_wcs(header)
        set_cards(solved, {**wcs.cards(), **cards})
        write_catalog(layout.frame_catalog(_raw_name(path)), add_positions(table, wcs), solved)
        replace_header(path, solved)
    return found


def tie_together(
    frames: Sequence[Path], layout: Layout, camera: Camera, config: Config
) -> dict[Path, dict[str, float]]:
    """The same for those that are solved: how good the common solution is, as the archive keeps it.

    Where it fails they keep their own solutions, the log tells, and nothing is given back.
    """
    try:
        solved = [path for path in frames if read_header(path).get("ASTROMETRY") == "SUCCESS"]
        if len(solved) < 2:
            return {}
        together(solved, layout, camera, config)
        return {path: astrometry_of(read_header(path)) for path in solved}
    except MarError as error:
        logger.warning("frames keep their own solutions: %s", error)
        return {}


def _raw_name(path: Path) -> str:
    return stem(path).removeprefix("proc_")


def _member(wcs: Tpv, shape: tuple[int, int], sources: Table, band: str, config: Config) -> Member:
    good = unblended(usable(sources, shape, config.scamp, config.reduction))
    error_px = np.hypot(np.asarray(good["ERRAWIN_IMAGE"]), np.asarray(good["ERRBWIN_IMAGE"])) / np.sqrt(2)
    error_mas = np.hypot(1000 * wcs.scale_arcsec * error_px, config.astrometry.source_floor)
    return Member(wcs, shape, np.asarray(good["XWIN_IMAGE"]), np.asarray(good["YWIN_IMAGE"]), error_mas, band)


def _around(members: Sequence[Member]) -> Cone:
    """A circle that holds every frame."""
    corners = []
    for one in members:
        ny, nx = one.shape
        corners.append(one.wcs.sky(np.array([1.0, nx, 1.0, nx]), np.array([1.0, 1.0, ny, ny])))
    ra, dec = (np.concatenate(axis) for axis in zip(*corners, strict=True))
    middle = members[0].wcs.sky(np.array(members[0].shape[1] / 2), np.array(members[0].shape[0] / 2))
    first = Cone(float(middle[0]), float(middle[1]), 0.0)
    return Cone(first.ra_deg, first.dec_deg, 1.02 * float(separation_deg(first, ra, dec).max()))


def _cards(found: Together, frames: int) -> dict[str, tuple[float | int, str]]:
    internal, reference = found.internal_mas, found.reference_mas
    cards: dict[str, tuple[float | int, str]] = {
        "MAR AST JOINT": (frames, "frames solved together"),
        "MAR AST JSTARS": (found.stars, "stars that tie them"),
    }
    for axis, word in ((0, "east"), (1, "north")):
        for name, value, what in (("INT", internal[axis], "frames"), ("REF", reference[axis], "reference")):
            if np.isfinite(value):
                cards[f"MAR AST {name}{axis + 1}"] = (round(value, 3), f"[mas] rms to {what}, {word}")
    return cards
