"""An image of the data root as a viewer sees it: the last row of the file is on top, so that y points up.

Full and half resolution are read by bands of rows, which are kept in memory while they are looked at; smaller
levels come from the overview.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from astropy.io.fits import Header

from mar.errors import BadImage
from mar.io.fits import ImageReader, open_image
from mar.steps.assemble import check_raw_shape, trim_rows
from marserver.reduction import site
from marserver.reduction.pictures.files import Stamp, opened, stamp_of
from marserver.reduction.pictures.overview import FIRST, Overview, overview
from marserver.reduction.pictures.shared import Shared
from marserver.reduction.pictures.shrink import block_bits, block_means
from marserver.reduction.pictures.stretch import usual_limits

BAND = 512  # rows
MOST_DECODERS = 2  # each has threads of its own
MOST_PICTURES = 24

decoders = threading.BoundedSemaphore(MOST_DECODERS)
bands: Shared[np.ndarray] = Shared(120 << 20, lambda band: band.nbytes)
pictures: Shared["Picture"] = Shared(MOST_PICTURES)
overviews: Shared[Overview] = Shared(MOST_PICTURES)
limits: Shared[dict[str, list[float]]] = Shared(1000)


@dataclass(frozen=True)
class Picture:
    """An image whose header is read."""

    stamp: Stamp
    shape: tuple[int, int]  #: rows and columns
    header: Header = field(repr=False)
    trimmed: bool  #: raw rows are shown without their overscan
    mask: bool

    @property
    def name(self) -> str:
        """What it is, in a word that changes with the file."""
        return f"{self.stamp} {self.trimmed}"

    @property
    def most(self) -> int:
        """The level of one pixel."""
        return (max(self.shape) - 1).bit_length()

    def size_at(self, level: int) -> tuple[int, int]:
        """Rows and columns of the image made smaller by 2^level."""
        ny, nx = self.shape
        return -(-ny // (1 << level)), -(-nx // (1 << level))

    def part(self, level: int, y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
        """Displayed rows and columns of a level; raises BadImage, NotFound where the file has gone."""
        if level >= FIRST:
            return self.overview().levels[level - FIRST][y0:y1, x0:x1]
        height = BAND >> level
        found = [
            self._band(level, n)[max(0, y0 - n * height) : y1 - n * height, x0:x1]
            for n in range(y0 // height, (y1 - 1) // height + 1)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def overview(self) -> Overview:
        """The small levels."""
        return overviews.get((self.name, self.mask), self._overview)

    def limits(self) -> dict[str, list[float]]:
        """Limits to show it with, by name."""
        return limits.get(self.name, lambda: usual_limits(self.overview().sample))

    def value(self, column: int, row: int) -> float:
        """The value of a zero-based pixel of the file."""
        down = self.shape[0] - 1 - row
        kept = bands.peek((self.name, self.mask, 0, down // BAND))
        if kept is not None:
            return float(kept[down % BAND, column])
        return float(self._rows(down, down + 1)[0, column])

    def _band(self, level: int, n: int) -> np.ndarray:
        return bands.get((self.name, self.mask, level, n), lambda: self._read_band(level, n))

    def _read_band(self, level: int, n: int) -> np.ndarray:
        if level == 0:
            return self._rows(n * BAND, min(self.shape[0], (n + 1) * BAND))
        full = self._band(0, n)
        return block_bits(full, 2) if self.mask else block_means(full, 2)

    def _overview(self) -> Overview:
        return overview(self.name, self.shape, self._rows, BAND, self.mask)

    def _rows(self, top: int, end: int) -> np.ndarray:
        """Displayed rows of the file."""
        file, stamp = opened(self.stamp.path)
        if stamp != self.stamp:
            file.close()
            raise BadImage(f"{self.stamp.path} has just been written again: load the page again")
        y0, y1 = self.shape[0] - end, self.shape[0] - top
        with decoders, open_image(_named(self.stamp.path), file) as image:
            rows = trim_rows(image, site.camera(), y0, y1) if self.trimmed else image.rows(y0, y1)
        if self.mask:
            rows = rows.astype(np.uint8, copy=False)
        shown: np.ndarray = rows[::-1]
        return shown


def picture(path: str | None, trimmed: bool = False, mask: bool = False) -> Picture:
    """The image of a file; raises NotFound where it is missing, BadImage where it is none."""
    stamp = stamp_of(path)
    return pictures.get((stamp, trimmed, mask), lambda: _look_at(stamp, trimmed, mask))


def _look_at(stamp: Stamp, trimmed: bool, mask: bool) -> Picture:
    file, stamp = opened(stamp.path)
    with open_image(_named(stamp.path), file) as image:
        return Picture(stamp, _shape(image, trimmed), image.header, trimmed, mask)


def _shape(image: ImageReader, trimmed: bool) -> tuple[int, int]:
    if not trimmed:
        return image.shape
    camera = site.camera()
    check_raw_shape(image.shape, camera, image.path.name)
    return camera.shape


def _named(path: str) -> Path:
    return Path(PurePosixPath(path).name)
