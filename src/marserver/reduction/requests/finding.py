"""Finding the row that a request names, and the rows of a `get`."""

from collections.abc import Iterator
from typing import Any

from marserver.archive.kinds import named
from marserver.archive.queries import LARGEST_ID, Find, find
from marserver.archive.rows import Nesting, Row, stream
from marserver.archive.usual import usual
from marserver.errors import NotFound

PAGE = 500  # rows that are fetched at once


def get(kind: str, what: Find) -> Iterator[Row]:
    """The rows of one kind that match, one after another; raises Invalid before the first one."""
    found = usual(kind, what) or find(kind, what)
    return stream(kind, found, nesting(named(kind).name, what), few(what))


def few(what: Find) -> bool:
    """Whether no more than some rows can match: one id, one field, or a page."""
    return what.id is not None or bool(what.field) or (what.limit is not None and what.limit <= PAGE)


def nesting(kind: str, what: Find) -> Nesting:
    """How much hangs below the rows: everything by id, less in lists."""
    if what.id is not None:
        return Nesting.ALL
    if what.dates is None and what.contains and not what.field:
        return Nesting.NONE
    return Nesting.SCI if kind == "individualfile" else Nesting.ALL


def known(kind: str, row_id: int) -> Any:
    """The row of this kind and id; raises NotFound."""
    return one_of(named(kind).objects, kind, row_id)


def held(kind: str, row_id: int) -> Any:
    """The same, and nobody else's to change until the transaction ends."""
    return one_of(named(kind).objects.select_for_update(no_key=True), kind, row_id)


def one_of(rows: Any, kind: str, row_id: int) -> Any:
    """The row of this id among some rows; raises NotFound."""
    row = rows.filter(pk=row_id).first() if 0 <= row_id <= LARGEST_ID else None
    if row is None:
        raise NotFound(f"no {kind} {row_id}")
    return row
