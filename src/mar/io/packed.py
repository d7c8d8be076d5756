"""Compressed images whose rows are unpacked by our own kernels, in threads: ours, and those of fpack."""

import functools
import zlib
from pathlib import Path
from threading import local
from typing import BinaryIO

import numpy as np

from mar.errors import BadImage
from mar.io.headers import ImageUnit
from mar.io.reader import ImageReader
from mar.io.threads import in_bands
from mar.io.tiles import LOSSLESS, PACKED, Tiles
from mar.kernels.quantize import counts, random_numbers, restore
from mar.kernels.rice import SPARE, rice_decode

_ROWS = 64  # unpacked by a thread at a time, at most
_PARTS = 16  # of more than that, at least: threads then end at about the same time
_GZIP_OR_ZLIB = 47
_COUNTS = {1: (0xFF, 0), 2: (0xFFFF, 0x8000)}  # bits of a pixel, and the one that BZERO turns round


@functools.cache
def randoms() -> np.ndarray:
    """The random numbers of the dither."""
    return random_numbers()


class PackedImage(ImageReader):
    """A Rice-coded image; only the rows asked for are read and unpacked."""

    def __init__(self, path: Path, unit: ImageUnit, file: BinaryIO, tiles: Tiles) -> None:
        super().__init__(path, unit, file)
        self.dtype = tiles.dtype
        self._tiles = tiles
        self._own = local()

    def _read(self, y0: int, y1: int, out: np.ndarray) -> None:
        height = min(_ROWS, -(-(y1 - y0) // _PARTS)) if y1 - y0 > _ROWS else _ROWS
        for _ in in_bands(lambda a, b: self._band(a, b, out[a - y0 : b - y0]), y0, y1, height):
            pass

    def _band(self, y0: int, y1: int, out: np.ndarray) -> None:
        table = np.empty(y1 - y0, self._tiles.row)
        self._fill(table, y0 * table.itemsize)
        lengths, places = table[PACKED].astype(np.int64).T
        bytes_, starts = self._heap(lengths, places)
        for n, row in enumerate(out):
            if lengths[n] == 0 and LOSSLESS in self._tiles.columns:
                row[:] = self._lossless(table[LOSSLESS][n], y0 + n)
                continue
            integers = self._integers()
            bits, block = self._tiles.bits, self._tiles.block
            if not rice_decode(bytes_, int(starts[n]), int(lengths[n]), bits, block, integers):
                raise self._damage(y0 + n)
            if self.dtype == np.float32:
                self._floats(integers, y0 + n, float(table["ZSCALE"][n]), float(table["ZZERO"][n]), row)
            else:
                counts(integers, *_COUNTS[self.dtype.itemsize], row)

    def _floats(self, integers: np.ndarray, y: int, scale: float, zero: float, row: np.ndarray) -> None:
        tiles = self._tiles
        restore(integers, tiles.seed + y, tiles.dither, tiles.blank, scale, zero, randoms(), row)

    def _heap(self, lengths: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The packed bytes of some rows, and where in them each begins."""
        size = self.unit.size - self._tiles.heap
        starts = np.concatenate([[0], np.cumsum(lengths)])
        outside = (lengths < 0).any() or (places < 0).any() or (places + lengths > size).any()
        if outside or starts[-1] > size:
            raise BadImage(f"{self.path.name}: damaged compressed rows: they lie outside the data")
        packed = np.empty(int(starts[-1]) + SPARE, np.uint8)
        packed[-SPARE:] = 0
        there = lengths > 0
        first = places[there][0] if there.any() else 0
        if ((places - starts[:-1])[there] == first).all():
            self._fill(packed[:-SPARE], self._tiles.heap + int(first))
        else:
            for start, length, place in zip(starts, lengths, places, strict=False):
                self._fill(packed[start : start + length], self._tiles.heap + int(place))
        return packed, starts

    def _lossless(self, stored: np.ndarray, y: int) -> np.ndarray:
        """A row of floats that was not quantised."""
        length, place = (int(number) for number in stored)
        if length < 1 or place < 0 or place + length > self.unit.size - self._tiles.heap:
            raise self._damage(y)
        packed = np.empty(length, np.uint8)
        self._fill(packed, self._tiles.heap + place)
        unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            row = unpacking.decompress(packed.data, 4 * self.shape[1] + 1)
        except zlib.error as error:
            raise self._damage(y) from error
        if len(row) != 4 * self.shape[1] or not unpacking.eof:
            raise self._damage(y)
        return np.frombuffer(row, ">f4")

    def _integers(self) -> np.ndarray:
        """Room for one row that each thread uses again and again."""
        if not hasattr(self._own, "integers"):
            self._own.integers = np.empty(self.shape[1], np.int32)
        return self._own.integers

    def _damage(self, y: int) -> BadImage:
        return BadImage(f"{self.path.name}: damaged compressed rows: row {y} cannot be unpacked")
