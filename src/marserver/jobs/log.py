"""The live log, and the plain text log that each operation leaves in LOGS."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.timezone import now

from marserver.jobs.models import Job, Level, LogLine

LEVELS = {logging.INFO: Level.INFO, logging.WARNING: Level.WARN}
MOST_LINES = 100_000  # of the table; operations that ended have their files
TURN = 0x6D61726C  # the number of the lock under which PostgreSQL hands out the numbers of lines


@transaction.atomic
def write(level: str, text: str, job: Job | None = None) -> LogLine:
    """Add one line to the live log; line ends become blanks, so a line stays a line."""
    take_turn()
    return LogLine.objects.create(job=job, time=now(), level=level, text=" ".join(text.split()))


def take_turn() -> None:
    """Let lines come into the table in the order of their numbers, so that followers miss none.

    SQLite has one writer at a time by itself.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def lines(
    operation: int | None = None,
    since: datetime | None = None,
    level: str = "",
    limit: int | None = 1000,
    text: str = "",
) -> Iterator[str]:
    """Log lines, newest first: those of one operation, or the live log where none is named.

    `text`: a part of the line behind its time, capitals or not.
    """
    found = LogLine.objects.order_by("-time", "-id")
    found = found.filter(live=True) if operation is None else found.filter(job_id=operation)
    if since is not None:
        found = found.filter(time__gte=since)
    if level:
        found = found.filter(level=level)
    if text:
        found = found.filter(Q(text__icontains=text) | Q(level__icontains=text))
    return (str(line) for line in found[:limit])


def clear() -> int:
    """Empty the live log; the lines of an operation stay with it. Gives how many were cleared."""
    gone, _ = LogLine.objects.filter(job=None, live=True).delete()
    return gone + LogLine.objects.filter(live=True).update(live=False)


def keep(job: Job) -> str:
    """Write the log of one operation into LOGS and make room for others; gives its path below the root."""
    path = save(job, Path(settings.MAR_ROOT) / "LOGS")
    prune()
    return path.relative_to(settings.MAR_ROOT).as_posix()


def prune(most: int = MOST_LINES) -> int:
    """Drop the oldest lines beyond a number, of operations that have ended only; gives how many."""
    newest_gone = LogLine.objects.order_by("-id")[most : most + 1].first()
    if newest_gone is None:
        return 0
    old = LogLine.objects.filter(pk__lte=newest_gone.pk)
    return old.filter(Q(job=None) | Q(job__ended_at__lt=newest_gone.time)).delete()[0]


def kept(
    job: Job, since: datetime | None, level: str, limit: int | None, text: str = ""
) -> Iterator[str] | None:
    """The lines of an ended operation from its file, newest first; None where there is no such file."""
    path = Path(settings.MAR_ROOT) / job.log_path
    if not job.log_path or not path.is_file():
        return None
    lines = reversed(path.read_text("utf-8").splitlines())
    first = f"{since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
    wanted = (line for line in lines if line >= first and level in ("", line.split(" ", 2)[1]))
    return islice((line for line in wanted if text.lower() in line.lower()), limit)


def first_lines(job: Job, most: int) -> list[str]:
    """The first lines of an ended operation, from its file; none where there is no such file."""
    path = Path(settings.MAR_ROOT) / job.log_path
    if not job.log_path or not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in islice(lines, most)]


def save(job: Job, folder: Path) -> Path:
    """Write the log of one operation as plain text, oldest line first; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"operation{job.pk:06d}.log"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in LogLine.objects.filter(job=job).order_by("time", "id"))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return path


class LogHandler(logging.Handler):
    """Carries the library's own log lines into the live log while a job runs."""

    def __init__(self, job: Job) -> None:
        super().__init__(logging.INFO)
        self.job = job

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record of the library as a line of this job."""
        write(LEVELS.get(record.levelno, Level.CRITICAL), record.getMessage(), self.job)


@contextmanager
def following(job: Job) -> Iterator[None]:
    """Follow the library's log for as long as a job runs."""
    handler = LogHandler(job)
    library = logging.getLogger("mar")
    library.addHandler(handler)
    try:
        yield
    finally:
        library.removeHandler(handler)
