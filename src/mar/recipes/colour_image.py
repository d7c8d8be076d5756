"""The tiles of a field in all bands become one colour picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mar.camera import Camera
from mar.config.colour import Colour
from mar.errors import BadImage, NotEnoughFrames
from mar.progress import Progress, silent
from mar.steps.colour import Levels, find_levels, mix, paint
from mar.steps.picture import shrunk, with_caption
from mar.steps.sky_mesh import RowReader

CHANNELS = ("R", "G", "B")
BAND_ROWS = 256


@dataclass(frozen=True)
class ColourImage:
    """A colour picture, north up."""

    pixels: np.ndarray  #: (ny, nx, 3) uint8, the first row is the top one
    preview: np.ndarray  #: the same, smaller
    levels: dict[str, Levels]  #: of the channels R, G, B
    missing: list[str]  #: bands that the camera has and the field has not


def missing_bands(tiles: Mapping[str, RowReader], camera: Camera) -> list[str]:
    """The bands of the camera's colour channels that have no tile."""
    return [band.name for band in camera.filters if band.channel and band.name not in tiles]


def colour_image(
    tiles: Mapping[str, RowReader],
    camera: Camera,
    config: Colour,
    partial: bool = False,
    progress: Progress = silent,
) -> ColourImage:
    """Mix the tiles (band -> reader, one grid) into three channels and scale them for the eye.

    The channel of a band is the camera's to say. Raises NotEnoughFrames where bands are missing, unless
    `partial`: then the picture names them, and a channel without any band takes its neighbours'. Raises
    BadImage where the tiles differ in shape. The tiles are read in bands of rows.
    """
    missing = missing_bands(tiles, camera)
    members = {name: _members(tiles, camera, name) for name in CHANNELS}
    if not any(members.values()) or (missing and not partial):
        raise NotEnoughFrames(
            f"the colour image lacks the bands {', '.join(missing)}; make their tiles first"
        )
    members = _without_gaps(members)
    ny, nx = _shape(tiles)
    levels = _levels(members, ny, config, progress)
    pixels = np.empty((ny, nx, 3), np.uint8)
    for y0 in range(0, ny, BAND_ROWS):
        progress("colour", y0, ny)
        y1 = min(ny, y0 + BAND_ROWS)
        channels = [_channel(members[name], y0, y1) for name in CHANNELS]
        # row 0 of an image in FITS is its lowest, that of a picture the highest
        pixels[ny - y1 : ny - y0] = paint(channels, [levels[name] for name in CHANNELS], config)[::-1]
    progress("colour", ny, ny)
    if missing:
        pixels = with_caption(pixels, [f"without {', '.join(missing)}"])
    return ColourImage(pixels, shrunk(pixels, config.preview_size), levels, missing)


def _members(tiles: Mapping[str, RowReader], camera: Camera, channel: str) -> list[RowReader]:
    return [tiles[band.name] for band in camera.filters if band.channel == channel and band.name in tiles]


def _without_gaps(members: dict[str, list[RowReader]]) -> dict[str, list[RowReader]]:
    """Each channel with at least one tile: an empty one takes those next to it."""
    red, green, blue = (members[name] for name in CHANNELS)
    return {"R": red or green or blue, "G": green or red + blue, "B": blue or green or red}


def _shape(tiles: Mapping[str, RowReader]) -> tuple[int, int]:
    shapes = {band: tuple(reader.shape[:2]) for band, reader in tiles.items()}
    if len(set(shapes.values())) != 1:
        said = ", ".join(f"{band} {shape}" for band, shape in shapes.items())
        raise BadImage(f"the tiles are not on one grid ({said}); make them again with one IMAGE_SIZE")
    ny, nx = next(iter(shapes.values()))
    return int(ny), int(nx)


def _channel(members: Sequence[RowReader], y0: int, y1: int) -> np.ndarray:
    return mix([np.asarray(reader.rows(y0, y1), dtype=np.float32) for reader in members])


def _levels(
    members: dict[str, list[RowReader]], ny: int, config: Colour, progress: Progress
) -> dict[str, Levels]:
    """Levels from some rows, in groups of eight spread over the whole tile."""
    groups = np.unique(np.linspace(0, max(0, ny - 8), max(1, config.sample_rows // 8)).astype(int))
    levels = {}
    for done, name in enumerate(CHANNELS):
        progress("levels", done, len(CHANNELS))
        sample = [_channel(members[name], int(y0), min(ny, int(y0) + 8)) for y0 in groups]
        levels[name] = find_levels(np.concatenate(sample), config)
    progress("levels", len(CHANNELS), len(CHANNELS))
    return levels
