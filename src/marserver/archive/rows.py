"""Rows as they are answered: flat objects, keys in order, `id` first, with the rows that hang below them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from marserver.archive.kinds import FRAME_NESTS, KINDS, Kind, Nest, named

Row = dict[str, Any]
Links = list[tuple[int, int]]
ROWS_AT_ONCE = 500
BLOCKS_AT_ONCE = 20  # each may hold hundreds of frames


class Nesting(StrEnum):
    """How much hangs below each row."""

    ALL = "all"
    SCI = "sci"  #: only the `sci` of a processed frame
    NONE = "none"


def stream(name: str, found: QuerySet[Any], nesting: Nesting = Nesting.ALL) -> Iterator[Row]:
    """Rows of a kind one after another, in constant memory."""
    kind = named(name)
    nests = chosen(kind, nesting)
    if not nests:
        yield from flat(kind, found)
        return
    size = BLOCKS_AT_ONCE if nesting is Nesting.ALL else ROWS_AT_ONCE
    upper = flat(kind, found)
    while batch := list(islice(upper, size)):
        yield from with_nests(kind, batch, nests)


def chosen(kind: Kind, nesting: Nesting) -> tuple[Nest, ...]:
    """What hangs below the rows of this answer."""
    wanted = {Nesting.ALL: kind.nests, Nesting.NONE: ()}
    return wanted.get(nesting, tuple(nest for nest in kind.nests if nest.kind == "sci"))


def flat(kind: Kind, found: QuerySet[Any]) -> Iterator[Row]:
    """The columns of a kind, one row after another."""
    keys = [key for key, _ in kind.columns]
    attributes = [attribute for _, attribute in kind.columns]
    for values in found.values_list(*attributes).iterator(chunk_size=ROWS_AT_ONCE):
        row = {key: plain(value) for key, value in zip(keys, values, strict=True)}
        if kind.name == "individualfile":
            row["isvalid"] = int(row["isvalid"])
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
    by_id = {row["id"]: row for row in with_nests(child, list(flat(child, found)), nests_below(nest, child))}
    children: dict[int, list[Row]] = defaultdict(list)
    for upper, lower in links:
        if lower in by_id:  # not if it went away between the two queries
            children[upper].append(by_id[lower])
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
