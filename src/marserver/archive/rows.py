"""Rows as they are answered: flat objects, keys in order, `id` first, with the rows that hang below them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from marserver.archive.kinds import FRAME_NESTS, KINDS, Kind, Nest, named
from marserver.archive.moment import one_moment
from marserver.archive.reading import AllColumns, columns_of

Row = dict[str, Any]
Links = list[tuple[int, int]]
ROWS_AT_ONCE = 500
BLOCKS_AT_ONCE = 20  # each may hold hundreds of frames


class Nesting(StrEnum):
    """How much hangs below each row."""

    ALL = "all"
    SCI = "sci"  #: only the `sci` of a processed frame
    NONE = "none"


def stream(
    name: str, found: QuerySet[Any], nesting: Nesting = Nesting.ALL, few: bool = False
) -> Iterator[Row]:
    """Rows of a kind one after another, in constant memory, all of the moment when the first is asked for.

    A `few` rows are fetched at once: that costs a database less than the moment and the cursor.
    """
    kind = named(name)
    with nullcontext() if few else one_moment():
        yield from nested(kind, found, chosen(kind, nesting), few)


def nested(kind: Kind, found: QuerySet[Any], nests: Iterable[Nest], few: bool) -> Iterator[Row]:
    """The rows, with what hangs below them."""
    joined, others = apart(nests)
    upper = flat(kind, found, joined, few)
    if not others:
        yield from upper
        return
    while batch := list(islice(upper, BLOCKS_AT_ONCE)):
        yield from with_nests(kind, batch, others)


def chosen(kind: Kind, nesting: Nesting) -> tuple[Nest, ...]:
    """What hangs below the rows of this answer."""
    wanted = {Nesting.ALL: kind.nests, Nesting.NONE: ()}
    return wanted.get(nesting, tuple(nest for nest in kind.nests if nest.joined))


def apart(nests: Iterable[Nest]) -> tuple[Nest | None, list[Nest]]:
    """The one that is read in the same query, and the others."""
    every = list(nests)
    return next((nest for nest in every if nest.joined), None), [nest for nest in every if not nest.joined]


def flat(kind: Kind, found: QuerySet[Any], joined: Nest | None = None, few: bool = False) -> Iterator[Row]:
    """The columns of a kind, with the row joined to it, one row after another; `few` are fetched at once."""
    own, hung = columns_of(kind.name), columns_of(joined.kind) if joined else None
    asked = found.values_list(AllColumns(kind.name, joined))
    end = len(own.keys)
    for values in asked if few or found.query.is_sliced else asked.iterator(chunk_size=ROWS_AT_ONCE):
        row = own.row(values)
        if joined and hung and values[end] is not None:
            row[joined.key] = [hung.row(values[end:])]
        yield row


def plain(value: Any) -> Any:
    """A value as JSON has it: no NaN, times in UTC ending in Z."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def with_nests(kind: Kind, rows: list[Row], nests: Iterable[Nest]) -> list[Row]:
    """Hang the rows of other tables below these, one query for each table."""
    for nest in nests:
        children = below(kind, rows, nest)
        for row in rows:
            if children.get(row["id"]):
                row[nest.key] = children[row["id"]]
    return rows


def below(kind: Kind, rows: list[Row], nest: Nest) -> dict[int, list[Row]]:
    """The rows below each of these, by id of the upper row."""
    child = KINDS[nest.kind]
    links, found = by_column(rows, nest, child) if in_column(kind, nest) else by_link(kind, rows, nest, child)
    if not links:
        return {}
    joined, others = apart(nests_below(nest, child))
    lower = with_nests(child, list(flat(child, found, joined, few=True)), others)
    by_id = {row["id"]: row for row in lower}
    children: dict[int, list[Row]] = defaultdict(list)
    for upper, number in links:
        if number in by_id:
            children[upper].append(by_id[number])
    return children


def nests_below(nest: Nest, child: Kind) -> tuple[Nest, ...]:
    """What hangs below a nested row: its frames where the nest is deep, and the `sci` of a frame."""
    if nest.deep:
        return tuple(one for one in child.nests if one.kind == "individualfile")
    return FRAME_NESTS if nest.kind == "individualfile" else ()


def in_column(kind: Kind, nest: Nest) -> bool:
    """Whether the id of the lower row stands in a column of the upper one."""
    return nest.by in dict(kind.columns).values()


def by_column(rows: list[Row], nest: Nest, child: Kind) -> tuple[Links, QuerySet[Any]]:
    """Pairs of upper and lower id, and the lower rows."""
    links = [(row["id"], row[nest.by]) for row in rows if row[nest.by] is not None]
    return links, child.objects.filter(pk__in={lower for _, lower in links})


def by_link(kind: Kind, rows: list[Row], nest: Nest, child: Kind) -> tuple[Links, QuerySet[Any]]:
    """Pairs of upper and lower id, and the lower rows, by a link table."""
    field = kind.model._meta.get_field(nest.by)
    upper, lower = field.m2m_column_name(), field.m2m_reverse_name()  # type: ignore[union-attr]
    through = field.remote_field.through._default_manager  # type: ignore[union-attr]
    pairs = through.filter(**{f"{upper}__in": [row["id"] for row in rows]})
    # The lower rows by a subquery: a list of ids could be longer than the database takes
    return list(pairs.order_by(lower).values_list(upper, lower)), child.objects.filter(
        pk__in=pairs.values(lower)
    )
