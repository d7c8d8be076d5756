"""Test data: an archive that looks like a survey's, as large as wanted, the same for the same seed."""

from datetime import date

from django.db import connection, transaction
from django.db.models import Max

from mar.errors import BadConfig
from mar.progress import Progress, silent
from marserver.archive import search_index
from marserver.archive.models import FieldImage, FinalTile, IndividualFile
from marserver.filling.nights import Nights
from marserver.filling.tables import count_on

NIGHTS_AT_ONCE = 20
REDUCED = 0.8  # of the rows; the nights after them still wait


def fill(rows: int, seed: int = 1, add: bool = False, progress: Progress = silent) -> None:
    """Write so many individualfiles, with blocks, products and tiles, and ask the database to count them.

    Raises BadConfig where the archive already holds frames, unless `add`.
    """
    if not add:
        refuse_frames()
    nights = Nights(seed, last_night(), known_fields())
    # Rows point at each other in circles: SQLite would look for the other end at every insert
    with connection.constraint_checks_disabled(), search_index.suspended():
        write_nights(nights, rows, progress)
    progress("nights", rows, rows)
    with transaction.atomic():
        count_on(table.model for table in nights.tables())
    analyse()


def write_nights(nights: Nights, rows: int, progress: Progress) -> None:
    """Some nights in each transaction, until there are enough rows."""
    written = 0
    while written < rows:
        progress("nights", written, rows)
        with transaction.atomic():
            for _ in range(NIGHTS_AT_ONCE):
                written += nights.observe(rows - written, reduced=written < REDUCED * rows)
            for table in nights.tables():
                table.write()


def refuse_frames() -> None:
    """Raises BadConfig where the archive holds frames."""
    if IndividualFile.objects.exists():
        raise BadConfig("the archive holds frames: test data go into an empty one, or say --add")


def last_night() -> date | None:
    """The last night there is."""
    return IndividualFile.objects.aggregate(last=Max("night"))["last"]


def known_fields() -> set[str]:
    """The fields that have tiles or images, which the test data leave alone."""
    return {
        name for model in (FinalTile, FieldImage) for name in model.objects.values_list("field", flat=True)
    }


def analyse() -> None:
    """Let the database count what is in its tables: it chooses its indexes by that.

    PostgreSQL also tidies them up, which otherwise it would do by itself in the minutes that follow.
    """
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)" if connection.vendor == "postgresql" else "ANALYZE")
