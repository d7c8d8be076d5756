"""How a compressed image lies in its file: a table with one packed row of the image in each of its rows.

FITS standard 4.0, section 10. What is described here is what we write, and what fpack writes by default.
"""

import re
from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header

from mar.io.headers import ImageUnit

PACKED, LOSSLESS = "COMPRESSED_DATA", "GZIP_COMPRESSED_DATA"

_COLUMN = re.compile(r"1?(?:([PQ])B|(D)$)")
_KINDS = {"P": ">2i4", "Q": ">2i8", "D": ">f8"}
_FLOATS = {PACKED, "ZSCALE", "ZZERO"}
_PIXELS = {8: "u1", 16: "u2", -32: "f4"}  # of ZBITPIX
_ZEROS = {8: 0.0, 16: 32768.0, -32: 0.0}
_DITHERS = {"NO_DITHER": 0, "SUBTRACTIVE_DITHER_1": 1, "SUBTRACTIVE_DITHER_2": 2}


@dataclass(frozen=True)
class Tiles:
    """Rice-coded rows of an image."""

    dtype: np.dtype  #: of the pixels
    row: np.dtype  #: of the table; packed rows as (length, place in the heap)
    columns: tuple[str, ...]
    heap: int  #: bytes before the packed rows, from the begin of the data
    bits: int  #: of the coded integers
    block: int  #: pixels coded together
    dither: int  #: 0 for none, else its method
    seed: int  #: place of the first row's random number
    blank: int  #: what stands for NaN


def tiles_of(unit: ImageUnit) -> Tiles | None:
    """How the rows are packed, or None where it is another kind of compression.

    Raises ValueError, KeyError and the like where the header contradicts itself.
    """
    header, columns = unit.stored, _columns(unit.stored)
    bitpix, tile = header["ZBITPIX"], (header.get("ZTILE1", header["ZNAXIS1"]), header.get("ZTILE2", 1))
    if header["ZCMPTYPE"] not in ("RICE_1", "RICE_ONE") or tile != (header["ZNAXIS1"], 1):
        return None
    scaling = float(header.get("BZERO", 0)), float(header.get("BSCALE", 1))
    needed = _FLOATS if bitpix == -32 else {PACKED}
    if columns is None or bitpix not in _PIXELS or scaling != (_ZEROS[bitpix], 1):
        return None
    if columns.keys() not in (needed, needed | {LOSSLESS}):
        return None
    row, rows = np.dtype(list(columns.items())), int(header["NAXIS2"])
    heap = int(header.get("THEAP", rows * row.itemsize))
    if (row.itemsize, rows) != (
        header["NAXIS1"],
        unit.shape[0],
    ) or not rows * row.itemsize <= heap <= unit.size:
        raise ValueError("the table of packed rows is not as large as its cards say")
    named = {header.get(f"ZNAME{n}"): header.get(f"ZVAL{n}") for n in range(1, 5)}
    bits, block = 8 * int(named.get("BYTEPIX", 4)), int(named.get("BLOCKSIZE", 32))
    if bits not in ((32,) if bitpix == -32 else (8, 16, 32)) or block < 1:
        raise ValueError(f"Rice coding of {bits} bits in blocks of {block} pixels")
    return Tiles(
        np.dtype(_PIXELS[bitpix]),
        row,
        tuple(columns),
        heap,
        bits,
        block,
        _DITHERS[header.get("ZQUANTIZ", "NO_DITHER")],
        int(header.get("ZDITHER0", 1)) - 1,
        int(header.get("ZBLANK", -(2**31))),
    )


def _columns(header: Header) -> dict[str, str] | None:
    """The columns of the table and their types; None where there is another type among them."""
    columns = {}
    for n in range(1, int(header["TFIELDS"]) + 1):
        found = _COLUMN.match(str(header[f"TFORM{n}"]).strip())
        if found is None:
            return None
        columns[str(header[f"TTYPE{n}"]).strip()] = _KINDS[found[1] or found[2]]
    return columns
