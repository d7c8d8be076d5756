"""Packs: reference catalogues on disk, sorted by declination so that a cone reads only its own zone."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table

from mar.errors import BadConfig, BadHeader, BadImage, NoReference, ReferenceUnreachable
from mar.io.catalogs import read_catalog, write_catalog
from mar.refcat import columns
from mar.refcat.stars import Cone, Stars, moved, separation_deg

_FASTEST_MAS = 11_000.0  # mas/yr: Barnard's star


@dataclass(frozen=True)
class Pack:
    """One reference catalogue in the folder of packs."""

    path: Path
    stars: int
    epoch: float  #: Julian year of the positions
    bands: tuple[str, ...]
    proper_motions: bool

    @property
    def name(self) -> str:
        """What the pack is called."""
        return self.path.stem


class RefCat:
    """The packs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def packs(self) -> list[Pack]:
        """All packs, by name; raises ReferenceUnreachable when one cannot be read."""
        return [_describe(path) for path in self._paths()]

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.fits")) if self.folder.is_dir() else []

    def add(self, file: Path, name: str | None = None, epoch: float | None = None) -> Pack:
        """Make a pack of a FITS table or FITS_LDAC file with RA, DEC and a magnitude.

        Proper motions (mas/yr, RA times cos DEC) and magnitudes MAG_<band> are kept where they are. `epoch`
        is the Julian year of the positions, where the file does not say. Raises BadImage,
        BadHeader or BadConfig.
        """
        name = name or file.name.split(".")[0]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
            raise BadConfig(f"{name!r} cannot name a pack; use letters, digits and . _ + -")
        table, header = _normalised(read_catalog(file), file.name, epoch)
        path = self.folder / f"{name}.fits"
        write_catalog(path, table, header, name="REFCAT")
        return _describe(path)

    def stars_in(self, cone: Cone, epoch: float | datetime, pack: str = "") -> Stars:
        """The stars of a cone, moved to `epoch` (Julian year, or a time).

        Of several packs the one that has most stars there is taken, or the one called `pack`. Raises
        NoReference where none has a star in the field, ReferenceUnreachable where there is no pack or it
        cannot be read.
        """
        paths = [path for path in self._paths() if not pack or path.stem == pack]
        if not paths:
            wanted = f"no pack {pack!r}" if pack else "no reference pack"
            raise ReferenceUnreachable(f"{wanted} in {self.folder}: add one with `mar refcat add FILE`")
        found = max((_stars(path, cone, julian_year(epoch)) for path in paths), key=len)
        if len(found) == 0:
            names = ", ".join(path.stem for path in paths)
            raise NoReference(
                f"no reference star within {cone.radius_deg:.3f} deg of RA {cone.ra_deg:.4f} DEC "
                f"{cone.dec_deg:+.4f} in {names}: add a pack that covers the field"
            )
        return found

    def verify(self, name: str) -> list[str]:
        """What is wrong with a pack, in sentences; empty where it is sound. Raises ReferenceUnreachable."""
        with _opened(self.folder / f"{name}.fits") as hdu:
            faults = [] if hdu.verify_datasum() == 1 else ["the checksum does not fit: the file was changed"]
            ra, dec = np.array(hdu.data["RA"], dtype=float), np.array(hdu.data["DEC"], dtype=float)
        if len(ra) == 0:
            faults.append("it holds no star")
        if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
            faults.append("some positions are not numbers")
        if np.any((ra < 0) | (ra >= 360) | (np.abs(dec) > 90)):
            faults.append("some positions are not on the sky")
        if np.any(np.diff(dec) < 0):
            faults.append("it is not sorted by declination: add it again")
        return faults


def julian_year(epoch: float | datetime) -> float:
    """A time as a Julian year; numbers stay."""
    if not isinstance(epoch, datetime):
        return float(epoch)
    since = epoch.astimezone(UTC) - datetime(2000, 1, 1, 12, tzinfo=UTC)
    return 2000.0 + since.total_seconds() / (365.25 * 86400)


def _normalised(table: Table, label: str, epoch: float | None) -> tuple[Table, Header]:
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
    if pmra and pmdec:
        for key, name in (("PMRA", pmra), ("PMDEC", pmdec)):
            pack[key] = np.nan_to_num(columns.values(table, name, "mas/yr")).astype("f4")
    for band, name in bands.items():
        pack[f"MAG_{band}"] = columns.values(table, name, "mag").astype("f4")
    year = _epoch(table, label, epoch, moving="PMRA" in pack.colnames)
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    if not good.any():
        raise BadImage(f"{label}: holds no star with a position")
    pack = pack[good][np.argsort(dec[good], kind="stable")]
    for name in pack.colnames:
        pack[name].unit = "deg" if name in ("RA", "DEC") else "mas/yr" if name.startswith("PM") else "mag"
    header = Header(
        [("EPOCH", year, "Julian year of the positions"), ("ORIGFILE", label, "made from this file")]
    )
    return pack, header


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


@contextmanager
def _opened(path: Path) -> Iterator[fits.BinTableHDU]:
    try:
        with fits.open(path, memmap=True) as hdus:
            yield hdus["REFCAT"]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ReferenceUnreachable(f"pack {path.stem} cannot be read: {error}") from error


def _describe(path: Path) -> Pack:
    with _opened(path) as hdu:
        names = hdu.columns.names
        bands = tuple(name.removeprefix("MAG_") for name in names if name.startswith("MAG_"))
        return Pack(path, int(hdu.header["NAXIS2"]), float(hdu.header["EPOCH"]), bands, "PMRA" in names)


def _stars(path: Path, cone: Cone, year: float) -> Stars:
    """The stars of one pack within a cone at that epoch; only the zone's rows are read."""
    with _opened(path) as hdu:
        years = year - float(hdu.header["EPOCH"])
        rows = hdu.data
        margin = abs(years) * _FASTEST_MAS / 3.6e6 if "PMRA" in hdu.columns.names else 0.0
        declination = rows.field("DEC")
        low = bisect_left(declination, cone.dec_deg - cone.radius_deg - margin)
        high = bisect_right(declination, cone.dec_deg + cone.radius_deg + margin)
        zone = {name: np.array(rows.field(name)[low:high], dtype=float) for name in hdu.columns.names}
    ra, dec = zone["RA"], zone["DEC"]
    if "PMRA" in zone:
        ra, dec = moved(ra, dec, zone["PMRA"], zone["PMDEC"], years)
    bands = {name.removeprefix("MAG_"): values for name, values in zone.items() if name.startswith("MAG_")}
    stars = Stars(ra, dec, zone["MAG"], bands, pack=path.stem)
    return stars[separation_deg(cone, ra, dec) <= cone.radius_deg]
