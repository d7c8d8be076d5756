"""Images are read in bands of rows, in native byte order, compressed or not."""

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
from mar.io.headers import ImageUnit, find_image_in, open_regular
from mar.io.packed import PackedImage
from mar.io.plain import PlainImage
from mar.io.reader import ImageReader
from mar.io.tiles import tiles_of

# what astropy raises where a header contradicts itself or compressed bytes are not what they were
_DAMAGE = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, MemoryError),
    *(OverflowError, ZeroDivisionError, VerifyError, CfitsioException),
)


class TiledImage(ImageReader):
    """A compressed image of any other kind, by astropy; only the tiles of the rows asked for are unpacked."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        super().__init__(path, unit, file)
        file.seek(0)
        # the open file and not its path: astropy would leave it open where it fails
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            self._hdu = fits.open(file, memmap=False)[unit.index]
            stored = np.dtype(self._hdu.section.dtype)
        if stored.kind == "u" and stored.itemsize <= 2:
            self.dtype = stored.newbyteorder("=")

    def _read(self, y0: int, y1: int, out: np.ndarray) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AstropyWarning)
                out[...] = self._hdu.section[y0:y1]
        except _DAMAGE as error:
            raise BadImage(f"{self.path.name}: damaged compressed rows {y0} to {y1}: {error}") from error


@contextmanager
def open_image(path: Path, file: BinaryIO | None = None) -> Iterator[ImageReader]:
    """The first two-dimensional image of a FITS file, open for reading; raises BadImage.

    Where `file` is given it is read in place of `path`, which then only names it in errors; it is closed at
    the end all the same.
    """
    with open_regular(path) if file is None else file as opened:
        unit = find_image_in(opened, path)
        try:
            image = _reader(path, unit, opened)
        except _DAMAGE as error:
            raise BadImage(f"{path.name}: damaged FITS header: {error}") from error
        yield image


def _reader(path: Path, unit: ImageUnit, file: BinaryIO) -> ImageReader:
    if not unit.compressed:
        return PlainImage(path, unit, file)
    tiles = tiles_of(unit)
    return PackedImage(path, unit, file, tiles) if tiles else TiledImage(path, unit, file)


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


def stem(path: Path | str) -> str:
    """The name of a FITS file without .fits or .fits.fz."""
    return str(path).rpartition("/")[2].removesuffix(".fz").removesuffix(".fits").removesuffix(".fit")
