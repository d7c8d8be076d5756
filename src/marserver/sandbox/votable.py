"""VOTable 1.3 with its rows as TABLEDATA, written piece by piece (astropy's writer holds the whole table)."""

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from marserver.sandbox.cells import Cell

NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.3" xmlns="{NAMESPACE}">\n'
FOOT = "</TABLEDATA></DATA>\n</TABLE>\n{overflow}</RESOURCE>\n</VOTABLE>\n"
OVERFLOW = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n'
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Units of the columns of our tables, by their names
UNITS = {
    "exptime": "s",
    "crval1": "deg",
    "crval2": "deg",
    "modeavg": "adu",
    "medianavg": "adu",
    "noiseavg": "adu",
    "medianrms": "adu",
    "noiserms": "adu",
    "zeropoint": "mag",
    "depth": "mag",
    "fwhm": "arcsec",
    "astrometric_rms": "arcsec",
    "ast_rms": "mas",
    "ast_internal_rms": "mas",
    "ast_east": "arcsec",
    "ast_north": "arcsec",
    "ast_error": "mas",
}
TYPES = {
    "long": 'datatype="long"',
    "double": 'datatype="double"',
    "text": 'datatype="unicodeChar" arraysize="*"',
}
LEAST_LONG, MOST_LONG = -(2**63), 2**63 - 1
NULL_LONG = LEAST_LONG + 1  # what stands for NULL among whole numbers
NULLS = {"long": str(NULL_LONG), "double": "NaN", "text": ""}


def widened(kind: str, value: Cell) -> str:
    """The type of a column ("" so far unknown) that also holds this value."""
    if value is None or kind == "text" or (kind == "double" and type(value) is float):
        return kind
    if isinstance(value, str):
        return "text"
    if isinstance(value, float) or kind == "double":
        return "double"
    return "long" if NULL_LONG < value <= MOST_LONG else "double"


class Votable:
    """One table; the types of its columns are known."""

    def __init__(self, columns: Sequence[str], kinds: Sequence[str]) -> None:
        self.columns = columns
        self.kinds = [kind or "text" for kind in kinds]

    def head(self) -> str:
        """Everything before the rows."""
        fields = [
            field(n, name, kind)
            for n, (name, kind) in enumerate(zip(self.columns, self.kinds, strict=True), 1)
        ]
        return HEAD + '<RESOURCE type="results">\n<TABLE>\n' + "".join(fields) + "<DATA><TABLEDATA>\n"

    def line(self, row: Sequence[Cell]) -> str:
        """One row."""
        cells = (f"<TD>{text(kind, value)}</TD>" for kind, value in zip(self.kinds, row, strict=True))
        return f"<TR>{''.join(cells)}</TR>\n"

    def foot(self, truncated: bool) -> str:
        """Everything after the rows; a table that was cut says so as the VO's services do."""
        return FOOT.format(overflow=OVERFLOW if truncated else "")


def field(number: int, name: str, kind: str) -> str:
    """The description of a column; the name may come twice, the ID does not."""
    unit = f' unit="{UNITS[name]}"' if kind != "text" and name in UNITS else ""
    said = f'<FIELD ID="c{number}" name={quoteattr(clean(name))} {TYPES[kind]}{unit}'
    return said + (f'><VALUES null="{NULL_LONG}"/></FIELD>\n' if kind == "long" else "/>\n")


def text(kind: str, value: Cell) -> str:
    """A value in its cell."""
    if value is None:
        return NULLS[kind]
    return escape(clean(value)) if isinstance(value, str) else str(value)


def clean(value: str) -> str:
    """Text without the control characters that XML does not have."""
    return value if value.isprintable() else NOT_XML.sub("\ufffd", value)
