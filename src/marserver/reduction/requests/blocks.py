"""Making blocks, and what they hold."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, ProtectedError, QuerySet

from marserver.archive.kinds import named
from marserver.archive.models import (
    BiasBlock,
    FlatByFilter,
    FlatsBlock,
    FrameType,
    IndividualFile,
    SciBlock,
    SciByFilter,
)
from marserver.archive.queries import LARGEST_ID, containing, midnight
from marserver.audit.record import note
from marserver.errors import Conflict, Invalid, NotFound
from marserver.jobs import queue
from marserver.reduction import site
from marserver.reduction.requests.changing import as_row
from marserver.reduction.requests.finding import held, known
from marserver.reduction.requests.outcome import Outcome

FRAME_TYPE = {
    "biasblock": FrameType.BIAS,
    "flatbyfilter": FrameType.FLAT,
    "flatblock": FrameType.FLAT,
    "scibyfilter": FrameType.SCI,
    "sciblock": FrameType.SCI,
}
FRAMES = {"biasblock": "bias", "flatbyfilter": "flats", "scibyfilter": "scies"}
PARTS = {"flatblock": "flats_by_filter", "sciblock": "sci_by_filter"}
PART_KIND = {"flatblock": "flatbyfilter", "sciblock": "scibyfilter"}
DAYS_AROUND = 30


@transaction.atomic
def create(
    kind: str, start: date, end: date, *, band: str = "", contains: str = "", asked_by: str = ""
) -> Outcome:
    """Make a block of the valid frames of these days, both included.

    `kind` is biasblock, flatbyfilter, flatblock, scibyfilter or sciblock; `band` is needed where the block
    holds one band and ignored elsewhere. Raises Invalid, and NotFound where no frame matches.
    """
    kind = named(kind).name
    if start > end:
        raise Invalid(f"startDate {start} is after endDate {end}")
    if kind not in FRAME_TYPE:
        raise Invalid(f"a {kind} is not made by create")
    outcome = MAKERS[kind](start, end, band, contains)
    note_new(kind, known(kind, outcome.values["id"]), asked_by)
    return outcome


def note_new(kind: str, block: Any, asked_by: str) -> None:
    """Write a new block down, and each of its parts."""
    note(asked_by, "create", kind, block.pk, after=contents(kind, block))
    for one in parts_of(kind, block):
        note_new(PART_KIND[kind], one, asked_by)


def contents(kind: str, block: Any) -> dict[str, Any]:
    """A block with what it holds, as the audit keeps it."""
    held_ids = getattr(block, PARTS.get(kind) or FRAMES[kind]).order_by("pk").values_list("pk", flat=True)
    return {**as_row(kind, block), "parts" if kind in PARTS else "frames": list(held_ids)}


def parts_of(kind: str, block: Any) -> list[Any]:
    """The blocks of one band that a block of all bands consists of."""
    return list(getattr(block, PARTS[kind]).order_by("pk")) if kind in PARTS else []


def create_bias(start: date, end: date, band: str, contains: str) -> Outcome:
    """A block of bias frames."""
    frames = frames_of(FrameType.BIAS, start, end, "", contains)
    block = BiasBlock.objects.create(block_start_date=start, block_end_date=end)
    block.bias.set(frames)
    return made("biasblock", block, len(frames))


def create_one_band(kind: str) -> Callable[[date, date, str, str], Outcome]:
    """How a block of one band is made."""

    def make(start: date, end: date, band: str, contains: str) -> Outcome:
        if not band:
            whole = "flatblock" if kind == "flatbyfilter" else "sciblock"
            raise Invalid(f"band is missing; for all bands at once use {whole}")
        band = site.band_name(band)
        frames = frames_of(FRAME_TYPE[kind], start, end, band, contains)
        return made(kind, part(kind, start, end, band, frames), len(frames))

    return make


def create_all_bands(kind: str) -> Callable[[date, date, str, str], Outcome]:
    """How a block of all bands is made: one part for each band that has frames."""

    def make(start: date, end: date, band: str, contains: str) -> Outcome:
        frames = frames_of(FRAME_TYPE[kind], start, end, "", contains)
        by_band: dict[str, list[IndividualFile]] = defaultdict(list)
        for frame in frames:
            by_band[frame.band or ""].append(frame)
        model: Any = FlatsBlock if kind == "flatblock" else SciBlock
        block = model.objects.create(block_start_date=start, block_end_date=end)
        parts = [part(PART_KIND[kind], start, end, name, some) for name, some in by_band.items()]
        getattr(block, PARTS[kind]).set(parts)
        return made(kind, block, len(frames), f" in {', '.join(by_band)}")

    return make


MAKERS: dict[str, Callable[[date, date, str, str], Outcome]] = {
    "biasblock": create_bias,
    "flatbyfilter": create_one_band("flatbyfilter"),
    "scibyfilter": create_one_band("scibyfilter"),
    "flatblock": create_all_bands("flatblock"),
    "sciblock": create_all_bands("sciblock"),
}


def part(
    kind: str, start: date, end: date, band: str, frames: list[IndividualFile]
) -> FlatByFilter | SciByFilter:
    """The block of one band with these frames."""
    if kind == "flatbyfilter":
        flat = FlatByFilter.objects.create(block_start_date=start, block_end_date=end, band=band)
        flat.flats.set(frames)
        return flat
    sci = SciByFilter.objects.create(block_start_date=start, block_end_date=end, band=band)
    sci.scies.set(frames)
    return sci


def made(kind: str, block: Any, count: int, bands: str = "") -> Outcome:
    """The answer to a create."""
    return Outcome(f"{kind} {block.pk} made of {count} frames{bands}", {"id": block.pk, "count": count})


def frames_of(frame_type: str, start: date, end: date, band: str, contains: str) -> list[IndividualFile]:
    """The valid frames of these days; raises NotFound, which tells what there is near them."""
    some = valid_frames(frame_type, band).filter(containing("file_name", contains))
    frames = list(between(some, start, end).order_by("obs_date", "id"))
    if not frames:
        words = " ".join(word for word in (frame_type, band) if word)
        like = f" containing {contains}" if contains else ""
        raise NotFound(
            f"no valid {words} frame{like} from {start} to {end}; {nearby(frame_type, band, start, end)}"
        )
    return frames


def valid_frames(frame_type: str, band: str = "") -> QuerySet[IndividualFile]:
    """The valid frames of one type, and of one band where it is given."""
    frames = IndividualFile.objects.filter(file_type=frame_type, isvalid=True)
    return frames.filter(band=band) if band else frames


def between(frames: QuerySet[IndividualFile], start: date, end: date) -> QuerySet[IndividualFile]:
    """Those of these days (UTC), both included."""
    after = end + timedelta(days=1) if end < date.max else end
    return frames.filter(obs_date__gte=midnight(start), obs_date__lt=midnight(after))


def nearby(frame_type: str, band: str, start: date, end: date) -> str:
    """What there is near these days, in words."""
    frames = valid_frames(frame_type, band)
    margin = timedelta(days=DAYS_AROUND)
    first = start - margin if start - date.min > margin else date.min
    last = end + margin if date.max - end > margin else date.max
    days = (
        between(frames, first, last)
        .values_list("obs_date__date")
        .annotate(Count("pk"))
        .order_by("obs_date__date")
    )
    if days:
        return "there are " + ", ".join(f"{count} on {day}" for day, count in days[:10])
    ever = frames.aggregate(count=Count("pk"), first=Min("obs_date"), last=Max("obs_date"))
    if not ever["count"]:
        return "there is none of any date: scan the folder that holds them"
    return f"there are {ever['count']} between {ever['first'].date()} and {ever['last'].date()}"


@transaction.atomic
def add(kind: str, row_id: int, objid: int, *, asked_by: str = "") -> Outcome:
    """Put a frame into a block, or a part into a flatblock or sciblock.

    Raises NotFound, and Conflict where type or band differ.
    """
    kind = named(kind).name
    block = held(kind, row_id)
    some = known(PART_KIND.get(kind, "individualfile"), objid)
    if kind not in PARTS:
        check_fits(kind, block, some)
    inside = getattr(block, PARTS.get(kind) or FRAMES[kind])
    if not inside.filter(pk=objid).exists():
        inside.add(some)
        note(asked_by, "add", kind, row_id, after={"objid": objid})
    return Outcome(f"{some} added to {kind} {row_id}", {"id": row_id, "objid": objid})


def check_fits(kind: str, block: Any, frame: IndividualFile) -> None:
    """Raises Conflict where a frame is of another type or band than a block."""
    wanted, band = FRAME_TYPE[kind], getattr(block, "band", "")
    if frame.file_type != wanted or (band and frame.band != band):
        raise Conflict(
            f"{frame.file_name} is {frame.file_type} {frame.band or ''}; {kind} {block.pk} is {wanted} {band}"
        )


@transaction.atomic
def remove(kind: str, row_id: int, objid: int, *, asked_by: str = "") -> Outcome:
    """Take a frame or part out of a block; raises NotFound where it is not in it."""
    kind = named(kind).name
    inside = getattr(held(kind, row_id), PARTS.get(kind) or FRAMES[kind])
    some = inside.filter(pk=objid).first() if objid <= LARGEST_ID else None
    if some is None:
        raise NotFound(f"{kind} {row_id} does not hold {objid}")
    inside.remove(some)
    note(asked_by, "remove", kind, row_id, before={"objid": objid})
    return Outcome(f"{some} removed from {kind} {row_id}", {"id": row_id, "objid": objid})


@transaction.atomic
def delete(kind: str, row_id: int, *, asked_by: str = "") -> Outcome:
    """Delete a block that was never processed, with the parts that are of no other block.

    Raises NotFound, and Conflict where products hang on it or work on it is queued.
    """
    kind = named(kind).name
    block = held(kind, row_id)
    parts = [one for one in parts_of(kind, block) if len(wholes_of(kind, PART_KIND[kind], one)) == 1]
    if any(has_products(one) for one in (block, *parts)):
        raise Conflict(f"{kind} {row_id} has products and is kept; validate flips it to invalid instead")
    gone = [(kind, block), *((PART_KIND[kind], one) for one in parts)]
    for name, one in [*gone, *((whole, row) for whole in PARTS for row in wholes_of(whole, kind, block))]:
        check_idle(name, one)
    try:
        for name, one in gone:
            note(asked_by, "delete", name, one.pk, before=contents(name, one))
            one.delete()
    except ProtectedError as error:
        raise Conflict(f"{kind} {row_id} is in use and is kept") from error
    return Outcome(f"{kind} {row_id} deleted", {"id": row_id})


def wholes_of(whole: str, kind: str, block: Any) -> list[Any]:
    """The blocks of all bands, of one kind, that a block belongs to."""
    return list(getattr(block, f"{whole}s").all()) if PART_KIND[whole] == kind else []


def check_idle(kind: str, block: Any) -> None:
    """Raises Conflict where an operation on a block waits or runs."""
    job = queue.alive(kind, str(block.pk))
    if job is not None:
        raise Conflict(f"{kind} {block.pk} is kept: {queue.already(job)}")


def has_products(block: Any) -> bool:
    """Whether something was made from a block."""
    linked = getattr(block, "processed", None)
    return bool(
        block.status or getattr(block, "master_path", None) or (linked is not None and linked.exists())
    )
