"""FITS DATASUM: the checksum of a data unit as it is stored."""

import sys

import numpy as np

from mar.kernels.checksum import sum_big_endian

BLOCK = 2880


class Datasum:
    """Adds up a data unit while its bytes pass."""

    def __init__(self) -> None:
        self._total = 0
        self._left = b""

    def add(self, data: np.ndarray | bytes) -> None:
        """Add the next bytes, of any length; arrays as they lie in memory."""
        raw = self._left + bytes(data) if self._left or isinstance(data, bytes) else data
        stored = (
            np.frombuffer(raw, dtype=np.uint8) if isinstance(raw, bytes) else raw.reshape(-1).view(np.uint8)
        )
        whole = stored.size - stored.size % 4
        words = stored[:whole].view(np.uint32)
        if sys.byteorder == "big":
            words = words.byteswap()
        self._total = int(sum_big_endian(np.ascontiguousarray(words), self._total))
        self._left = stored[whole:].tobytes()

    def text(self) -> str:
        """The sum so far as the card DATASUM holds it; the unit is filled with zeros."""
        if self._left:
            self.add(bytes(-len(self._left) % 4))
        return str(self._total)


def datasum(data: np.ndarray) -> str:
    """DATASUM of an array whose bytes are those of the data unit (big-endian)."""
    total = Datasum()
    total.add(np.ascontiguousarray(data))
    return total.text()
