"""FITS DATASUM: the checksum of a data unit as it is stored, added up while the bytes pass."""

import sys
from bisect import bisect_left, bisect_right
from threading import Lock

import numpy as np

from mar.kernels.checksum import sum_big_endian

BLOCK = 2880

_FULL = 0xFFFFFFFF


def sum_of(data: np.ndarray | bytes, place: int = 0) -> int:
    """The sum of bytes that lie `place` bytes behind the begin of their data unit; of any length.

    Sums of parts, in any order, are put together with `plus`.
    """
    if isinstance(data, bytes):
        data = np.frombuffer(data, dtype=np.uint8).copy()
    stored = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    whole = stored.size - stored.size % 4
    words = stored[:whole].view(np.uint32)
    if not words.flags.aligned:
        words = words.copy()
    total = int(sum_big_endian(words.byteswap() if sys.byteorder == "big" else words, 0))
    total = plus(total, int.from_bytes(stored[whole:].tobytes().ljust(4, b"\0"), "big"))
    # a carry goes round the 32 bits, and so do bytes that begin in the middle of a word
    turn = 8 * (place % 4)
    return (total >> turn) | (total << (32 - turn)) & _FULL


def plus(one: int, other: int) -> int:
    """The sum of two sums, the carry added at the other end (ones' complement)."""
    total = one + other
    return total - _FULL if total > _FULL else total


def datasum(data: np.ndarray | bytes) -> str:
    """DATASUM of a data unit, as the card holds it; the unit is filled with zeros."""
    return str(sum_of(data))


class Passed:
    """The bytes of a data unit that were read so far: each is added up once, in whatever order they come."""

    def __init__(self, size: int) -> None:
        self.gaps = [(0, size)] if size else []  #: (first, end) of the bytes not seen yet, ascending
        self.total = 0
        self._lock = Lock()

    def see(self, data: np.ndarray, place: int) -> None:
        """Take note of `data`, which lies `place` bytes behind the begin of the unit."""
        end = place + data.nbytes
        with self._lock:
            first = bisect_right(self.gaps, place, key=_end)
            last = bisect_left(self.gaps, end, key=_begin)
            if first >= last:
                return
            stored = data.reshape(-1).view(np.uint8)
            fresh = [(max(begin, place), min(stop, end)) for begin, stop in self.gaps[first:last]]
            for begin, stop in fresh:
                self.total = plus(self.total, sum_of(stored[begin - place : stop - place], begin))
            left = [(self.gaps[first][0], fresh[0][0]), (fresh[-1][1], self.gaps[last - 1][1])]
            self.gaps[first:last] = [(begin, stop) for begin, stop in left if begin < stop]


def _begin(gap: tuple[int, int]) -> int:
    return gap[0]


def _end(gap: tuple[int, int]) -> int:
    return gap[1]
