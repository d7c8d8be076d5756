"""Images are read in bands of rows, in native byte order, compressed or not."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.io.fits.hdu.compressed._compression import CfitsioException
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyWarning

from mar.camera import Camera
from mar.errors import BadImage
from mar.exposure import read_exposure
from mar.frame import Frame
from mar.io.checksum import Datasum
from mar.io.headers import ImageUnit, describing, find_image_in, open_regular

_CHUNK = 1 << 20  # stays in the processor's cache
# what astropy raises where a header contradicts itself or compressed bytes are not what they were
_DAMAGE = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, MemoryError),
    *(OverflowError, ZeroDivisionError, VerifyError, CfitsioException),
)


class ImageReader:
    """An open image: `shape` (rows, columns), `header`, and bands of rows on demand."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        self.path = path
        self.unit = unit
        self.file = file
        self.shape = unit.shape
        self.header: Header = describing(unit.stored, unit.shape)
        self._checksum = ""

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """Rows y0 to y1, exclusive: uint16 or uint8 where stored so, else float32; raises BadImage."""
        raise NotImplementedError

    @property
    def checksum(self) -> str:
        """FITS DATASUM of the data unit as stored; computed once."""
        if not self._checksum:
            total, buffer = Datasum(), np.empty(_CHUNK, np.uint8)
            for start in range(0, self.unit.size, _CHUNK):
                part = buffer[: self.unit.size - start]
                self._fill(part, self.unit.offset + start)
                total.add(part)
            self._checksum = total.text()
        return self._checksum

    def _fill(self, array: np.ndarray, place: int) -> None:
        """Read an array's bytes from a place in the file; raises BadImage where the file ends before."""
        left = array.data.cast("B")
        while left:
            got = os.preadv(self.file.fileno(), [left], place)
            if got == 0:
                raise BadImage(f"{self.path.name}: it has become shorter while it was read")
            left, place = left[got:], place + got


class PlainImage(ImageReader):
    """An image stored as pixels."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        super().__init__(path, unit, file)
        stored = unit.stored
        # some observatories write these numbers as text
        self.zero = float(stored.get("BZERO", 0))
        self.scale = float(stored.get("BSCALE", 1))
        self.type = np.dtype(
            {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[stored["BITPIX"]]
        )

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """Rows y0 to y1, exclusive."""
        stored = self._read(y0, y1)
        if self.type == np.dtype(">i2") and (self.zero, self.scale) == (32768, 1):
            counts = stored.byteswap(inplace=True).view(np.uint16)
            counts ^= np.uint16(0x8000)
            return counts
        if self.type == np.dtype("u1") and (self.zero, self.scale) == (0, 1):
            return stored
        native = stored.astype(np.float32)
        if (self.zero, self.scale) != (0, 1):
            native = native * np.float32(self.scale) + np.float32(self.zero)
        return native

    def _read(self, y0: int, y1: int) -> np.ndarray:
        """Rows as stored, in an array of their own."""
        y0, y1, _ = slice(y0, y1).indices(self.shape[0])
        # not mapped into memory: pages of every frame of a stack would count as this process's
        stored = np.empty((max(0, y1 - y0), self.shape[1]), self.type)
        self._fill(stored, self.unit.offset + y0 * stored.strides[0])
        return stored


class CompressedImage(ImageReader):
    """A tile-compressed image; only the tiles of the rows asked for are decompressed."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        super().__init__(path, unit, file)
        file.seek(0)
        # the open file and not its path: astropy would leave it open where it fails
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            self._hdu = fits.open(file, memmap=False)[unit.index]

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """Rows y0 to y1, exclusive."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AstropyWarning)
                stored = self._hdu.section[y0:y1]
        except _DAMAGE as error:
            raise BadImage(f"{self.path.name}: damaged compressed rows {y0} to {y1}: {error}") from error
        if stored.dtype.kind == "u" and stored.dtype.itemsize <= 2:
            return np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("="))
        return np.ascontiguousarray(stored, dtype=np.float32)


@contextmanager
def open_image(path: Path, file: BinaryIO | None = None) -> Iterator[ImageReader]:
    """The first two-dimensional image of a FITS file, open for reading; raises BadImage.

    Where `file` is given it is read in place of `path`, which then only names it in errors; it is closed at
    the end all the same.
    """
    with open_regular(path) if file is None else file as opened:
        unit = find_image_in(opened, path)
        try:
            image = (CompressedImage if unit.compressed else PlainImage)(path, unit, opened)
        except _DAMAGE as error:
            raise BadImage(f"{path.name}: damaged FITS header: {error}") from error
        yield image


def read_image(path: Path) -> tuple[np.ndarray, Header]:
    """Pixels (rows, columns) and header; raises BadImage."""
    with open_image(path) as image:
        return image.rows(0, image.shape[0]), image.header


def read_mask(path: Path) -> np.ndarray:
    """A mask (rows, columns), uint8; raises BadImage."""
    return read_image(path)[0].astype(np.uint8, copy=False)


def read_frame(path: Path, camera: Camera | None = None, mask: Path | None = None) -> Frame:
    """A frame with its checksum; with a camera its exposure is read too. Raises BadImage, BadHeader."""
    with open_image(path) as image:
        exposure = read_exposure(image.header, camera, stem(path)) if camera else None
        data = image.rows(0, image.shape[0])
        pixels = read_mask(mask) if mask else None
        if pixels is not None and pixels.shape != data.shape:
            raise BadImage(f"{mask}: mask of {pixels.shape} for an image of {data.shape} (rows, columns)")
        return Frame(data, image.header, pixels, exposure, path.name, image.checksum)


def stem(path: Path) -> str:
    """The name of a FITS file without .fits or .fits.fz."""
    return path.name.removesuffix(".fz").removesuffix(".fits").removesuffix(".fit")
