"""Fringe frames: asking for one, and saying which frames it belongs to."""

from datetime import date

from django.db import transaction

from marserver.archive.kinds import named
from marserver.archive.models import FrameType, IndividualFile, SciByFilter, Superflat
from marserver.audit.record import note
from marserver.errors import Invalid, NotFound
from marserver.jobs import queue
from marserver.reduction import site
from marserver.reduction.requests.blocks import frames_of
from marserver.reduction.requests.changing import Asked, as_row, set_column
from marserver.reduction.requests.finding import held
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import queued

SCIENCE = (FrameType.SCI, FrameType.PROCESSED)


def create_superflat(start: date, end: date, band: str, *, contains: str = "", asked_by: str = "") -> Outcome:
    """Make a superflat row and queue the fringe frame from the processed frames of these days and band."""
    if start > end:
        raise Invalid(f"startDate {start} is after endDate {end}")
    band = site.band_name(band)
    frames = frames_of(FrameType.PROCESSED, start, end, band, contains)
    with transaction.atomic():
        block = Superflat.objects.create(band=band, block_start_date=start, block_end_date=end)
        params = {"id": block.pk, "contains": contains}
        job = queue.enqueue(
            queue.Order("create_superflat", "superflat", str(block.pk), band, params=params, user=asked_by)
        )
        note(asked_by, "create", "superflat", block.pk, after={**as_row("superflat", block), "job": job.pk})
    return queued(job, id=block.pk, count=len(frames))


@transaction.atomic
def setsuperflat(kind: str, row_id: int, superflat_id: int, *, asked_by: str = "") -> Outcome:
    """Link a superflat to all raw and processed frames of a scibyfilter, or of a sciblock's part of the band.

    A negative id unlinks. Raises NotFound, and Invalid where the band is another one.
    """
    kind, asked = named(kind).name, Asked(asked_by, "setsuperflat")
    block = held(kind, row_id)
    superflat = wanted(superflat_id)
    parts = [block] if kind == "scibyfilter" else list(block.sci_by_filter.all())
    if superflat is not None:
        parts = [one for one in parts if one.band == superflat.band]
        if not parts:
            raise Invalid(
                f"superflatid: superflat {superflat_id} is of {superflat.band}, {kind} {row_id} is not"
            )
    changed, outcome = link(frames_of_parts(parts), superflat, superflat_id, asked)
    if changed:
        after = {"superflat_id": superflat.pk if superflat else None, "frames": changed}
        note(asked.by, asked.action, kind, row_id, after=after)
    return outcome


def frames_of_parts(parts: list[SciByFilter]) -> set[int]:
    """The ids of the raw and processed frames of some blocks."""
    raws = IndividualFile.objects.filter(scibyfilters__in=parts)
    processed = IndividualFile.objects.filter(raw_sci__scibyfilters__in=parts)
    return {*raws.values_list("pk", flat=True), *processed.values_list("pk", flat=True)}


@transaction.atomic
def setsuperflat_tile(field: str, band: str, superflat_id: int, *, asked_by: str = "") -> Outcome:
    """Link a superflat to every raw and processed frame of a field and band; a negative id unlinks.

    Raises NotFound, and Invalid where the band is another one.
    """
    band = site.band_name(band)
    superflat = wanted(superflat_id)
    if superflat is not None and superflat.band != band:
        raise Invalid(f"superflatid: superflat {superflat_id} is of {superflat.band}, not of {band}")
    frames = IndividualFile.objects.filter(field=field, band=band, file_type__in=SCIENCE)
    ids = set(frames.values_list("pk", flat=True))
    if not ids:
        raise NotFound(f"no science frame of {field} {band}")
    return link(ids, superflat, superflat_id, Asked(asked_by, "setsuperflat"))[1]


def wanted(superflat_id: int) -> Superflat | None:
    """The superflat that is to be linked, None for a negative id; raises NotFound."""
    return held("superflat", superflat_id) if superflat_id >= 0 else None


def link(ids: set[int], superflat: Superflat | None, superflat_id: int, asked: Asked) -> tuple[int, Outcome]:
    """Link a superflat to frames; gives how many frames it changed, and the answer."""
    key = superflat.pk if superflat else None
    changed = set_column("individualfile", ids, asked, "superflat_id", key)
    words = f"superflat {superflat_id} linked to" if superflat else "superflat unlinked from"
    return changed, Outcome(f"{words} {len(ids)} frames", {"count": len(ids), "superflatid": superflat_id})
