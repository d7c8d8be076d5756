"""Read catalogues of others: which column is what, in which unit, and of which epoch."""

from pathlib import Path

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table

from mar.errors import BadConfig, BadHeader, BadImage
from mar.io.catalogs import read_catalog
from mar.refcat import columns


def read_table(file: Path) -> Table:
    """A FITS table, FITS_LDAC, or Parquet file; raises BadImage, or BadConfig where pyarrow is missing."""
    if file.suffix.lower() not in (".parquet", ".pq"):
        return read_catalog(file)
    try:
        return Table.read(file, format="parquet")
    except ImportError as error:
        raise BadConfig(
            f"{file.name}: Parquet files need pyarrow, which is not installed: `pip install pyarrow`, "
            "or write the catalogue as a FITS table"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise BadImage(f"{file.name}: not a readable Parquet file: {error}") from error


def normalised(
    table: Table, label: str, epoch: float | None, error_mas: float | None = None
) -> tuple[Table, Header]:
    """The columns and cards of a pack; `epoch` is the Julian year where the table does not say.

    Raises BadHeader where a column is missing or has a foreign unit, BadImage where no star is left.
    """
    ra = columns.values(table, columns.required(table, columns.RA, "right ascension", label), "deg") % 360
    dec = columns.values(table, columns.required(table, columns.DEC, "declination", label), "deg")
    bands = columns.band_columns(table)
    magnitude = columns.find(table, columns.MAGNITUDE) or next(iter(bands.values()), None)
    if magnitude is None:
        raise BadHeader(
            f"{label}: no column holds a magnitude; it may be called {', '.join(columns.MAGNITUDE)}"
        )
    pack = Table({"RA": ra, "DEC": dec, "MAG": columns.values(table, magnitude, "mag").astype("f4")})
    pmra, pmdec = columns.find(table, columns.PMRA), columns.find(table, columns.PMDEC)
    parallax = columns.find(table, columns.PARALLAX)
    if pmra and pmdec:
        for key, name in (("PMRA", pmra), ("PMDEC", pmdec)):
            pack[key] = np.nan_to_num(columns.values(table, name, "mas/yr")).astype("f4")
        if parallax:
            pack["PARALLAX"] = np.nan_to_num(columns.values(table, parallax, "mas")).astype("f4")
    for band, name in bands.items():
        pack[f"MAG_{band}"] = columns.values(table, name, "mag").astype("f4")
    year = _epoch(table, label, epoch, moving="PMRA" in pack.colnames)
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    if not good.any():
        raise BadImage(f"{label}: holds no star with a position")
    cards = Header([("EPOCH", year, "Julian year of the positions"), ("ORIGFILE", label, "made from this")])
    if error_mas is not None:
        cards["ERRMAS"] = (error_mas, "[mas] error of a position per axis")
    return pack[good], cards


def _epoch(table: Table, label: str, given: float | None, moving: bool) -> float:
    if given is not None:
        return given
    name = columns.find(table, columns.EPOCH)
    if name is not None and len(table):
        return float(np.nanmedian(columns.values(table, name)))
    for key in ("EPOCH", "REFEPOCH", "REF_EPOCH"):
        if key in table.meta:
            return float(table.meta[key])
    if moving:
        raise BadHeader(
            f"{label}: has proper motions but does not say their epoch; give it with --epoch YEAR"
        )
    return 2000.0
