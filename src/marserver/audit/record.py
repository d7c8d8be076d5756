"""Writing changes down, in the transaction that makes them, and reading them back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import now

from marserver.audit.models import Change

Values = Mapping[str, Any]
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Changed:
    """One object that changes: its id or name, and its values before and after."""

    target: object
    before: Values
    after: Values


def note(
    user: str,
    action: str,
    kind: str,
    target: object,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """Write one change down; call it in the transaction of the change itself."""
    note_all(user, action, kind, [Changed(target, before or {}, after or {})])


def note_all(user: str, action: str, kind: str, changes: Iterable[Changed]) -> None:
    """Write the changes of many objects of one kind down, some hundreds at once."""
    moment = now()
    rows = [
        Change(
            time=moment,
            user=user,
            action=action,
            kind=kind,
            target=str(one.target)[:500],
            before=dict(one.before),
            after=dict(one.after),
        )
        for one in changes
    ]
    Change.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)


def history(kind: str, target: object, limit: int | None = None) -> list[dict[str, Any]]:
    """The changes of one object, newest first: time, user, action, before, after."""
    rows = Change.objects.filter(kind=kind, target=str(target)).order_by("-id")[:limit]
    return [shown(row) for row in rows]


def changes(user: str, kind: str, since: datetime | None, limit: int | None) -> list[dict[str, Any]]:
    """The changes of all objects, newest first, each with its kind and target; empty words mean any."""
    conditions = {"user": user, "kind": kind, "time__gte": since}
    rows = Change.objects.filter(**{name: value for name, value in conditions.items() if value})
    return [{**shown(row), "kind": row.kind, "target": row.target} for row in rows.order_by("-id")[:limit]]


def shown(row: Change) -> dict[str, Any]:
    """One change as it is answered."""
    return {
        "id": row.pk,
        "time": row.time.isoformat().replace("+00:00", "Z"),
        "user": row.user,
        "action": row.action,
        "before": row.before,
        "after": row.after,
    }
