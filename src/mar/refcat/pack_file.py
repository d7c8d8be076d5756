"""One pack on disk: a table of stars in the order of their HEALPix pixels, and where each pixel begins."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table

from mar.errors import ReferenceUnreachable
from mar.io.atomic import atomic
from mar.refcat.healpix import pixels_near, pixels_of
from mar.refcat.stars import Cone, Stars, moved, separation_deg

ORDER = 6  # pixels of 0.92 degrees
_FASTEST_MAS = 11_000.0  # a year: Barnard's star
_UNITS = {"RA": "deg", "DEC": "deg", "PMRA": "mas/yr", "PMDEC": "mas/yr", "PARALLAX": "mas"}


@dataclass(frozen=True)
class Pack:
    """One reference catalogue in the folder of packs."""

    path: Path
    stars: int
    epoch: float  #: Julian year of the positions
    bands: tuple[str, ...]
    proper_motions: bool
    origin: str = ""  #: the file or the service that it was made of

    @property
    def name(self) -> str:
        """What the pack is called."""
        return self.path.stem


def write_pack(path: Path, table: Table, cards: Header) -> Pack:
    """Write stars (RA, DEC in degrees, MAG, perhaps PMRA, PMDEC, PARALLAX, MAG_<band>) as a pack.

    `cards` holds EPOCH (Julian year) and what else is worth telling.
    """
    pixel = pixels_of(np.asarray(table["RA"]), np.asarray(table["DEC"]), ORDER)
    order = np.argsort(pixel, kind="stable")
    table = table[order]
    for name in table.colnames:
        table[name].unit = _UNITS.get(name, "mag")
    stars = fits.table_to_hdu(table)
    stars.name = "REFCAT"
    stars.header.extend(cards.cards, end=True)
    held, first = np.unique(pixel[order], return_index=True)
    parts = fits.BinTableHDU.from_columns(
        [fits.Column("PIXEL", "J", array=held), fits.Column("FIRST", "K", array=first)], name="PIXELS"
    )
    parts.header["HPORDER"] = (ORDER, "order of the HEALPix pixels, nested")
    with atomic(path) as temporary:
        fits.HDUList([fits.PrimaryHDU(), stars, parts]).writeto(temporary, checksum=True)
    return describe(path)


@contextmanager
def _opened(path: Path) -> Iterator[fits.HDUList]:
    try:
        with fits.open(path, memmap=True) as hdus:
            yield hdus
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ReferenceUnreachable(f"pack {path.stem} cannot be read: {error}") from error


def describe(path: Path) -> Pack:
    """What a pack holds; raises ReferenceUnreachable."""
    with _opened(path) as hdus:
        stars = hdus["REFCAT"]
        names, header = stars.columns.names, stars.header
        bands = tuple(name.removeprefix("MAG_") for name in names if name.startswith("MAG_"))
        return Pack(
            path,
            int(header["NAXIS2"]),
            float(header["EPOCH"]),
            bands,
            "PMRA" in names,
            str(header.get("ORIGFILE", "")),
        )


def read_stars(path: Path, cone: Cone, year: float) -> Stars:
    """The stars of one pack within a cone at that epoch; only the rows of its pixels are read."""
    with _opened(path) as hdus:
        table = hdus["REFCAT"]
        years = year - float(table.header["EPOCH"])
        names = table.columns.names
        margin = abs(years) * _FASTEST_MAS / 3.6e6 if "PMRA" in names else 0.0
        wide = Cone(cone.ra_deg, cone.dec_deg, cone.radius_deg + margin)
        rows = _rows(hdus, wide)
        parts = {name: _column(table.data.field(name), rows) for name in names}
        error_mas = float(table.header.get("ERRMAS", 0.0))
    ra, dec = parts["RA"], parts["DEC"]
    if "PMRA" in parts:
        ra, dec = moved(ra, dec, parts["PMRA"], parts["PMDEC"], years, parts.get("PARALLAX"), year)
    bands = {name.removeprefix("MAG_"): values for name, values in parts.items() if name.startswith("MAG_")}
    stars = Stars(ra, dec, parts["MAG"], bands, error_mas, pack=path.stem)
    return stars[separation_deg(cone, ra, dec) <= cone.radius_deg]


def _column(values: np.ndarray, rows: list[tuple[int, int]]) -> np.ndarray:
    pieces = [np.array(values[first:stop], dtype=float) for first, stop in rows]
    return np.concatenate([np.empty(0), *pieces])


def _rows(hdus: fits.HDUList, cone: Cone) -> list[tuple[int, int]]:
    """Rows (first, after the last) of the pixels that a cone touches; all where the pack is not divided."""
    count = int(hdus["REFCAT"].header["NAXIS2"])
    if "PIXELS" not in hdus:
        return [(0, count)]
    held = np.asarray(hdus["PIXELS"].data["PIXEL"]).astype(np.int64)
    edges = np.append(np.asarray(hdus["PIXELS"].data["FIRST"]).astype(np.int64), count)
    touched = np.isin(held, pixels_near(cone, int(hdus["PIXELS"].header["HPORDER"])))
    turns = np.flatnonzero(np.diff(np.concatenate([[False], touched, [False]])))
    return [(int(edges[first]), int(edges[stop])) for first, stop in turns.reshape(-1, 2)]


def faults_of(path: Path) -> list[str]:
    """What is wrong with a pack, in sentences; empty where it is sound. Raises ReferenceUnreachable."""
    with _opened(path) as hdus:
        sound = all(hdu.verify_datasum() == 1 for hdu in hdus if "DATASUM" in hdu.header)
        faults = [] if sound else ["the checksum does not fit: the file was changed"]
        data = hdus["REFCAT"].data
        ra, dec = np.array(data["RA"], dtype=float), np.array(data["DEC"], dtype=float)
        divided = "PIXELS" in hdus
    if len(ra) == 0:
        faults.append("it holds no star")
    if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
        faults.append("some positions are not numbers")
    elif np.any((ra < 0) | (ra >= 360) | (np.abs(dec) > 90)):
        faults.append("some positions are not on the sky")
    elif not divided:
        faults.append("it is not divided into pixels of the sky, so that it is read slowly: add it again")
    elif np.any(np.diff(pixels_of(ra, dec, ORDER)) < 0):
        faults.append("its stars are not in the order of their pixels: add it again")
    return faults


def is_sound(path: Path) -> bool:
    """Whether a pack is there and nothing is wrong with it."""
    try:
        return path.exists() and not faults_of(path)
    except ReferenceUnreachable:
        return False
