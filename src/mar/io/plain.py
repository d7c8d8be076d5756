"""Images stored as pixels."""

from pathlib import Path
from threading import local
from typing import BinaryIO

import numpy as np

from mar.io.headers import ImageUnit
from mar.io.reader import ImageReader
from mar.io.threads import in_bands
from mar.kernels.byteorder import swap_counts, swap_words, swapped_counts

_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_PIECE = 1 << 18  # pixels read at a time: they stay in the cache until they are native
_TOP = 0x8000  # the bit that BZERO = 32768 turns round


class PlainImage(ImageReader):
    """An image stored as pixels; pread and not mapped, for mapped pages count as the process's own."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO) -> None:
        super().__init__(path, unit, file)
        # some observatories write these numbers as text
        self.zero = float(unit.stored.get("BZERO", 0))
        self.scale = float(unit.stored.get("BSCALE", 1))
        self.type = np.dtype(_TYPES[unit.stored["BITPIX"]])
        self._counts = self.type == np.dtype(">i2") and (self.zero, self.scale) == (32768, 1)
        self._bytes = self.type == np.dtype("u1") and (self.zero, self.scale) == (0, 1)
        self.dtype = np.dtype("u2" if self._counts else "u1" if self._bytes else "f4")
        self._own = local()

    def _read(self, y0: int, y1: int, out: np.ndarray) -> None:
        height = max(1, _PIECE // self.shape[1])
        for _ in in_bands(lambda a, b: self._piece(a, b, out[a - y0 : b - y0]), y0, y1, height):
            pass

    def _piece(self, y0: int, y1: int, out: np.ndarray) -> None:
        place, flat = y0 * self.shape[1] * self.type.itemsize, out.reshape(-1)
        if self._bytes and out.dtype == np.uint8:
            self._fill(flat, place)
        elif self._counts and out.dtype == np.uint16:
            self._fill(flat, place)
            swap_counts(flat, _TOP)
        elif self.type == np.dtype(">f4") and (self.zero, self.scale) == (0, 1):
            self._fill(flat, place)
            swap_words(flat.view(np.uint32))
        else:
            self._converted(flat, place)

    def _converted(self, flat: np.ndarray, place: int) -> None:
        """Pixels of another type than that asked for."""
        stored = self._scratch(flat.size)
        self._fill(stored, place)
        if self._counts:
            swapped_counts(stored.view(np.uint16), _TOP, flat)
            return
        flat[:] = stored
        if (self.zero, self.scale) != (0, 1):
            flat *= np.float32(self.scale)
            flat += np.float32(self.zero)

    def _scratch(self, pixels: int) -> np.ndarray:
        """Room for stored pixels that each thread uses again and again."""
        if getattr(self._own, "pixels", np.empty(0)).size < pixels:
            self._own.pixels = np.empty(pixels, self.type)
        return self._own.pixels[:pixels]
