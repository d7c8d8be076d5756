"""Fringe frames: asking for one, and saying which frames it belongs to."""

from datetime import date
from typing import Any

from django.db import transaction

from marserver.archive.kinds import named
from marserver.archive.models import FrameType, IndividualFile, SciByFilter, Superflat
from marserver.errors import Invalid, NotFound
from marserver.jobs import queue
from marserver.reduction import site
from marserver.reduction.requests.blocks import frames_of
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import queued


def create_superflat(start: date, end: date, band: str, *, contains: str = "", asked_by: str = "") -> Outcome:
    """Make a superflat row and queue the fringe frame from the processed frames of these days and band."""
    if start > end:
        raise Invalid(f"startDate {start} is after endDate {end}")
    band = site.band_name(band)
    frames_of(FrameType.PROCESSED, start, end, band, contains)
    with transaction.atomic():
        block = Superflat.objects.create(band=band, block_start_date=start, block_end_date=end)
        params = {"id": block.pk, "contains": contains}
        job = queue.enqueue(
            queue.Order("create_superflat", "superflat", str(block.pk), band, params=params, user=asked_by)
        )
    return queued(job, id=block.pk)


def setsuperflat(kind: str, row_id: int, superflat_id: int) -> Outcome:
    """Link a superflat to all raw and processed frames of a scibyfilter, or of a sciblock's part of the band.

    A negative id unlinks. Raises NotFound, and Invalid where the band is another one.
    """
    kind = named(kind).name
    block = known(kind, row_id)
    superflat = known("superflat", superflat_id) if superflat_id >= 0 else None
    parts = [block] if kind == "scibyfilter" else list(block.sci_by_filter.all())
    if superflat is not None:
        parts = [one for one in parts if one.band == superflat.band]
        if not parts:
            raise Invalid(
                f"superflatid: superflat {superflat_id} is of {superflat.band}, {kind} {row_id} is not"
            )
    with transaction.atomic():
        count = sum(link_part(one, superflat) for one in parts)
    return linked(count, superflat_id)


def link_part(part: SciByFilter, superflat: Superflat | None) -> int:
    """Link a superflat to the frames of one block; gives how many."""
    raws = IndividualFile.objects.filter(scibyfilters=part)
    processed = IndividualFile.objects.filter(raw_sci__scibyfilters=part)
    return link(raws, superflat) + link(processed, superflat)


def link(frames: Any, superflat: Superflat | None) -> int:
    """Link a superflat to frames, found by a subquery so that their number does not matter."""
    return IndividualFile.objects.filter(pk__in=frames.values("pk")).update(superflat=superflat)


def setsuperflat_tile(field: str, band: str, superflat_id: int) -> Outcome:
    """Link a superflat to every raw and processed frame of a field and band; a negative id unlinks."""
    band = site.band_name(band)
    superflat = known("superflat", superflat_id) if superflat_id >= 0 else None
    if superflat is not None and superflat.band != band:
        raise Invalid(f"superflatid: superflat {superflat_id} is of {superflat.band}, not of {band}")
    frames = IndividualFile.objects.filter(
        field=field, band=band, file_type__in=(FrameType.SCI, FrameType.PROCESSED)
    )
    if not frames.exists():
        raise NotFound(f"no science frame of {field} {band}")
    return linked(link(frames, superflat), superflat_id)


def linked(count: int, superflat_id: int) -> Outcome:
    """The answer to a setsuperflat."""
    words = f"superflat {superflat_id} linked to" if superflat_id >= 0 else "superflat unlinked from"
    return Outcome(f"{words} {count} frames", {"count": count, "superflatid": superflat_id})
