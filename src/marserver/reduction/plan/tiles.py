"""Which tiles an operation would make, of how many frames, and which colour images follow."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from marserver.archive.models import FinalTile, FrameStatus, FrameType, IndividualFile
from marserver.jobs.models import ALIVE, Job
from marserver.reduction.code import COADD
from marserver.reduction.plan.frames import Outlook, Wanted

Place = tuple[str, str]  # field and band
FIELDS_AT_ONCE = 500


@dataclass(frozen=True)
class Tile:
    """A tile that would be made, and of how many frames at most."""

    field: str
    band: str
    frames: int

    @property
    def fails(self) -> str:
        """Why it cannot be made; empty where it can."""
        return "" if self.frames else nothing_ready(self.field, self.band)


def nothing_ready(field: str, band: str) -> str:
    """Why a tile without frames is not made."""
    return f"no frame of {field} {band} is ready to coadd; see why its frames failed"


def places(some: Iterable[Outlook], wanted: Wanted) -> list[Place]:
    """The fields and bands that are coadded, in the order of their frames."""
    if COADD not in wanted.code:
        return []
    return list(dict.fromkeys((one.frame.field, one.frame.band or "") for one in some if one.coadded))


def ready() -> Any:
    """The processed frames that are ready to coadd; raw ones valid too."""
    return IndividualFile.objects.filter(
        file_type=FrameType.PROCESSED,
        isvalid=True,
        raw_sci__isvalid=True,
        raw_sci__status__gte=FrameStatus.READY,
        status__gte=FrameStatus.READY,
    )


def tiles(some: list[Outlook], wanted: Wanted) -> list[Tile]:
    """The tiles that would be made, should no frame fail on its way."""
    where = places(some, wanted)
    coming = Counter((one.frame.field, one.frame.band or "") for one in some if gets_ready(one))
    here = ready_counts({field for field, _ in where}) if wanted.set_back in (None, 5) else {}
    return [Tile(*place, here.get(place, 0) + coming[place]) for place in where]


def gets_ready(one: Outlook) -> bool:
    """Whether a frame is ready to coadd after its steps; never where its processed frame is invalid."""
    processed = one.frame.processed
    return one.runs and "am" in one.steps and (processed is None or processed.isvalid)


def ready_counts(fields: Iterable[str]) -> dict[Place, int]:
    """How many frames of each field and band are ready now."""
    counts: dict[Place, int] = {}
    for some in pieces(fields):
        rows = ready().filter(field__in=some).values_list("field", "band").annotate(Count("pk")).order_by()
        counts |= {(field, band or ""): count for field, band, count in rows}
    return counts


def pieces(names: Iterable[str]) -> list[list[str]]:
    """Some hundreds of names at once: a database takes only so many values."""
    ordered = sorted(names)
    return [ordered[start : start + FIELDS_AT_ONCE] for start in range(0, len(ordered), FIELDS_AT_ONCE)]


def bands_done(field: str) -> set[str]:
    """The bands of a field whose tile is valid and done."""
    return set(good_tiles().filter(field=field).values_list("band", flat=True))


def good_tiles() -> Any:
    """The tiles that a colour image is made of."""
    return FinalTile.objects.filter(status=1, isvalid=True, file_path__isnull=False)


@dataclass(frozen=True)
class Colour:
    """The colour image of a field after an operation."""

    field: str
    missing: list[str]  # bands
    waiting: bool = False  # it is in the queue, and will take the new tiles

    @property
    def queued(self) -> bool:
        """Whether the operation queues it."""
        return not self.missing and not self.waiting


def colours(made: list[Tile], bands: Sequence[str], undone: frozenset[str] = frozenset()) -> list[Colour]:
    """What becomes of the colour images of the fields that get tiles; `undone` bands are first set to do."""
    good = [tile for tile in made if not tile.fails]
    fields = list(dict.fromkeys(tile.field for tile in good))
    have: dict[str, set[str]] = defaultdict(set)
    for field, band in found(good_tiles(), fields):
        have[field] |= {band} - undone
    invalid = found(FinalTile.objects.filter(isvalid=False), fields)
    for tile in good:
        have[tile.field] |= {tile.band} - {band for field, band in invalid if field == tile.field}
    waiting = colours_waiting(fields)
    return [
        Colour(field, [band for band in bands if band not in have[field]], field in waiting)
        for field in fields
    ]


def found(rows: Any, fields: list[str]) -> set[Place]:
    """Field and band of the tiles of some fields."""
    return {
        place for some in pieces(fields) for place in rows.filter(field__in=some).values_list("field", "band")
    }


def colours_waiting(fields: list[str]) -> set[str]:
    """Those of the fields whose colour image is queued or being made."""
    alive = Job.objects.filter(kind="fieldimage", status__in=ALIVE)
    return {
        name
        for some in pieces(fields)
        for name in alive.filter(block__in=some).values_list("block", flat=True)
    }
