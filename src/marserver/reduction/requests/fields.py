"""Asking for the reduction of a field, in one band or in all, up to its tiles."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from marserver.archive.models import FinalTile, FrameType, IndividualFile
from marserver.errors import Conflict, NotFound
from marserver.jobs import queue
from marserver.reduction import code as execution
from marserver.reduction import site
from marserver.reduction.requests.changing import Asked, set_column
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import enqueue, queued
from marserver.reduction.requests.remarks import FRAME_STATUS, check_status

MOST_NAMES = 10


def process_tile(
    *,
    tile_id: int | None = None,
    field: str = "",
    band: str = "",
    code: str = "",
    status: int | None = None,
    asked_by: str = "",
) -> Outcome:
    """Queue the reduction of all raw science frames of one field and band, up to its tile.

    Named by the tile's id, or by field and band. `status` first sets the frames back. Raises NotFound where
    there is none, Conflict where none is valid or they are queued or running, Invalid.
    """
    return ask(order_of_tile(tile_id, field, band, code, status, asked_by), "process")


def process_field(field: str, *, code: str = "", status: int | None = None, asked_by: str = "") -> Outcome:
    """Queue the reduction of all raw science frames of a field, up to the tiles of all its bands."""
    return ask(order_of_field(field, code, status, asked_by), "processfield")


def order_of_tile(
    tile_id: int | None, field: str, band: str, code: str, status: int | None, asked_by: str
) -> queue.Order:
    """The operation that a `process` of a tile asks for; raises NotFound, Invalid."""
    if tile_id is not None:
        tile: FinalTile = known("finaltiles", tile_id)
        field, band = tile.field, tile.band
    return order_of("process_finaltiles", field, site.band_name(band), code, status, asked_by)


def order_of_field(field: str, code: str, status: int | None, asked_by: str) -> queue.Order:
    """The operation that a `processfield` asks for; raises NotFound, Invalid."""
    return order_of("process_field", field, "", code, status, asked_by)


def order_of(
    function: str, field: str, band: str, code: str, status: int | None, asked_by: str
) -> queue.Order:
    """The operation on a field; raises NotFound where it has no science frame, Invalid."""
    words = execution.spell(code)
    if status is not None:
        check_status(status, FRAME_STATUS)
    if not raw_frames(field, band).exists():
        raise NotFound(f"no valid science frame of {field} {band}".rstrip() + f"; {what_there_is(field)}")
    params = {"field": field, "band": band, "status": status}
    return queue.Order(function, "finaltiles", field, band, words, params, asked_by)


@transaction.atomic
def ask(order: queue.Order, action: str) -> Outcome:
    """Queue it, and first set the frames back where a status is given: both or nothing."""
    field, band, status = order.params["field"], order.params["band"], order.params["status"]
    check_valid(field, band)
    tiles = tiles_of(field, band).values_list("pk", flat=True)
    job = enqueue(order, action, "finaltiles", list(tiles))
    values = {} if status is None else {"count": set_back(field, band, status, Asked(order.user, action))}
    return queued(job, field=field, **values)


def check_valid(field: str, band: str) -> None:
    """Raises Conflict where all science frames of a field, or of one band of it, are invalid."""
    if not raw_frames(field, band).filter(isvalid=True).exists():
        what = f"{field} {band}".rstrip()
        raise Conflict(f"{what} has no valid science frame; validate some, then process it")


def raw_frames(field: str, band: str = "") -> Any:
    """The raw science frames of a field, and of one band where it is given."""
    return of_band(IndividualFile.objects.filter(file_type=FrameType.SCI, field=field), band)


def tiles_of(field: str, band: str = "") -> Any:
    """The tiles of a field, or the one of a band."""
    return of_band(FinalTile.objects.filter(field=field), band)


def of_band(rows: Any, band: str) -> Any:
    """Those of one band, all where none is given."""
    return rows.filter(band=band) if band else rows


def set_back(field: str, band: str, status: int, asked: Asked) -> int:
    """Set frames back to a status, raw and processed, and their tiles to do; gives how many frames.

    Frames that are below that status stay as they are.
    """
    types = (FrameType.SCI, FrameType.PROCESSED)
    frames = of_band(IndividualFile.objects.filter(field=field, file_type__in=types), band)
    further = frames.filter(status__gt=status).values_list("pk", flat=True)
    set_column("finaltiles", tiles_of(field, band).values_list("pk", flat=True), asked, "status", 0)
    return set_column("individualfile", further, asked, "status", status)


def what_there_is(field: str) -> str:
    """What a field has, else which fields there are, in words; first those whose names begin alike."""
    frames = IndividualFile.objects.filter(file_type=FrameType.SCI).exclude(field="")
    bands = list(frames.filter(field=field).order_by("band").values_list("band", flat=True).distinct())
    if bands:
        return f"{field} has frames of {', '.join(band or 'no band' for band in bands)}"
    names = frames.order_by("field").values_list("field", flat=True).distinct()
    like = list(names.filter(Q(field__istartswith=field[:4]))[:MOST_NAMES]) or list(names[:MOST_NAMES])
    return (
        f"there are frames of {', '.join(like)}" if like else "there is no science frame: scan a folder first"
    )
