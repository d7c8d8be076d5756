"""Catalogues as FITS tables, and as FITS_LDAC for the Astromatic programs."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from mar.errors import BadImage
from mar.io.atomic import atomic

_CARD = 80
_STRUCTURE = (
    *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "PCOUNT", "GCOUNT"),
    *("TFIELDS", "CHECKSUM", "DATASUM", "BZERO", "BSCALE"),
)


def write_catalog(path: Path, table: Table, header: Header | None = None, name: str = "OBJECTS") -> str:
    """Write a table, with its units and the cards of `header`, whole or not at all; gives the DATASUM.

    The metadata of the table itself is not written: what the product must say stands in `header`.
    """
    hdu = _table_hdu(table, name)
    hdu.header.extend(_described(header).cards, strip=False, end=True)
    return _write(path, [hdu])


def read_catalog(path: Path) -> Table:
    """The first table of a file, native byte order, units kept, header cards in `meta`; raises BadImage.

    Of a FITS_LDAC file it is the first LDAC_OBJECTS.
    """
    with _opened(path) as hdus:
        return _table_of(_objects(hdus, path))


def write_ldac(path: Path, table: Table, header: Header) -> str:
    """Write FITS_LDAC: the image's `header` as a table LDAC_IMHEAD, the sources as LDAC_OBJECTS."""
    return _write(path, [_header_hdu(_as_primary(header)), _table_hdu(table, "LDAC_OBJECTS")])


def read_ldac(path: Path) -> tuple[Table, Header]:
    """The sources and the image's header of a FITS_LDAC file; raises BadImage."""
    with _opened(path) as hdus:
        if "LDAC_IMHEAD" not in hdus:
            raise BadImage(f"{path.name}: no LDAC_IMHEAD, so it is not FITS_LDAC")
        rows = np.asarray(hdus["LDAC_IMHEAD"].data)[0][0]
        text = "".join(
            str(row, "ascii").ljust(_CARD) if isinstance(row, bytes) else f"{row:80}"
            for row in np.ravel(rows)
        )
        return _table_of(_objects(hdus, path)), Header.fromstring(text)


def _table_hdu(table: Table, name: str) -> fits.BinTableHDU:
    bare = table.copy(copy_data=False)
    bare.meta = {}
    hdu = fits.table_to_hdu(bare)
    hdu.name = name
    return hdu


def _header_hdu(header: Header) -> fits.BinTableHDU:
    # written by hand: astropy fills the cards with NUL bytes, which scamp does not survive
    text = header.tostring(sep="", endcard=True, padding=False).encode("ascii")
    table = Header(
        [
            ("XTENSION", "BINTABLE"),
            ("BITPIX", 8),
            ("NAXIS", 2),
            ("NAXIS1", len(text)),
            ("NAXIS2", 1),
            ("PCOUNT", 0),
            ("GCOUNT", 1),
            ("TFIELDS", 1),
            ("TTYPE1", "Field Header Card"),
            ("TFORM1", f"{len(text)}A"),
            ("TDIM1", f"({_CARD},{len(text) // _CARD})"),
            ("EXTNAME", "LDAC_IMHEAD"),
        ]
    )
    return fits.BinTableHDU.fromstring(table.tostring().encode("ascii") + text + bytes(-len(text) % 2880))


def _as_primary(header: Header) -> Header:
    """The header as that of a primary image, which scamp looks for."""
    axes = [(key, header[key]) for key in ("NAXIS1", "NAXIS2") if key in header]
    image = Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", len(axes)), *axes])
    image.extend(_described(header).cards, strip=False, end=True)
    return image


def _described(header: Header | None) -> Header:
    """The cards that say something about the observation; none that describe how an image is stored."""
    cards = Header() if header is None else header.copy()
    for key in _STRUCTURE:
        cards.remove(key, ignore_missing=True, remove_all=True)
    return cards


def _write(path: Path, hdus: list[fits.BinTableHDU]) -> str:
    with atomic(path) as temporary:
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(temporary, checksum=True)
    return str(hdus[-1].header["DATASUM"])


def _opened(path: Path) -> fits.HDUList:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*truncated", category=AstropyUserWarning)
            hdus = fits.open(BytesIO(path.read_bytes()))
            hdus.readall()
    except (OSError, ValueError, TypeError, KeyError, AstropyUserWarning) as error:
        raise BadImage(f"{path.name}: not a readable FITS table: {error}") from error
    return hdus


def _objects(hdus: fits.HDUList, path: Path) -> fits.BinTableHDU:
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and hdu.name != "LDAC_IMHEAD":
            return hdu
    raise BadImage(f"{path.name}: holds no table")


def _table_of(hdu: fits.BinTableHDU) -> Table:
    try:
        table = Table.read(hdu)
    except (OSError, ValueError, TypeError) as error:
        raise BadImage(f"table {hdu.name or 'without name'} is damaged or truncated: {error}") from error
    for column in table.itercols():
        if not column.dtype.isnative:
            table[column.name] = column.astype(column.dtype.newbyteorder("="))
    return table
