"""What all images open for reading share: where they lie, and the checksum of what was read."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io.fits import Header

from mar.errors import BadImage
from mar.io.checksum import Passed
from mar.io.headers import ImageUnit, describing

_CHUNK = 1 << 20  # stays in the processor's cache


class ImageReader:
    """An open image: `shape` (rows, columns), `header`, and bands of rows on demand, from several threads."""

    dtype = np.dtype(np.float32)  #: of the rows

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        self.path = path
        self.unit = unit
        self.file = file
        self.shape = unit.shape
        self.header: Header = describing(unit.stored, unit.shape)
        self._passed = Passed(unit.size)

    def rows(self, y0: int, y1: int, out: np.ndarray | None = None) -> np.ndarray:
        """Rows y0 to y1, exclusive: uint16 or uint8 where stored so, else float32; raises BadImage.

        With `out` (y1 - y0, columns) they are read into it, as `dtype` or as float32, and it is given back.
        """
        y0, y1, _ = slice(y0, y1).indices(self.shape[0])
        shape = max(0, y1 - y0), self.shape[1]
        if out is None:
            out = np.empty(shape, self.dtype)
        if out.shape != shape or out.dtype not in (self.dtype, np.float32):
            raise ValueError(f"{out.dtype} of {out.shape} cannot take {self.dtype} of {shape}")
        if out.flags.c_contiguous:
            self._read(y0, y1, out)
        else:
            out[...] = self.rows(y0, y1)
        return out

    @property
    def checksum(self) -> str:
        """FITS DATASUM of the data unit as stored; only bytes that were not read yet are read for it."""
        buffer = np.empty(_CHUNK, np.uint8)
        for begin, end in list(self._passed.gaps):
            for start in range(begin, end, _CHUNK):
                self._fill(buffer[: end - start], start)
        return str(self._passed.total)

    def _read(self, y0: int, y1: int, out: np.ndarray) -> None:
        """Read rows into a contiguous array."""
        raise NotImplementedError

    def _fill(self, array: np.ndarray, place: int) -> None:
        """Read an array's bytes, which lie `place` bytes behind the begin of the data, and add them up.

        Raises BadImage where the file ends before.
        """
        left, start = array.data.cast("B"), self.unit.offset + place
        while left:
            got = os.preadv(self.file.fileno(), [left], start)
            if got == 0:
                raise BadImage(f"{self.path.name}: it has become shorter while it was read")
            left, start = left[got:], start + got
        self._passed.see(array, place)
