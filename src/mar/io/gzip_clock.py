"""The same pixels give the same bytes: no clock in compressed images.

Rows without noise, as the borders of a tile, cannot be quantised and are stored by gzip, whose streams begin
with the time of day. With it a product's checksum would tell nothing about its pixels.
"""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits import Card

from mar.io.checksum import Datasum
from mar.io.headers import ImageUnit, find_image

_COLUMN = "GZIP_COMPRESSED_DATA"
_CLOCK = slice(4, 8)  # bytes of a gzip stream that hold its time (RFC 1952)


def stop_clocks(path: Path) -> str:
    """Set the time in all gzip streams of a compressed image to zero; gives its DATASUM, mended."""
    unit = find_image(path)
    stored = np.memmap(path, np.uint8, "r+", unit.offset, (unit.size,))
    for start in _streams(path, unit):
        stored[start + _CLOCK.start : start + _CLOCK.stop] = 0
    total = Datasum()
    total.add(stored)
    stored.flush()
    _set_datasum(path, unit, total.text())
    return total.text()


def _streams(path: Path, unit: ImageUnit) -> list[int]:
    """Where gzip streams begin, in bytes from the begin of the data."""
    with fits.open(path, disable_image_compression=True) as hdus:
        columns = hdus[unit.index].columns
        if _COLUMN not in columns.names:
            return []
        described = columns.dtype.newbyteorder(">")
    rows, width = int(unit.stored["NAXIS2"]), int(unit.stored["NAXIS1"])
    table = np.memmap(path, np.uint8, "r", unit.offset, (rows * width,)).view(described)
    heap = int(unit.stored.get("THEAP", rows * width))
    length, offset = table[_COLUMN].T
    return [heap + int(start) for start in offset[length > 0]]


def _set_datasum(path: Path, unit: ImageUnit, checksum: str) -> None:
    with path.open("rb+") as file:
        before = file.read(unit.offset)
        place = before.rindex(b"DATASUM = ")
        file.seek(place)
        file.write(Card("DATASUM", checksum, "data unit checksum").image.encode("ascii"))
