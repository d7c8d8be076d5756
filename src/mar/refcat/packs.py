"""The packs of a folder: reference catalogues that serve without a network."""

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from astropy.table import Table

from mar.errors import BadConfig, NoReference, ReferenceUnreachable
from mar.refcat.importing import normalised, read_table
from mar.refcat.pack_file import Pack, describe, faults_of, is_sound, read_stars, write_pack
from mar.refcat.stars import Cone, Stars


class RefCat:
    """The packs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def packs(self) -> list[Pack]:
        """All packs, by name; raises ReferenceUnreachable when one cannot be read."""
        return [describe(path) for path in self._paths()]

    def _paths(self, pattern: str = "") -> list[Path]:
        found = sorted(self.folder.glob("*.fits")) if self.folder.is_dir() else []
        return [path for path in found if not pattern or fnmatchcase(path.stem, pattern)]

    def add(
        self, file: Path, name: str | None = None, epoch: float | None = None, error_mas: float | None = None
    ) -> Pack:
        """Make a pack of a FITS table, FITS_LDAC or Parquet file with RA, DEC and a magnitude.

        Proper motions (mas/yr, RA times cos DEC), parallaxes (mas) and magnitudes MAG_<band> are kept where
        they are. `epoch` is the Julian year of the positions, where the file does not say; `error_mas` their
        error per axis. Raises BadImage, BadHeader or BadConfig.
        """
        path = self.path_of(name or file.name.split(".")[0])
        return write_pack(path, *normalised(read_table(file), file.name, epoch, error_mas))

    def add_table(self, table: Table, name: str, origin: str, epoch: float, error_mas: float) -> Pack:
        """The same of a table in memory; `origin` tells where it comes from."""
        return write_pack(self.path_of(name), *normalised(table, origin, epoch, error_mas))

    def fetch(self, cone: Cone, faintest: float, name: str = "") -> tuple[Pack, bool]:
        """A pack with Gaia's stars of a cone, and whether it was fetched now: where it is sound, it serves.

        Raises ReferenceUnreachable where the service does not answer, NoReference where it has no star there.
        """
        from mar.refcat.gaia import EPOCH, ERROR_MAS, ask_gaia, gaia_name

        name = name or gaia_name(cone)
        path = self.path_of(name)
        if is_sound(path):
            return describe(path), False
        return self.add_table(ask_gaia(cone, faintest), name, "Gaia DR3", EPOCH, ERROR_MAS), True

    def path_of(self, name: str) -> Path:
        """The file of a pack; raises BadConfig where the name cannot be that of a file."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
            raise BadConfig(f"{name!r} cannot name a pack; use letters, digits and . _ + -")
        return self.folder / f"{name}.fits"

    def stars_in(self, cone: Cone, epoch: float | datetime, pack: str = "") -> Stars:
        """The stars of a cone, moved to `epoch` (Julian year, or a time).

        Of several packs the one that has most stars there is taken, of those that the pattern `pack` names.
        Raises NoReference where none has a star in the field, ReferenceUnreachable where there is no pack or
        those that can be read have no star there and another one cannot.
        """
        paths = self._paths(pack)
        if not paths:
            wanted = f"no pack {pack!r}" if pack else "no reference pack"
            raise ReferenceUnreachable(f"{wanted} in {self.folder}: add one with `mar refcat add FILE`")
        best, trouble = None, None
        for path in paths:
            try:
                found = read_stars(path, cone, julian_year(epoch))
            except ReferenceUnreachable as error:
                trouble = error
            else:
                best = found if best is None or len(found) > len(best) else best
        if best is not None and len(best):
            return best
        if trouble is not None:
            raise trouble
        names = ", ".join(path.stem for path in paths)
        raise NoReference(
            f"no reference star within {cone.radius_deg:.3f} deg of RA {cone.ra_deg:.4f} DEC "
            f"{cone.dec_deg:+.4f} in {names}: add a pack that covers the field"
        )

    def verify(self, name: str) -> list[str]:
        """What is wrong with a pack, in sentences; empty where it is sound. Raises ReferenceUnreachable."""
        return faults_of(self.folder / f"{name}.fits")


def julian_year(epoch: float | datetime) -> float:
    """A time as a Julian year; numbers stay."""
    if not isinstance(epoch, datetime):
        return float(epoch)
    since = epoch.astimezone(UTC) - datetime(2000, 1, 1, 12, tzinfo=UTC)
    return 2000.0 + since.total_seconds() / (365.25 * 86400)
