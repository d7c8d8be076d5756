"""Changing rows, and writing down in the same transaction what really changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from marserver.archive.kinds import named
from marserver.archive.rows import plain
from marserver.audit.record import Changed, note, note_all

ROWS_AT_ONCE = 500  # a database takes only so many values in one statement


@dataclass(frozen=True)
class Asked:
    """Who asked for a change, and what for: "setflag", "validate" ..."""

    by: str
    action: str


def set_values(kind: str, row: Any, asked: Asked, **values: Any) -> None:
    """Set columns of one row that is held, and note those that change."""
    before = {name: getattr(row, name) for name in values}
    after = {name: value for name, value in values.items() if value != before[name]}
    if not after:
        return
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=list(after))
    note(asked.by, asked.action, kind, row.pk, {name: before[name] for name in after}, after)


def set_column(kind: str, ids: Iterable[int], asked: Asked, column: str, value: Any) -> int:
    """Set one column of many rows, and note each row in which it changes; gives how many do."""
    order = sorted(ids)  # everybody takes rows in the same order: nobody waits for each other
    pieces = (order[start : start + ROWS_AT_ONCE] for start in range(0, len(order), ROWS_AT_ONCE))
    return sum(set_piece(kind, piece, asked, column, value) for piece in pieces)


def set_piece(kind: str, ids: list[int], asked: Asked, column: str, value: Any) -> int:
    """Set one column of some hundred rows."""
    rows = named(kind).objects
    others = rows.filter(pk__in=ids).exclude(**{column: value})
    before = dict(others.select_for_update(no_key=True).order_by("pk").values_list("pk", column))
    if before:
        rows.filter(pk__in=before).update(**{column: value})
        changes = (Changed(key, {column: old}, {column: value}) for key, old in before.items())
        note_all(asked.by, asked.action, kind, changes)
    return len(before)


def as_row(kind: str, row: Any) -> dict[str, Any]:
    """A row as a `get` shows it, without what is unknown: what is noted of one that comes or goes."""
    own = {field.attname for field in row._meta.concrete_fields}
    shown = {
        key: plain(getattr(row, name)) for key, name in named(kind).columns if name in own or name == "id"
    }
    return {key: value for key, value in shown.items() if value is not None and value != ""}
