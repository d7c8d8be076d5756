"""Who changed what: the history of one row, and of everything."""

from datetime import datetime
from typing import Any

from marserver.archive.kinds import named
from marserver.audit import record
from marserver.reduction.requests.finding import known

MOST_CHANGES = 10_000


def history(kind: str, row_id: int) -> list[dict[str, Any]]:
    """The changes of one row, newest first, also of one that was deleted; raises NotFound."""
    found = record.history(named(kind).name, row_id)
    if not found:
        known(kind, row_id)
    return found


def get_changes(
    user: str = "", kind: str = "", since: datetime | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """The changes of everything, newest first."""
    return record.changes(user, kind, since, min(limit, MOST_CHANGES))
