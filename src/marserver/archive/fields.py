"""All fields of the survey and how far each is, without reading every frame.

Names come from the index of field and band, one short walk for each name; tiles are counted by field; of the
frames only those that failed are looked at, which have an index of their own. On a million frames that takes
some tenths of a second, and it is done again after some seconds only (KEPT_S), however many ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import CharField, Count, Max, Min, Q
from django.db.models.functions import Cast, Substr

from marserver.archive.models import FinalTile, FrameType, IndividualFile
from marserver.kept import Kept

KEPT_S = 15.0
SCIENCE = (FrameType.SCI.value, FrameType.PROCESSED.value)
YES = (True,)  # see marserver.reduction.requests.survey
# A name whose first and last frames are calibrations ("skyflat") is no field.
NAMES = """
WITH RECURSIVE names(name) AS (
  SELECT MIN(field) FROM files_individualfiles WHERE field > ''
  UNION ALL
  SELECT (SELECT MIN(field) FROM files_individualfiles WHERE field > name) FROM names WHERE name IS NOT NULL
), ends AS (
  SELECT name,
    (SELECT id FROM files_individualfiles WHERE field = name ORDER BY field, band LIMIT 1) AS head,
    (SELECT id FROM files_individualfiles WHERE field = name ORDER BY field DESC, band DESC LIMIT 1) AS tail
  FROM names WHERE name IS NOT NULL
)
SELECT name, COALESCE(one.crval1, other.crval1), COALESCE(one.crval2, other.crval2)
FROM ends JOIN files_individualfiles one ON one.id = head JOIN files_individualfiles other ON other.id = tail
WHERE one.file_type IN (%s, %s) OR other.file_type IN (%s, %s)
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field in figures."""

    name: str
    ra: float | None  # degrees
    dec: float | None
    tiles: int = 0  #: good ones, of the bands asked for
    flagged: int = 0  #: good ones in which a reviewer found something
    newest: str = ""  #: when one of its tiles was last changed
    failed: bool = False  #: a frame of it failed

    def state(self, bands: int) -> str:
        """The word, and the colour, for the whole field."""
        if self.flagged:
            return "flagged"
        if self.tiles >= bands:
            return "tile"
        if self.failed:
            return "failed"
        return "processed" if self.tiles else "raw"


def all_fields(bands: Sequence[str]) -> list[Field]:
    """The fields with frames or tiles in these bands, by name; as they were at most KEPT_S ago."""
    return kept_fields(tuple(bands))


def count_fields(bands: Sequence[str]) -> list[Field]:
    """The same, counted now: three queries."""
    centres, tiles, failed = names_of_frames(), tiles_by_field(bands), failed_fields(bands)
    fields = []
    for name in sorted({*centres, *tiles}):
        ra, dec, count, flagged, newest = tiles.get(name, (None, None, 0, 0, ""))
        if ra is None or dec is None:
            ra, dec = centres.get(name, (None, None))
        fields.append(Field(name, ra, dec, count, flagged, newest, name in failed))
    return fields


kept_fields = Kept(count_fields, lambda: KEPT_S)


def names_of_frames() -> dict[str, tuple[float | None, float | None]]:
    """Names of fields with science frames, and the centre of one of them (degrees)."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES, [*SCIENCE, *SCIENCE])
        return {name: (ra, dec) for name, ra, dec in cursor.fetchall()}


def tiles_by_field(bands: Sequence[str]) -> dict[str, tuple[float | None, float | None, int, int, str]]:
    """Centre, good tiles, flagged ones and the last change, by field."""
    good = Q(status=1, band__in=bands)
    rows = FinalTile.objects.filter(isvalid=True).order_by().values_list("field")
    figures = rows.annotate(
        ra=Min("crval1"),
        dec=Min("crval2"),
        tiles=Count("pk", filter=good),
        flagged=Count("pk", filter=good & Q(flag__gt=0)),
        newest=Max("updated_at"),
    )
    return {
        name: (ra, dec, tiles, flagged, newest.isoformat())
        for name, ra, dec, tiles, flagged, newest in figures
    }


def failed_fields(bands: Sequence[str]) -> set[str]:
    """The fields in which a valid science frame of these bands failed."""
    frames = IndividualFile.objects.filter(~Q(failed_step=""), isvalid=True)
    rows = frames.order_by().values_list("field", "band", "file_type").distinct()
    return {field for field, band, file_type in rows if file_type == FrameType.SCI and band in bands}


def tiles_by_day() -> list[tuple[str, int]]:
    """How many good tiles begin with a frame of each day (UTC), the first day first."""
    day = Substr(Cast("date", CharField()), 1, 10)  # both databases write it so; TruncDate is slow on SQLite
    good = FinalTile.objects.filter(status=1, isvalid__in=YES, date__isnull=False).order_by()
    return list(good.annotate(day=day).values_list("day").annotate(count=Count("pk")).order_by("day"))
