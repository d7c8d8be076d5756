"""Rows of pixels packed as FITS tile compression has it, one tile a row; several threads may pack at once."""

import zlib
from collections.abc import Iterator
from threading import local
from typing import NamedTuple

import numpy as np

from mar.io.packed import randoms
from mar.io.threads import in_bands
from mar.kernels.quantize import quantise
from mar.kernels.rice import rice_encode, room

# steps per sigma of the noise: rounding is 0.7 % of it, and below 1 % where stars make it seem 30 % larger
QUANTIZE_LEVEL = 40.0
_ROWS = 32  # packed by a thread at a time: they stay in its cache
_GZIP = 31  # zlib's word for a gzip stream; it holds no time of day
_BITS = {"f4": 32, "u2": 16, "u1": 8}


class Packed(NamedTuple):
    """Some packed rows."""

    heap: np.ndarray  #: bytes (uint8) of the rows, one behind the other
    lengths: np.ndarray  #: (n,) bytes of each
    scales: np.ndarray  #: (n,) of floats; 0 where a row is stored as it is, by gzip
    zeros: np.ndarray  #: (n,)


def packed_bands(data: np.ndarray) -> Iterator[Packed]:
    """Pack an image (rows, columns) of float32, uint16 or uint8, band by band in their order, in threads."""
    own = local()

    def pack(y0: int, y1: int) -> Packed:
        if not hasattr(own, "packer"):
            own.packer = _Packer(data.shape[1], data.dtype)
        return own.packer.pack(data[y0:y1], y0)

    return in_bands(pack, 0, data.shape[0], _ROWS)


class _Packer:
    """The buffers of one thread, used again and again."""

    def __init__(self, nx: int, dtype: np.dtype) -> None:
        self._bits = _BITS[dtype.str[1:]]
        self._integers = np.empty((_ROWS, nx), np.int32)
        self._packed = np.empty(_ROWS * room(nx), np.uint8)

    def pack(self, rows: np.ndarray, first: int) -> Packed:
        n = len(rows)
        integers, scales, zeros = self._integers[:n], np.ones(n), np.zeros(n)
        if rows.dtype.kind == "f":
            rows = np.ascontiguousarray(rows, np.float32)
            quantise(rows, first, QUANTIZE_LEVEL, randoms(), integers, scales, zeros)
        elif rows.dtype.itemsize == 2:
            np.subtract(rows, 32768, out=integers, dtype=np.int32)
        else:
            integers[...] = rows
        kept = np.flatnonzero(scales == 0)
        if kept.size:
            integers[kept] = 0
        ends = np.empty(n, np.int64)
        rice_encode(integers, self._bits, self._packed, ends)
        lengths = np.diff(ends, prepend=0)
        if not kept.size:
            return Packed(self._packed[: ends[-1]].copy(), lengths, scales, zeros)
        starts = ends - lengths
        parts = [self._packed[start:end] for start, end in zip(starts, ends, strict=True)]
        for y in kept:
            parts[y] = np.frombuffer(_gzipped(rows[y]), np.uint8)
        lengths = np.array([part.size for part in parts], np.int64)
        return Packed(np.concatenate(parts), lengths, scales, zeros)


def _gzipped(row: np.ndarray) -> bytes:
    packing = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    return packing.compress(row.astype(">f4").tobytes()) + packing.flush()
