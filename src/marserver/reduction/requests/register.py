"""Taking in a master that was made earlier, where it stands; its header is checked before it is believed."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from mar.errors import MarError
from mar.io.atomic import write_bytes
from marserver.archive.kinds import named
from marserver.archive.models import BiasBlock, FlatByFilter, Superflat
from marserver.audit import record as audit
from marserver.errors import Conflict, Invalid
from marserver.reduction import site
from marserver.reduction.paths import file_below, is_kept_back
from marserver.reduction.requests.outcome import Outcome

if TYPE_CHECKING:
    from marserver.reduction.master_files import MasterFile

PATH = {"biasblock": "master_path", "flatbyfilter": "master_path", "superflat": "super_flat_path"}
THUMBS = "THUMBS/REGISTERED"
ADVISORY = 0x4D415252  # any number of our own: registrations on PostgreSQL wait for each other at it
one_at_a_time = Lock()  # a master is whole in memory while it is looked at


def register(kind: str, filepath: str, *, asked_by: str = "") -> Outcome:
    """Make a block of status 1 of a master below the data root; the file stays where it is.

    `kind` is biasblock, flatbyfilter or superflat. Raises NotFound where there is no such file, Conflict
    where a block has it already, Invalid, which names the card, where the file is not such a master.
    """
    kind = named(kind).name
    if kind not in ROWS:
        raise Invalid(f"a {kind} is not made by register; {', '.join(ROWS)} are")
    path = file_below(filepath, "filepath")
    if is_kept_back(path):
        raise Invalid(f"filepath: {path} is not for masters; put the file into a folder of its own")
    if not PurePosixPath(path).name.isascii():
        raise Invalid(f"filepath: the name of {path} goes into headers; rename it with plain letters")
    from marserver.reduction.master_files import read_master_file  # astropy and numba: only where needed

    camera, config = site.camera(), site.config()
    with one_at_a_time:
        check_new(kind, path)
        try:
            master = read_master_file(kind, path, camera, config.thumbs)
        except MarError as error:
            raise Invalid(f"filepath: {error}") from error
        row = recorded(kind, master, asked_by)
    return Outcome(f"{kind} {row.pk} registered from {path}", {"id": row.pk})


def check_new(kind: str, path: str) -> None:
    """Raise Conflict where a block of the kind has this file as its master."""
    other = named(kind).objects.filter(**{PATH[kind]: path}).order_by("pk").first()
    if other is not None:
        hidden = "" if other.isvalid else ", which is invalid: validate it to use it"
        raise Conflict(f"{path} is already the master of {kind} {other.pk}{hidden}")


@transaction.atomic
def recorded(kind: str, master: "MasterFile", asked_by: str) -> Any:
    """The row of a master, its thumbnails and the line of the audit."""
    wait_for_others()
    check_new(kind, master.path)
    row = ROWS[kind](master)
    row.save()
    thumbs = [site.relative(path) for path in write_thumbs(kind, row.pk, master)]
    if kind == "superflat":
        row.super_flat_thumb = thumbs[0]
    else:
        row.master_thumb, row.mask_thumb = thumbs
    row.save()
    after = {"path": master.path, "status": 1, "isvalid": True}
    audit.note(asked_by, "register", kind, row.pk, {}, after)
    return row


def wait_for_others() -> None:
    """One registration after another, also those of other servers of a PostgreSQL; SQLite has one writer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY])


def write_thumbs(kind: str, pk: int, master: "MasterFile") -> list[Path]:
    """Write the thumbnails of a master and of its mask; gives their paths."""
    place = site.root() / PurePosixPath(THUMBS)
    pictures = {f"{kind}{pk}.png": master.thumb, f"{kind}{pk}_mask.png": master.mask_thumb}
    paths = []
    for name, picture in pictures.items():
        if picture:
            write_bytes(place / name, picture)
            paths.append(place / name)
    return paths


def master_columns(master: "MasterFile") -> dict[str, Any]:
    """What bias blocks and flat blocks keep of a master."""
    return {
        **shared_columns(master),
        **master.statistics,
        "master_path": master.path,
        "mask_path": master.mask_path,
    }


def shared_columns(master: "MasterFile") -> dict[str, Any]:
    """What every block keeps of a master."""
    return {
        "block_start_date": master.start,
        "block_end_date": master.end,
        "status": 1,
        "checksum": master.checksum,
        "inputs": master.inputs,
        "config_hash": master.config_hash,
        "version": master.version,
    }


ROWS: dict[str, Callable[["MasterFile"], Any]] = {
    "biasblock": lambda master: BiasBlock(**master_columns(master)),
    "flatbyfilter": lambda master: FlatByFilter(band=master.band, **master_columns(master)),
    "superflat": lambda master: Superflat(
        band=master.band, super_flat_path=master.path, **shared_columns(master)
    ),
}
