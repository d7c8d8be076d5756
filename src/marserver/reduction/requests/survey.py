"""How far the survey is.

All numbers are counts along indexes, one short walk for each value: on a million frames that takes half the
time of grouping them.
"""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.timezone import now

from marserver.archive.models import FinalTile, FrameStatus, FrameType, IndividualFile
from marserver.archive.rows import plain
from marserver.kept import Kept
from marserver.reduction import site

KEPT_S = 10.0  # every frame is counted for the details: not for each of many who ask at once
YES = (True,)  # `isvalid IN (1)` is looked up in an index on SQLite, a bare `isvalid` is not


def get_operation() -> tuple[dict[str, int], dict[str, Any]]:
    """Progress of the survey: the four numbers of the contract, and more beside them."""
    fields = bands_by_field(good_tiles())
    done = frames(FrameType.PROCESSED, status=FrameStatus.READY, isvalid__in=YES)
    numbers = {
        "Final Tiles Count": sum(count for count, _ in fields),
        "Fields With Coaddeds": len(fields),
        "Done Processed Images": done.count(),
        "Field with 12 filters": sum(bands >= len(site.camera().band_names) for _, bands in fields),
    }
    return numbers, progress()


def progress() -> dict[str, Any]:
    """Frames and tiles in more detail, and when they were counted: at most some seconds ago.

    `raw`: all raw frames by type, and science frames by band and by status; `tiles`: the good ones by band.
    """
    return kept_details()


def details() -> dict[str, Any]:
    """The same, counted now."""
    return {"raw": raw_counts(), "tiles": counted(good_tiles(), "band"), "counted_at": plain(now())}


kept_details = Kept(details, lambda: KEPT_S)


def good_tiles() -> QuerySet[FinalTile]:
    """The tiles that are done and valid."""
    return FinalTile.objects.filter(status=1, isvalid__in=YES)


def frames(file_type: FrameType, **more: Any) -> QuerySet[IndividualFile]:
    """The frames of one type, and of other values where they are given."""
    return IndividualFile.objects.filter(file_type=file_type, **more)


def bands_by_field(tiles: QuerySet[FinalTile]) -> list[tuple[int, int]]:
    """For each field with tiles: how many, and how many of the camera's bands."""
    ours = Count("band", filter=Q(band__in=site.camera().band_names))
    rows = tiles.order_by().values("field").annotate(tiles=Count("band"), bands=ours)
    return list(rows.values_list("tiles", "bands"))


def raw_counts() -> dict[str, Any]:
    """Raw frames by type, and science frames by band and by status."""
    status = {str(value): frames(FrameType.SCI, status=value).count() for value in FrameStatus.values}
    science = sum(status.values())
    types = {
        FrameType.BIAS.value: frames(FrameType.BIAS).count(),
        FrameType.FLAT.value: frames(FrameType.FLAT).count(),
        FrameType.SCI.value: science,
    }
    return {"types": there(types), "bands": by_band(science), "status": there(status)}


def by_band(science: int) -> dict[str, int]:
    """Science frames by band; bands that the camera does not have are looked for where some are left."""
    bands = {band: frames(FrameType.SCI, band=band).count() for band in site.camera().band_names}
    if sum(bands.values()) == science:
        return there(bands)
    return counted(frames(FrameType.SCI), "band")


def there(counts: dict[str, int]) -> dict[str, int]:
    """Those of which there are any."""
    return {value: count for value, count in counts.items() if count}


def counted(rows: Any, column: str) -> dict[str, int]:
    """How many rows there are of each value of a column."""
    counts = rows.order_by(column).values_list(column).annotate(Count("pk"))
    return {str(value): count for value, count in counts}
