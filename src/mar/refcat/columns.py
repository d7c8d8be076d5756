"""Tell which columns of a catalogue hold what; catalogues call them differently."""

import numpy as np
from astropy.table import Table
from astropy.units import Unit, UnitConversionError

from mar.errors import BadHeader

RA = ("RA", "RA_ICRS", "RAJ2000", "_RAJ2000", "ALPHA_J2000", "ALPHA", "RA_DEG", "RADEG", "X_WORLD")
DEC = (
    "DEC",
    "DE_ICRS",
    "DEJ2000",
    "DECJ2000",
    "_DEJ2000",
    "DELTA_J2000",
    "DELTA",
    "DEC_DEG",
    "DEDEG",
    "Y_WORLD",
)
MAGNITUDE = ("MAG", "PHOT_G_MEAN_MAG", "GMAG", "MAGNITUDE", "G_MAG", "MAG_AUTO", "RMAG", "VMAG", "JMAG")
PMRA = ("PMRA", "PM_RA", "PMRA_COSDEC", "PM_RA_COSDEC")
PMDEC = ("PMDEC", "PM_DEC", "PMDE")
PARALLAX = ("PARALLAX", "PLX")
EPOCH = ("EPOCH", "REF_EPOCH", "OBSDATE", "EPOCH_YR")
_NOT_BANDS = ("AUTO", "ISO", "APER", "ERR", "ERROR", "BEST", "PETRO", "WIN")


def find(table: Table, names: tuple[str, ...]) -> str | None:
    """The column called by the first of `names` that is there, whatever the case."""
    present = {name.upper(): name for name in table.colnames}
    return next((present[name] for name in names if name in present), None)


def required(table: Table, names: tuple[str, ...], what: str, label: str) -> str:
    """As `find`; raises BadHeader that says which names are understood."""
    name = find(table, names)
    if name is None:
        raise BadHeader(
            f"{label}: no column holds the {what}; it may be called {', '.join(names)}; "
            f"there are {', '.join(table.colnames)}"
        )
    return name


def values(table: Table, name: str, unit: str = "") -> np.ndarray:
    """A column as float64, NaN where it is masked, in `unit` where the column says its own.

    Raises BadHeader when the column's unit cannot be turned into it or it does not hold numbers.
    """
    column = table[name]
    try:
        filled: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
        if unit and column.unit is not None and not _unknown(column.unit):
            filled = filled * Unit(column.unit).to(Unit(unit))
    except (UnitConversionError, ValueError, TypeError) as error:
        raise BadHeader(f"column {name} is not in {unit or 'numbers'}: {error}") from error
    return np.asarray(filled, dtype=np.float64)


def _unknown(unit: object) -> bool:
    return str(unit).strip() == "" or type(unit).__name__ == "UnrecognizedUnit"


def band_columns(table: Table) -> dict[str, str]:
    """Columns MAG_<band>: band -> column."""
    found = {}
    for name in table.colnames:
        word = name.upper()
        if word.startswith("MAG_") and table[name].dtype.kind == "f" and table[name].ndim == 1:
            band = word.removeprefix("MAG_")
            if not any(part in _NOT_BANDS for part in band.split("_")):
                found[band] = name
    return found
