"""How the columns of a kind are read so that their values can be answered as they are.

All columns stand in the query as one expression, written once: Django would resolve each of them anew for
every request, and make objects of times of which an answer makes texts again. At ten thousand rows, and at
hundreds of requests each second, that takes longer than everything else together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.db import models
from django.db.models import F, Func

from marserver.archive.kinds import KINDS, Kind, Nest

# A time is answered as 2024-03-01T05:00:00Z, with six digits behind the second where it has any; a day as
# 2024-03-01. SQLite keeps both as text, but Python's sqlite3 makes objects of bare columns of days.
WORDS: dict[str, dict[Any, str]] = {
    "sqlite": {
        models.DateTimeField: "REPLACE({0}, ' ', 'T') || 'Z'",
        models.DateField: "{0} || ''",
    },
    "postgresql": {
        models.DateTimeField: "REPLACE(to_char({0} AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '.000000', '')",
        models.DateField: "to_char({0}, 'YYYY-MM-DD')",
        models.JSONField: "{0}::text",
    },
}
# Of many rows times come as they are: PostgreSQL takes longer to make texts of them than the answer does
FLOWING: dict[Any, str] = {models.JSONField: "{0}::text"}
NUMBER = "CAST({0} AS integer)"  # of a truth

Parts = tuple[tuple[str, str], ...]  # kind, and the relation that leads there; "" for the row itself


class AllColumns(Func):
    """Every column of a kind, and of the rows joined to it, in the order of their keys."""

    output_field = models.TextField()  # so that Django leaves all values alone

    def __init__(self, parts: Parts, flowing: bool = False) -> None:
        self.parts, self.flowing = parts, flowing
        self.relations = relations(parts)
        super().__init__(*(F(path) for path in self.relations.values()))

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        """The text, with the names that the tables have in this query."""
        columns: list[Any] = self.get_source_expressions()
        tables = dict(zip(self.relations, (column.alias for column in columns), strict=True))
        own = compiler.query.get_initial_alias()
        return text_of(self.parts, connection.vendor, self.flowing).format(own=own, **tables), []


def all_columns(name: str, joined: Nest | None = None, flowing: bool = False) -> AllColumns:
    """The expression for a kind and the one row that may be joined to it."""
    return columns_in(((name, ""), *([(joined.kind, joined.joined)] if joined else [])), flowing)


@cache
def columns_in(parts: Parts, flowing: bool = False) -> AllColumns:
    """The expression for a kind, the first part, and what is joined to it; queries work on copies of it."""
    return AllColumns(parts, flowing)


@dataclass(frozen=True)
class Columns:
    """The keys of one kind, for values in their order."""

    keys: tuple[str, ...]
    lists: tuple[str, ...]  # keys whose text is a JSON list
    empty: dict[str, Any]  # a row without values: a copy of it need not grow key by key

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """The row of these values; more of them may follow."""
        row = self.empty.copy()
        row.update(zip(self.keys, values))  # noqa: B905 - more may follow
        for key in self.lists:
            row[key] = orjson.loads(row[key]) if row[key] != "[]" else []
        return row


@cache
def columns_of(name: str) -> Columns:
    """The keys of a kind."""
    kind = KINDS[name]
    keys = tuple(key for key, _ in kind.columns)
    lists = tuple(key for key, attribute in kind.columns if is_list(kind, attribute))
    return Columns(keys, lists, dict.fromkeys(keys))


def relations(parts: Parts) -> dict[str, str]:
    """The tables beside the kind's own, each with one of its columns: that makes Django join it."""
    found: dict[str, str] = {}
    for name, relation in parts:
        attributes = [attribute for _, attribute in KINDS[name].columns]
        if relation:
            found[relation] = (
                f"{relation}__{attributes[1]}"  # the first is the key, which a link table has too
            )
        for attribute in attributes:
            if "__" in attribute:
                found[within(relation, attribute.rpartition("__")[0])] = within(relation, attribute)
    return found


def within(relation: str, path: str) -> str:
    """A path from the row at the end of a relation."""
    return f"{relation}__{path}" if relation else path


@cache
def text_of(parts: Parts, vendor: str, flowing: bool) -> str:
    """The columns in SQL, with places for the names of the tables."""
    words = FLOWING if flowing and vendor == "postgresql" else WORDS[vendor]
    return ", ".join(
        written(KINDS[name], attribute, relation, words)
        for name, relation in parts
        for _, attribute in KINDS[name].columns
    )


def written(kind: Kind, attribute: str, relation: str, words: dict[Any, str]) -> str:
    """One column in SQL."""
    path = attribute.rpartition("__")[0]
    field = field_of(kind.model, attribute)
    column = f'{{{(within(relation, path) if path else relation) or "own"}}}."{field.column}"'
    if attribute in kind.numeric:
        return NUMBER.format(column)
    return next((text for one, text in words.items() if isinstance(field, one)), "{0}").format(column)


def is_list(kind: Kind, attribute: str) -> bool:
    """Whether an attribute holds a JSON list."""
    return isinstance(field_of(kind.model, attribute), models.JSONField)


def field_of(model: type[models.Model], attribute: str) -> Any:
    """The field of an attribute, also of one of another table (`superflat__super_flat_path`)."""
    *path, last = attribute.split("__")
    for name in path:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    return model._meta.get_field(last)
