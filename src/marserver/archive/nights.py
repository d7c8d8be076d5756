"""What was observed in which night, counted along the index of the frames' dates.

There is no index of nights: a night lies within a day of its date, so frames are looked for by their time and
then told apart by their night. A month of a survey is some ten thousand frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import CharField, Count, Max, Min, Q, QuerySet
from django.db.models.functions import Cast, Substr

from marserver.archive.models import FrameStatus, FrameType, IndividualFile
from marserver.archive.queries import containing, midnight

RAW = (FrameType.BIAS.value, FrameType.FLAT.value, FrameType.SCI.value)
MARGIN = timedelta(days=1)
MOST_FAILED = 200


@dataclass(frozen=True)
class Counted:
    """The raw frames of a type, band and field, of one night and day (UTC)."""

    file_type: str
    band: str
    field: str
    day: date
    frames: int
    valid: int
    ready: int
    failed: int


def frames_between(first: date, last: date) -> QuerySet[IndividualFile]:
    """The raw frames of some nights, both included."""
    begin, end = max(first, date.min + MARGIN) - MARGIN, min(last, date.max - 3 * MARGIN) + 3 * MARGIN
    near = IndividualFile.objects.filter(obs_date__gte=midnight(begin), obs_date__lt=midnight(end))
    return near.filter(night__gte=first, night__lte=last, file_type__in=RAW).order_by()


def nights_between(first: date, last: date) -> dict[date, dict[str, int]]:
    """How many raw frames of each type each night has."""
    nights: dict[date, dict[str, int]] = {}
    rows = frames_between(first, last).values_list("night", "file_type").annotate(count=Count("pk"))
    for night, file_type, count in rows.order_by("night", "file_type"):
        nights.setdefault(night, {})[file_type] = count
    return nights


def observed(night: date) -> list[Counted]:
    """What a night has, by type, band, field and day."""
    day = Substr(Cast("obs_date", CharField()), 1, 10)
    rows = frames_between(night, night).annotate(day=day).values_list("file_type", "band", "field", "day")
    counted = rows.annotate(
        frames=Count("pk"),
        valid=Count("pk", filter=Q(isvalid=True)),
        ready=Count("pk", filter=Q(isvalid=True, status=FrameStatus.READY)),
        failed=Count("pk", filter=Q(isvalid=True) & ~Q(failed_step="")),
    )
    return [
        Counted(file_type, band or "", field, date.fromisoformat(day), *counts)
        for file_type, band, field, day, *counts in counted.order_by("file_type", "band", "field", "day")
    ]


def failed_in(night: date) -> list[dict[str, Any]]:
    """The valid frames of a night whose last step failed."""
    failed = frames_between(night, night).filter(~Q(failed_step=""), isvalid=True).order_by("obs_date", "pk")
    columns = ("pk", "file_name", "field", "band", "failed_step", "error")
    return [dict(zip(columns, row, strict=True)) for row in failed.values_list(*columns)[:MOST_FAILED]]


def neighbours(night: date) -> tuple[date | None, date | None]:
    """The nights with frames before and after one."""
    before = IndividualFile.objects.filter(obs_date__lt=midnight(night) + 2 * MARGIN, night__lt=night)
    after = IndividualFile.objects.filter(obs_date__gte=midnight(night), night__gt=night)
    return (
        before.order_by("-obs_date").values_list("night", flat=True).first(),
        after.order_by("obs_date").values_list("night", flat=True).first(),
    )


def last_night() -> date | None:
    """The newest night."""
    return IndividualFile.objects.order_by("-obs_date").values_list("night", flat=True).first()


def nights_of_field(field: str, most: int) -> list[date]:
    """The nights in which a field was observed, the newest first."""
    frames = IndividualFile.objects.filter(field=field, file_type=FrameType.SCI).order_by()
    return list(frames.values_list("night", flat=True).distinct().order_by("-night")[:most])


def matching(
    file_type: str, first: date, last: date, bands: Sequence[str | None], contains: str
) -> dict[str, Any]:
    """How many valid frames a block of these days (UTC) would hold, and of which days and bands they are.

    `bands`: None among them for frames without one. They are asked for by name and apart, so that the index
    of type, band and date has all that is counted. Raises Invalid where `contains` has too many patterns.
    """
    frames = IndividualFile.objects.filter(
        containing("file_name", contains),
        file_type=file_type,
        isvalid=True,
        obs_date__gte=midnight(first),
        obs_date__lt=midnight(last + MARGIN),
    ).order_by()
    rows = frames.values_list("band").annotate(count=Count("pk"), first=Min("obs_date"), last=Max("obs_date"))
    found = list(rows.filter(band__in=[band for band in bands if band]).order_by("band"))
    found += rows.filter(band__isnull=True) if None in bands else []
    by_band = {band: count for band, count, _, _ in found}
    ends = {"first": min(row[2] for row in found), "last": max(row[3] for row in found)} if found else {}
    return {"count": sum(by_band.values()), "bands": by_band, **ends}
