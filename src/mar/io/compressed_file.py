"""A tile-compressed image as a file: an empty primary unit, then the table of packed rows and their bytes.

The cards say that the image was a primary one (ZSIMPLE), so that funpack restores it as such.
"""

from pathlib import Path

import numpy as np
from astropy.io.fits import Header

from mar.io.checksum import BLOCK, plus, sum_of
from mar.io.headers import describing
from mar.io.packing import QUANTIZE_LEVEL, Packed, packed_bands
from mar.io.tiles import LOSSLESS, PACKED
from mar.kernels.quantize import BLANK
from mar.kernels.rice import BLOCK as PIXELS

_BITPIX = {"f4": -32, "u2": 16, "u1": 8}
_SMALL = 2**31 - 1  # bytes that a column of kind P can address
_PRIMARY = Header(
    [
        ("SIMPLE", True, "FITS standard 4.0"),
        ("BITPIX", 8, "no pixels here"),
        ("NAXIS", 0, "the image is in the extension"),
        ("EXTEND", True, "tile-compressed, FITS standard 4.0, section 10"),
    ]
)


def write_compressed(path: Path, data: np.ndarray, header: Header) -> str:
    """Write float32, uint16 or uint8 pixels as Rice-coded rows; gives the DATASUM."""
    columns = _columns(data)
    table = np.zeros(data.shape[0], np.dtype([(name, kind) for name, _, kind in columns]))
    described, primary = describing(header, data.shape), _PRIMARY.tostring().encode("ascii")
    heap = total = longest = y = 0
    with path.open("wb+") as file:
        file.write(primary)
        begin = file.tell() + file.write(_cards(data, columns, described, table, 0, 0, "")) + table.nbytes
        file.seek(begin)
        for band in packed_bands(data):
            file.write(band.heap.data)
            total = plus(total, sum_of(band.heap, heap))
            _enter(table[y : y + len(band.lengths)], band, heap)
            heap, y = heap + band.heap.size, y + len(band.lengths)
            longest = max(longest, int(band.lengths.max()))
        file.write(bytes(-file.tell() % BLOCK))
        checksum = str(plus(total, sum_of(table)))
        file.seek(len(primary))
        file.write(_cards(data, columns, described, table, heap, longest, checksum))
        file.write(table.data)
    return checksum


def _columns(data: np.ndarray) -> list[tuple[str, str, str]]:
    """Name, kind in FITS and kind in numpy of the table's columns."""
    place, kind = ("P", ">2i4") if 1.2 * data.nbytes < _SMALL else ("Q", ">2i8")
    columns = [(PACKED, place, kind)]
    if data.dtype.kind == "f":
        columns += [(LOSSLESS, place, kind), ("ZSCALE", "D", ">f8"), ("ZZERO", "D", ">f8")]
    return columns


def _enter(table: np.ndarray, band: Packed, heap: int) -> None:
    """Fill the table's rows of a band whose bytes begin at `heap`."""
    entries = np.column_stack([band.lengths, heap + np.cumsum(band.lengths) - band.lengths])
    if table.dtype.names == (PACKED,):
        table[PACKED] = entries
        return
    kept = (band.scales == 0)[:, None]
    table[PACKED], table[LOSSLESS] = np.where(kept, 0, entries), np.where(kept, entries, 0)
    table["ZSCALE"], table["ZZERO"] = band.scales, band.zeros


def _cards(
    data: np.ndarray,
    columns: list[tuple[str, str, str]],
    described: Header,
    table: np.ndarray,
    heap: int,
    longest: int,
    checksum: str,
) -> bytes:
    """The header of the table, of a length that does not depend on the last three."""
    header = Header(
        [
            ("XTENSION", "BINTABLE", "binary table extension"),
            ("BITPIX", 8, "bytes"),
            ("NAXIS", 2, "a table"),
            ("NAXIS1", table.itemsize, "bytes of a row"),
            ("NAXIS2", table.size, "rows of the image"),
            ("PCOUNT", heap, "bytes of packed rows"),
            ("GCOUNT", 1, "one group"),
            ("TFIELDS", len(columns), "columns"),
        ]
    )
    cards: list[tuple[str, object, str]] = []
    for n, (name, kind, _) in enumerate(columns, start=1):
        form = "1D" if kind == "D" else f"1{kind}B({longest})"
        cards += [(f"TTYPE{n}", name, ""), (f"TFORM{n}", f"{form:18}", "")]
    bitpix = _BITPIX[data.dtype.str[1:]]
    cards += [
        ("ZIMAGE", True, "a compressed image"),
        ("ZSIMPLE", True, "FITS standard 4.0"),
        ("ZBITPIX", bitpix, "bits of a pixel"),
        ("ZNAXIS", 2, "axes"),
        ("ZNAXIS1", data.shape[1], "columns"),
        ("ZNAXIS2", data.shape[0], "rows"),
        ("ZTILE1", data.shape[1], "a tile is one row"),
        ("ZTILE2", 1, ""),
        ("ZCMPTYPE", "RICE_1", "Rice coding"),
        ("ZNAME1", "BLOCKSIZE", ""),
        ("ZVAL1", PIXELS, "pixels coded together"),
        ("ZNAME2", "BYTEPIX", ""),
        ("ZVAL2", abs(bitpix) // 8, "bytes of a coded integer"),
    ]
    if bitpix == 16:
        cards += [("BZERO", 32768, ""), ("BSCALE", 1, "")]
    if bitpix == -32:
        cards += [
            ("ZQUANTIZ", "SUBTRACTIVE_DITHER_2", "how floats became integers; zeros stay"),
            ("ZDITHER0", 1, "first random number of the dither"),
            ("ZBLANK", BLANK, "stands for NaN"),
            ("HIERARCH MAR FZ LEVEL", QUANTIZE_LEVEL, "steps per sigma of a row's noise"),
        ]
    cards += [("EXTNAME", "COMPRESSED_IMAGE", ""), ("DATASUM", f"{checksum:10}", "data unit checksum")]
    header.extend(cards, strip=False, bottom=True)
    header.extend(described.cards[3:], strip=False, bottom=True)
    return header.tostring().encode("ascii")
