"""Writing images; all of them appear whole or not at all."""

import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io.fits import Header

from mar.io.atomic import atomic
from mar.io.checksum import BLOCK, plus, sum_of
from mar.io.compressed_file import write_compressed
from mar.io.headers import describing, find_image, redescribed
from mar.io.threads import in_bands

_BAND = 1 << 20  # bytes that stay in the processor's cache
_CHUNK = 1 << 24
_STORED = {"f4": (-32, ">f4"), "u2": (16, ">i2"), "u1": (8, "u1")}


def write_image(path: Path, data: np.ndarray, header: Header) -> str:
    """Write float32, uint16 or uint8 pixels, tile-compressed if the name ends in .fz; gives the DATASUM.

    Integers are compressed without loss (Rice). Of floats each row is quantised to 1/40 of its noise with
    subtractive dithering 2, which keeps zeros (White et al. 2009; Pence et al. 2010), and NaN stay; a row
    that cannot be quantised (without noise, with infinities) is kept as it is.
    """
    with atomic(path) as temporary:
        return (write_compressed if path.suffix == ".fz" else _write_plain)(temporary, data, header)


def replace_header(path: Path, header: Header) -> None:
    """Give an image another header; its pixels stay the same, byte for byte."""
    unit = find_image(path)
    with atomic(path) as temporary, path.open("rb") as old, temporary.open("wb") as new:
        new.write(old.read(unit.start))
        new.write(redescribed(unit.stored, header).tostring().encode("ascii"))
        old.seek(unit.offset)
        shutil.copyfileobj(old, new, _CHUNK)


def _write_plain(path: Path, data: np.ndarray, header: Header) -> str:
    bitpix, stored = _STORED[data.dtype.str[1:]]
    described = describing(header, data.shape)
    width = data.shape[1] * np.dtype(stored).itemsize
    with path.open("wb+") as file:
        file.write(_cards(described, bitpix, ""))
        file.flush()
        begin = file.tell()

        def write(y0: int, y1: int) -> int:
            rows = _as_stored(data[y0:y1], stored)
            _write_at(file, rows, begin + y0 * width)
            return sum_of(rows, y0 * width)

        checksum = str(functools.reduce(plus, in_bands(write, 0, data.shape[0], _band(width)), 0))
        file.seek(0, os.SEEK_END)
        file.write(bytes(-file.tell() % BLOCK))
        file.seek(0)
        file.write(_cards(described, bitpix, checksum))
        return checksum


def _band(width: int) -> int:
    """Rows of so many bytes that a thread writes at a time."""
    return max(1, _BAND // width)


def _write_at(file: BinaryIO, rows: np.ndarray, place: int) -> None:
    left, at = rows.data.cast("B"), place
    while left:
        done = os.pwrite(file.fileno(), left, at)
        left, at = left[done:], at + done
    if hasattr(os, "posix_fadvise"):  # the disk begins with them now, and not only when all is waited for
        os.posix_fadvise(file.fileno(), place, rows.nbytes, os.POSIX_FADV_DONTNEED)


def _as_stored(rows: np.ndarray, stored: str) -> np.ndarray:
    if rows.dtype == np.uint16:
        rows = (rows ^ np.uint16(0x8000)).view(np.int16)
    return np.ascontiguousarray(rows, dtype=stored)


def _cards(described: Header, bitpix: int, checksum: str) -> bytes:
    """The header as stored, of a length that does not depend on `checksum`."""
    primary = Header([("SIMPLE", True, "FITS standard 4.0"), ("BITPIX", bitpix, "bits of a pixel")])
    primary.extend(described.cards[:3], strip=False, bottom=True)
    if bitpix == 16:
        primary.extend([("BZERO", 32768), ("BSCALE", 1)], strip=False, bottom=True)
    primary.extend([("DATASUM", f"{checksum:10}", "data unit checksum")], strip=False, bottom=True)
    primary.extend(described.cards[3:], strip=False, bottom=True)
    return primary.tostring().encode("ascii")


class RowWriter:
    """Gathers an image by bands of rows in a scratch file, to be written as a product at the end.

    `pixels` is the image so far, an array on disk, so that it can be measured before its header is known.
    """

    def __init__(self, scratch: Path, shape: tuple[int, int], dtype: str = "f4") -> None:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = scratch
        self.pixels = np.memmap(scratch, dtype, "w+", shape=shape)
        self._next = 0

    def release(self) -> None:
        """Let go of the memory that the image took so far; its pixels stay on disk and are read again."""
        self.pixels = np.memmap(self._scratch, self.pixels.dtype, "r+", shape=self.pixels.shape)

    def write_rows(self, rows: np.ndarray) -> None:
        """Add the next rows (n, columns)."""
        stored = np.ascontiguousarray(rows, self.pixels.dtype)
        # not through the map: each page of it would be faulted in, and count as memory of this process
        with self._scratch.open("rb+", buffering=0) as file:
            file.seek(self._next * self.pixels.strides[0])
            file.write(stored.data)
        self._next += len(rows)

    def close(self) -> None:
        """Remove the scratch file."""
        self._scratch.unlink(missing_ok=True)


@contextmanager
def scratch_rows(folder: Path, name: str, shape: tuple[int, int], dtype: str = "f4") -> Iterator[RowWriter]:
    """A RowWriter whose scratch file in `folder` lives as long as the block."""
    writer = RowWriter(folder / f".{os.getpid()}-{name}.rows.tmp", shape, dtype)
    try:
        yield writer
    finally:
        writer.close()
