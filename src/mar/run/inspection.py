"""From a pixel of a tile back to the frames that it comes from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mar.errors import BadImage
from mar.io.fits import open_image, read_header, stem
from mar.io.tile_index import STEP, read_fates
from mar.kernels.runs import CLIPPED, MASKED, OUTSIDE, USED
from mar.steps.grid import frame_wcs
from mar.steps.lattice import look_up

WORDS = {OUTSIDE: "outside", USED: "used", MASKED: "masked", CLIPPED: "rejected"}


@dataclass(frozen=True)
class Contribution:
    """What a frame gives to a pixel of a tile."""

    name: str
    x: float  #: FITS pixel of the frame: the first one is 1
    y: float
    weight: float  #: inverse variance, (adu/s)^-2; 0 unless used
    fate: str  #: used, masked (the frame's own mask), rejected (clipped by the combination), outside
    checksum: str  #: DATASUM of the frame when the tile was made


@dataclass(frozen=True)
class Inspected:
    """A pixel of a tile."""

    value: float  #: adu/s
    weight: float
    frames: list[Contribution]


def index_of(tile: Path) -> Path:
    """The index beside a tile."""
    return tile.with_name(f"{stem(tile)}frames.fits")


def inspect(tile: Path, x: int, y: int) -> Inspected:
    """What a tile's pixel (as FITS counts: the first one is 1, 1) is made of.

    Raises BadImage for a pixel outside the tile, and where the tile has no index.
    """
    index = index_of(tile)
    if not index.exists():
        raise BadImage(f"{index.name} is not beside the tile: make the tile again with PROVENANCE on")
    weight_path = next(
        (
            path
            for suffix in ("", ".fz")
            if (path := tile.with_name(f"{stem(tile)}weight.fits{suffix}")).exists()
        ),
        None,
    )
    with open_image(tile) as image:
        if not (1 <= x <= image.shape[1] and 1 <= y <= image.shape[0]):
            raise BadImage(f"{tile.name} has no pixel {x}, {y}: it is {image.shape[1]} x {image.shape[0]}")
        value = float(image.rows(y - 1, y)[0, x - 1])
    sky = frame_wcs(read_header(tile)).wcs_pix2world([[x, y]], 1)
    frames = []
    for frame, fate in read_fates(index, x - 1, y - 1):
        at_x, at_y = frame_wcs(frame.wcs).wcs_world2pix(sky, 1)[0]
        weight = float(look_up(frame.weight, STEP, np.array([x - 1.0]), np.array([y - 1.0]))[0])
        used = weight if fate == USED else 0.0
        frames.append(Contribution(frame.name, float(at_x), float(at_y), used, WORDS[fate], frame.checksum))
    return Inspected(value, _pixel(weight_path, x, y), frames)


def _pixel(path: Path | None, x: int, y: int) -> float:
    if path is None:
        return float("nan")
    with open_image(path) as image:
        return float(image.rows(y - 1, y)[0, x - 1])
