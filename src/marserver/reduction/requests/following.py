"""The log as it grows: every line once, in order, also for one who comes back after a break."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Max

from marserver.jobs import log, steering
from marserver.jobs.models import LogLine
from marserver.jobs.queue import ENDED

LINES_AT_ONCE = 1000
Numbered = tuple[int | None, str]  # the number of a line, and its text


class Tail:
    """Lines of one operation from its beginning, or of the live log from now on.

    `since` begins at a time instead, `after` behind the line of that number. Raises NotFound.
    """

    def __init__(
        self,
        operation: int | None = None,
        since: datetime | None = None,
        level: str = "",
        after: int | None = None,
    ) -> None:
        self.job = steering.known(operation) if operation is not None else None
        self.since, self.level = since, level
        whole = operation is not None or since is not None
        self.last = after if after is not None else 0 if whole else newest()
        self.in_file = after is None and self.job is not None
        self.over = False

    def news(self) -> list[Numbered]:
        """The next lines, oldest first; sets `over` where these are the last ones."""
        ended = self.has_ended()  # asked first: what it wrote before its end is then in the table
        top = newest()
        fresh = list(self.wanted().filter(pk__gt=self.last, pk__lte=top).order_by("pk")[:LINES_AT_ONCE])
        whole = len(fresh) < LINES_AT_ONCE
        self.last = max(self.last, top) if whole else fresh[-1].pk
        self.over = ended and whole
        kept = list(self.kept()) if ended and self.in_file and not fresh else []
        self.in_file = False
        return [*kept, *((line.pk, str(line)) for line in fresh)]

    def has_ended(self) -> bool:
        """Whether the operation is at its end; the live log never is."""
        if self.job is None:
            return False
        self.job.refresh_from_db()
        return self.job.status in ENDED

    def wanted(self) -> Any:
        """The lines that are followed."""
        lines = (
            LogLine.objects.filter(live=True) if self.job is None else LogLine.objects.filter(job=self.job)
        )
        if self.since is not None:
            lines = lines.filter(time__gte=self.since)
        return lines.filter(level=self.level) if self.level else lines

    def kept(self) -> Iterator[Numbered]:
        """The lines of an operation that is over so long that only its file has them."""
        lines = log.kept(self.job, self.since, self.level, None) if self.job is not None else None
        return ((None, line) for line in reversed(list(lines or ())))


def newest() -> int:
    """The number of the newest line."""
    return LogLine.objects.aggregate(newest=Max("pk"))["newest"] or 0
