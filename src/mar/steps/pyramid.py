"""A picture cut into the tiles of a Deep Zoom image: each level half the next, down to one pixel."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mar.steps.picture import reduced

TILE = 512  #: pixels along each side of a tile, without what overlaps
OVERLAP = 1  #: pixels that a tile shares with each neighbour

_DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{format}"
       Overlap="{overlap}" TileSize="{tile}">
  <Size Width="{nx}" Height="{ny}"/>
</Image>
"""


class Cut(NamedTuple):
    """One tile of a level."""

    column: int
    row: int
    place: tuple[slice, slice]  #: of its pixels in the level


def description(shape: tuple[int, ...], format: str) -> str:
    """The text of the .dzi file of a picture of that shape (ny, nx, ...); `format` is the suffix of tiles."""
    ny, nx = shape[:2]
    return _DESCRIPTION.format(format=format, overlap=OVERLAP, tile=TILE, nx=nx, ny=ny)


def levels(pixels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Number and pixels of each level, from the picture (ny, nx, 3) itself to the one of a single pixel."""
    number = int(max(pixels.shape[:2]) - 1).bit_length()
    yield number, pixels
    while number > 0:
        pixels = reduced(pixels, 2)
        number -= 1
        yield number, pixels


def cuts(shape: tuple[int, ...]) -> list[Cut]:
    """The tiles of a level of that shape (ny, nx, ...)."""
    return [Cut(column, row, (y, x)) for row, y in _spans(shape[0]) for column, x in _spans(shape[1])]


def _spans(length: int) -> list[tuple[int, slice]]:
    starts = range(0, length, TILE)
    return [
        (number, slice(max(0, start - OVERLAP), min(length, start + TILE + OVERLAP)))
        for number, start in enumerate(starts)
    ]
