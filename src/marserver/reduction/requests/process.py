"""Asking for a reduction: each request checks that there is something to do and queues one job."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from marserver.archive.kinds import named
from marserver.archive.models import FieldImage, FinalTile, FrameType, IndividualFile
from marserver.errors import Conflict, Invalid, NotFound
from marserver.jobs import queue
from marserver.jobs.models import Job
from marserver.reduction import code as execution
from marserver.reduction import site
from marserver.reduction.requests.blocks import FRAMES, PARTS
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.remarks import FRAME_STATUS, check_status


def queued(job: Job, **values: Any) -> Outcome:
    """The answer to everything that queues work."""
    return Outcome(f"{job} queued as operation {job.pk}", {"job": job.pk, **values})


def process(kind: str, row_id: int, *, code: str = "", only: str = "", asked_by: str = "") -> Outcome:
    """Queue the reduction of a block.

    Raises NotFound; Conflict where it is done, invalid or has no valid frame, or is already queued or
    running; Invalid for an unknown code.
    """
    kind = named(kind).name
    if only not in ("", "failed"):
        raise Invalid(f"only: {only!r} is not accepted; it is failed, or left out")
    words = execution.spell(code)
    block = known(kind, row_id)
    check_ready(kind, block)
    order = queue.Order(
        f"process_{kind}", kind, str(row_id), code=words, params={"id": row_id, "only": only}, user=asked_by
    )
    return queued(queue.enqueue(order), id=row_id)


def check_ready(kind: str, block: Any) -> None:
    """Raises Conflict where there is nothing to do for a block."""
    name = f"{kind} {block.pk}"
    if not block.isvalid:
        raise Conflict(f"{name} is invalid; validate it to process it")
    if block.status == 1:
        raise Conflict(
            f"{name} is already done (status 1); to run it again set its status to 0 first (setstatus)"
        )
    if not any(valid_frames_in(kind, block)):
        raise Conflict(f"{name} has no valid frame; validate some or add others, then process it")


def valid_frames_in(kind: str, block: Any) -> list[bool]:
    """For the block, or each valid part of it, whether it has a valid frame."""
    if kind not in PARTS:
        return [getattr(block, FRAMES[kind]).filter(isvalid=True).exists()]
    attribute = "flats" if kind == "flatblock" else "scies"
    parts = getattr(block, PARTS[kind]).filter(isvalid=True)
    return [parts.filter(**{f"{attribute}__isvalid": True}).exists()]


def raw_frames(field: str, band: str = "") -> Any:
    """The valid raw science frames of a field, and of one band where it is given."""
    frames = IndividualFile.objects.filter(file_type=FrameType.SCI, isvalid=True, field=field)
    return frames.filter(band=band) if band else frames


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

    Named by the tile's id, or by field and band. `status` first sets the frames back.
    """
    if tile_id is not None:
        tile: FinalTile = known("finaltiles", tile_id)
        field, band = tile.field, tile.band
    return process_frames("process_finaltiles", field, site.band_name(band), code, status, asked_by)


def process_field(field: str, *, code: str = "", status: int | None = None, asked_by: str = "") -> Outcome:
    """Queue the reduction of all raw science frames of a field, up to the tiles of all its bands."""
    return process_frames("process_field", field, "", code, status, asked_by)


def process_frames(
    function: str, field: str, band: str, code: str, status: int | None, asked_by: str
) -> Outcome:
    """Queue the reduction of the frames of a field, of one band or of all.

    Raises NotFound where there is none, Conflict where they are queued or running, Invalid.
    """
    words = execution.spell(code)
    if status is not None:
        check_status(status, FRAME_STATUS)
    if not raw_frames(field, band).exists():
        raise NotFound(f"no valid science frame of {field} {band}".rstrip() + f"; {fields_like(field)}")
    order = queue.Order(
        function, "finaltiles", field, band, words, {"field": field, "band": band, "status": status}, asked_by
    )
    with transaction.atomic():
        job = queue.enqueue(order)
        if status is not None:
            set_back(field, band, status)
    return queued(job, field=field)


def set_back(field: str, band: str, status: int) -> None:
    """Set the frames of a field back to a status, and its tiles to do; frames below it stay as they are."""
    frames = IndividualFile.objects.filter(field=field, file_type__in=(FrameType.SCI, FrameType.PROCESSED))
    tiles = FinalTile.objects.filter(field=field)
    if band:
        frames, tiles = frames.filter(band=band), tiles.filter(band=band)
    frames.filter(status__gt=status).update(status=status)
    tiles.update(status=0)


def fields_like(field: str) -> str:
    """Which fields there are, in words; first those whose names begin alike."""
    fields = IndividualFile.objects.filter(file_type=FrameType.SCI).exclude(field="")
    like = fields.filter(Q(field__istartswith=field[:4])) if field else fields
    names = (
        (like if like.exists() else fields).order_by("field").values_list("field", flat=True).distinct()[:10]
    )
    return (
        "there are frames of " + ", ".join(names)
        if names
        else "there is no science frame: scan a folder first"
    )


def process_fieldimage(
    *, image_id: int | None = None, field: str = "", partial: bool = False, asked_by: str = ""
) -> Outcome:
    """Queue the colour image of a field; raises Conflict with the missing bands unless `partial`."""
    if image_id is not None:
        image: FieldImage = known("fieldimage", image_id)
        field = image.field
    found = bands_done(field)
    if not found:
        raise NotFound(f"no tile of {field} is done; process its bands first")
    missing = [band for band in site.camera().band_names if band not in found]
    if missing and not partial:
        raise Conflict(
            f"{field} has no tile of {', '.join(missing)}; process them first, or ask with partial: true"
        )
    order = queue.Order(
        "process_fieldimage", "fieldimage", field, params={"field": field, "partial": partial}, user=asked_by
    )
    return queued(queue.enqueue(order), field=field)


def bands_done(field: str) -> set[str]:
    """The bands of a field whose tile is valid and done."""
    tiles = FinalTile.objects.filter(field=field, status=1, isvalid=True, file_path__isnull=False)
    return set(tiles.values_list("band", flat=True))
