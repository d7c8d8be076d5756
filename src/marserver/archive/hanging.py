"""The rows that hang below others, by a link table or by a column: links and rows in one query."""

from functools import cache
from typing import Any

from django.db.models import Q, QuerySet

from marserver.archive.kinds import KINDS, Kind, Nest
from marserver.archive.reading import all_columns
from marserver.prepared import Prepared, Slot


def hanging(kind: Kind, nest: Nest, joined: Nest | None, keys: set[int]) -> list[tuple[Any, ...]]:
    """The columns of the lower rows, and behind them the key of the row that each hangs on.

    `keys`: of the upper rows, their id or what their column holds.
    """
    if len(keys) == 1:
        return on_one(kind.name, nest, joined)(key=next(iter(keys)))
    return list(below(kind, nest, joined, Q(**{f"{key_of(kind, nest)}__in": keys}))) if keys else []


@cache
def on_one(name: str, nest: Nest, joined: Nest | None) -> Prepared:
    """The same for a single upper row, which is what most requests ask for."""
    kind = KINDS[name]
    return Prepared(lambda: below(kind, nest, joined, Q(**{key_of(kind, nest): Slot("key")})))


def below(kind: Kind, nest: Nest, joined: Nest | None, hangs: Q) -> QuerySet[Any, tuple[Any, ...]]:
    """The lower rows for which this holds, in the order of their ids."""
    rows = KINDS[nest.kind].objects.filter(hangs).order_by("pk")
    values: QuerySet[Any, tuple[Any, ...]] = rows.values_list(
        all_columns(nest.kind, joined), key_of(kind, nest)
    )
    return values


def key_of(kind: Kind, nest: Nest) -> str:
    """How a lower row names the key of the upper one."""
    if nest.in_column(kind):
        return "pk"
    field: Any = kind.model._meta.get_field(nest.by)
    return str(field.related_query_name())


def relation_of(kind: Kind, nest: Nest) -> str:
    """How an upper row names what hangs on it."""
    return nest.by.removesuffix("_id") if nest.in_column(kind) else nest.by
