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
NUMBER = "CAST({0} AS integer)"  # of a truth


class AllColumns(Func):
    """Every column of a kind, and of the row joined to it, in the order of their keys."""

    output_field = models.TextField()  # so that Django leaves all values alone

    def __init__(self, name: str, joined: Nest | None = None) -> None:
        self.kind, self.joined = KINDS[name], joined
        self.relations = relations(self.kind, joined)
        super().__init__(*(F(path) for path in self.relations.values()))

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        """The text, with the names that the tables have in this query."""
        columns: list[Any] = self.get_source_expressions()
        tables = dict(zip(self.relations, (column.alias for column in columns), strict=True))
        own = compiler.query.get_initial_alias()
        return text_of(self.kind.name, self.joined, connection.vendor).format(own=own, **tables), []


@cache
def all_columns(name: str, joined: Nest | None = None) -> AllColumns:
    """The expression for a kind; queries work on copies of it."""
    return AllColumns(name, joined)


@dataclass(frozen=True)
class Columns:
    """The keys of one kind, for values in their order."""

    keys: tuple[str, ...]
    lists: tuple[str, ...]  # keys whose text is a JSON list

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """The row of these values; more of them may follow."""
        row = dict(zip(self.keys, values, strict=False))
        for key in self.lists:
            row[key] = orjson.loads(row[key])
        return row


@cache
def columns_of(name: str) -> Columns:
    """The keys of a kind."""
    kind = KINDS[name]
    lists = (key for key, attribute in kind.columns if is_list(kind, attribute))
    return Columns(tuple(key for key, _ in kind.columns), tuple(lists))


def relations(kind: Kind, joined: Nest | None) -> dict[str, str]:
    """The tables beside the kind's own, each with one of its columns: that makes Django join it."""
    paths = [attribute for _, attribute in kind.columns if "__" in attribute]
    if joined:
        paths += [f"{joined.joined}__{attribute}" for _, attribute in KINDS[joined.kind].columns[1:2]]
    return {path.split("__")[0]: path for path in paths}


@cache
def text_of(name: str, joined: Nest | None, vendor: str) -> str:
    """The columns in SQL, with places for the names of the tables."""
    kind = KINDS[name]
    words = [written(kind, attribute, "own", vendor) for _, attribute in kind.columns]
    if joined:
        child = KINDS[joined.kind]
        words += [written(child, attribute, joined.joined, vendor) for _, attribute in child.columns]
    return ", ".join(words)


def written(kind: Kind, attribute: str, table: str, vendor: str) -> str:
    """One column in SQL."""
    *path, _ = attribute.split("__")
    field = field_of(kind.model, attribute)
    column = f'{{{path[0] if path else table}}}."{field.column}"'
    if attribute in kind.numeric:
        return NUMBER.format(column)
    words = [text for one, text in WORDS[vendor].items() if isinstance(field, one)]
    return words[0].format(column) if words else column


def is_list(kind: Kind, attribute: str) -> bool:
    """Whether an attribute holds a JSON list."""
    return isinstance(field_of(kind.model, attribute), models.JSONField)


def field_of(model: type[models.Model], attribute: str) -> Any:
    """The field of an attribute, also of one of another table (`superflat__super_flat_path`)."""
    *path, last = attribute.split("__")
    for name in path:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    return model._meta.get_field(last)
