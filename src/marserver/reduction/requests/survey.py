"""How far the survey is."""

from typing import Any

from django.db.models import Count

from marserver.archive.models import FinalTile, FrameStatus, FrameType, IndividualFile
from marserver.reduction import site


def get_operation() -> tuple[dict[str, int], dict[str, Any]]:
    """Progress of the survey: the four numbers of the contract, and more beside them."""
    tiles = FinalTile.objects.filter(status=1, isvalid=True)
    bands = tiles.values("field").annotate(bands=Count("band", distinct=True))
    done = IndividualFile.objects.filter(
        file_type=FrameType.PROCESSED, isvalid=True, status__gte=FrameStatus.READY
    )
    numbers = {
        "Final Tiles Count": tiles.count(),
        "Fields With Coaddeds": bands.count(),
        "Done Processed Images": done.count(),
        "Field with 12 filters": bands.filter(bands__gte=len(site.camera().band_names)).count(),
    }
    return numbers, {"raw": raw_counts(), "tiles": counted(tiles, "band")}


def raw_counts() -> dict[str, Any]:
    """Raw frames by type, and science frames by band and by status."""
    raw = IndividualFile.objects.exclude(file_type=FrameType.PROCESSED)
    science = raw.filter(file_type=FrameType.SCI)
    return {
        "types": counted(raw, "file_type"),
        "bands": counted(science, "band"),
        "status": counted(science, "status"),
    }


def counted(rows: Any, column: str) -> dict[str, int]:
    """How many rows there are of each value of a column."""
    counts = rows.order_by(column).values_list(column).annotate(Count("pk"))
    return {str(value): count for value, count in counts}
