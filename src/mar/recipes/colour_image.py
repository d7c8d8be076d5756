"""The tiles of a field in all bands become one colour picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial as with_first

import numpy as np

from mar.camera import Camera
from mar.config.colour import Colour
from mar.errors import BadImage, NotEnoughFrames
from mar.kernels.threads import bands, in_threads
from mar.progress import Progress, silent
from mar.steps.colour import Levels, find_common_levels, find_levels, mix, paint, response
from mar.steps.picture import shrunk, write_caption
from mar.steps.sky_mesh import RowReader

CHANNELS = ("R", "G", "B")
BAND_ROWS = 64  # at work in a thread: a few MB
STEP_ROWS = 512  # from one word of progress to the next

Members = dict[str, list[str]]  # bands of each channel


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
    BadImage where the tiles differ in shape. The tiles are read in bands of rows, by several threads.
    """
    missing = missing_bands(tiles, camera)
    members = _members(tiles, camera)
    if not any(members.values()) or (missing and not partial):
        raise NotEnoughFrames(
            f"the colour image lacks the bands {', '.join(missing)}; make their tiles first"
        )
    members = _without_gaps(members)
    ny, nx = _shape(tiles)
    progress("levels", 0, 1)
    levels = _levels(tiles, members, camera, config, ny)
    progress("levels", 1, 1)
    pixels = np.empty((ny, nx, 3), np.uint8)

    def paint_rows(y0: int, part: tuple[int, int]) -> None:
        low, high = y0 + part[0], y0 + part[1]
        channels = [_channel(tiles, members[name], low, high) for name in CHANNELS]
        # row 0 of an image in FITS is its lowest, that of a picture the highest
        upside_down = pixels[ny - high : ny - low][::-1]
        paint(channels, [levels[name] for name in CHANNELS], config, upside_down)

    for y0, y1 in bands(ny, STEP_ROWS):
        progress("colour", y0, ny)
        in_threads(with_first(paint_rows, y0), bands(y1 - y0, BAND_ROWS))
    progress("colour", ny, ny)
    if missing:
        write_caption(pixels, [f"without {', '.join(missing)}"])
    return ColourImage(pixels, shrunk(pixels, config.preview_size), levels, missing)


def _members(tiles: Mapping[str, RowReader], camera: Camera) -> Members:
    return {
        name: [band.name for band in camera.filters if band.channel == name and band.name in tiles]
        for name in CHANNELS
    }


def _without_gaps(members: Members) -> Members:
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


def _channel(tiles: Mapping[str, RowReader], names: Sequence[str], y0: int, y1: int) -> np.ndarray:
    return mix([np.asarray(tiles[name].rows(y0, y1), dtype=np.float32) for name in names])


def _levels(
    tiles: Mapping[str, RowReader], members: Members, camera: Camera, config: Colour, ny: int
) -> dict[str, Levels]:
    """Levels from some rows, in groups of eight spread over the whole tile."""
    groups = np.unique(np.linspace(0, max(0, ny - 8), max(1, config.sample_rows // 8)).astype(int))

    def sample(name: str) -> np.ndarray:
        parts = in_threads(
            lambda y0: _channel(tiles, members[name], int(y0), min(ny, int(y0) + 8)), list(groups)
        )
        return np.concatenate(parts)

    if config.scaling == "lupton":
        samples = [sample(name) for name in CHANNELS]
        responses = [response([camera.band(band) for band in members[name]]) for name in CHANNELS]
        return dict(zip(CHANNELS, find_common_levels(samples, responses, config), strict=True))
    return {name: find_levels(sample(name), config) for name in CHANNELS}
