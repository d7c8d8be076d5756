"""Rows as they are answered: flat objects, keys in order, `id` first, with the rows that hang below them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from marserver.archive.hanging import hanging, relation_of
from marserver.archive.kinds import FRAME_NESTS, KINDS, Kind, Nest, named
from marserver.archive.moment import one_moment
from marserver.archive.reading import Parts, all_columns, columns_in, columns_of
from marserver.archive.taking import Found, Values, at_once, by_and_by, flowing
from marserver.archive.usual import Usual

Row = dict[str, Any]
BLOCKS_AT_ONCE = 20  # each may hold hundreds of frames


class Nesting(StrEnum):
    """How much hangs below each row."""

    ALL = "all"
    SCI = "sci"  #: only the `sci` of a processed frame
    NONE = "none"


def stream(name: str, found: Found, nesting: Nesting = Nesting.ALL, few: bool = False) -> Iterator[Row]:
    """Rows of a kind one after another, in constant memory, all of the moment when the first is asked for.

    A `few` rows are fetched at once: that costs a database less than the moment and the cursor. Those of a
    single query are of one moment anyway.
    """
    kind = named(name)
    joined, others = apart(chosen(kind, nesting))
    if isinstance(found, Usual) and are_joined(kind, others):
        yield from together(kind, found, joined, others)
        return
    with one_moment() if others and not few else nullcontext():
        take = at_once if few else by_and_by if others else flowing
        columns = all_columns(kind.name, joined, flowing=take is flowing)
        upper = flat(kind, take(found.values_list(columns)), joined)
        yield from nested(kind, upper, others) if others else upper


def are_joined(kind: Kind, nests: list[Nest]) -> bool:
    """Whether one query gives all these: it would multiply two lists, and does not go deeper."""
    deeper = any(apart(nests_below(nest, KINDS[nest.kind]))[1] for nest in nests)
    return not deeper and (
        len(nests) == 1 or (len(nests) > 1 and all(nest.in_column(kind) for nest in nests))
    )


def together(kind: Kind, found: Usual, joined: Nest | None, nests: list[Nest]) -> Iterator[Row]:
    """The rows with what hangs below them by one query, which gives a line for each of the lower rows."""
    below = [(nest, KINDS[nest.kind], apart(nests_below(nest, KINDS[nest.kind]))[0]) for nest in nests]
    parts = [*parts_of(kind, "", joined)]
    for nest, child, hung in below:
        parts += parts_of(child, relation_of(kind, nest), hung)
    for _, same in groupby(found.values_list(columns_in(tuple(parts))), itemgetter(0)):
        lines = list(same)
        (row,) = flat(kind, lines[:1], joined)
        start = width(kind, joined)
        for nest, child, hung in below:
            lower = [line[start:] for line in lines if line[start] is not None]
            if lower:
                row[nest.key] = list(flat(child, lower, hung))
            start += width(child, hung)
        yield row


def parts_of(kind: Kind, relation: str, joined: Nest | None) -> Parts:
    """A table and the one joined to it, each with the relation that leads there."""
    more = ((joined.kind, f"{relation}__{joined.joined}" if relation else joined.joined),) if joined else ()
    return ((kind.name, relation), *more)


def width(kind: Kind, joined: Nest | None) -> int:
    """How many values such a row takes."""
    return len(kind.columns) + (len(KINDS[joined.kind].columns) if joined else 0)


def nested(kind: Kind, upper: Iterator[Row], nests: Iterable[Nest]) -> Iterator[Row]:
    """The rows, with what hangs below them."""
    while batch := list(islice(upper, BLOCKS_AT_ONCE)):
        yield from with_nests(kind, batch, nests)


def chosen(kind: Kind, nesting: Nesting) -> tuple[Nest, ...]:
    """What hangs below the rows of this answer."""
    wanted = {Nesting.ALL: kind.nests, Nesting.NONE: ()}
    return wanted.get(nesting, tuple(nest for nest in kind.nests if nest.joined))


def apart(nests: Iterable[Nest]) -> tuple[Nest | None, list[Nest]]:
    """The one that is read in the same query, and the others."""
    every = list(nests)
    return next((nest for nest in every if nest.joined), None), [nest for nest in every if not nest.joined]


def flat(kind: Kind, values: Values, joined: Nest | None = None) -> Iterator[Row]:
    """The columns of a kind, with the row joined to it, one row after another."""
    own, hung = columns_of(kind.name), columns_of(joined.kind) if joined else None
    end = len(own.keys)
    for one in values:
        row = own.row(one)
        if joined and hung and one[end] is not None:
            row[joined.key] = [hung.row(one[end:])]
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
        column = nest.by if nest.in_column(kind) else "id"
        children = below(kind, {row[column] for row in rows} - {None}, nest)
        for row in rows:
            if row[column] in children:
                row[nest.key] = children[row[column]]
    return rows


def below(kind: Kind, keys: set[int], nest: Nest) -> dict[int, list[Row]]:
    """The rows below those with these keys, by key."""
    child = KINDS[nest.kind]
    joined, others = apart(nests_below(nest, child))
    values = hanging(kind, nest, joined, keys)
    lower = with_nests(child, list(flat(child, values, joined)), others)
    children: dict[int, list[Row]] = defaultdict(list)
    for (*_, key), row in zip(values, lower, strict=True):
        children[key].append(row)
    return dict(children)


def nests_below(nest: Nest, child: Kind) -> tuple[Nest, ...]:
    """What hangs below a nested row: its frames where the nest is deep, and the `sci` of a frame."""
    if nest.deep:
        return tuple(one for one in child.nests if one.kind == "individualfile")
    return FRAME_NESTS if nest.kind == "individualfile" else ()
