"""Queries written once: Django takes longer to write a small one than the database to answer it.

PostgreSQL also keeps its plan of them. Their placeholders are made into those of the database once, too: it
takes a search through the whole text, which may be several thousand letters long.
"""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

from django.db import connection
from django.db.models import Expression, QuerySet

Converter = Callable[[Any, Any, Any], Any]


class Slot(Expression):
    """Stands in a query for a value that is given when it is run."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A placeholder, with itself as the parameter."""
        return "%s", [self]

    def resolve_expression(self, *args: Any, **kwargs: Any) -> "Slot":
        """It stands for a value as it is."""
        return self


@dataclass(frozen=True)
class Written:
    """A query as one kind of database takes it."""

    sql: str
    params: tuple[Any, ...]
    converters: tuple[tuple[int, list[Converter], Any], ...]  # column, what makes values of it, expression


class Prepared:
    """Rows as tuples of a `values_list` query with slots.

    PREPARED = Prepared(lambda: User.objects.filter(username=Slot("name")).values_list("id", "email"))
    rows = PREPARED(name="alice")
    """

    def __init__(self, ask: Callable[[], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self.ask = ask
        self.written: dict[str, Written] = {}  # by kind of database

    def __call__(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the query with these values of its slots."""
        written = self.written.get(connection.vendor) or self.write()
        given = {name: adapted(value) for name, value in values.items()}
        params = [given[one.name] if isinstance(one, Slot) else one for one in written.params]
        with cursor_of(connection) as cursor:
            cursor.execute(written.sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [converted(row, written) for row in rows] if written.converters else rows

    def write(self) -> Written:
        """Have Django write the query."""
        compiler = self.ask().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = compiler.get_converters([expression for expression, _, _ in compiler.select])
        converters = tuple(
            (column, list(makers), expression) for column, (makers, expression) in columns.items()
        )
        self.written[connection.vendor] = Written(sql, tuple(params), converters)
        return self.written[connection.vendor]


class MarkedCursor(sqlite3.Cursor):
    """SQLite's own cursor, given queries as Django writes them."""

    def execute(self, query: str, params: Any = ()) -> "MarkedCursor":
        super().execute(placed(query, "sqlite"), params)
        return self


def cursor_of(connection: Any) -> Any:
    """A cursor for a query that comes again and again with other values."""
    if connection.vendor == "postgresql":
        return connection.prepared_cursor()
    connection.ensure_connection()
    return connection._prepare_cursor(connection.connection.cursor(MarkedCursor))


@cache
def placed(query: str, vendor: str) -> str:
    """A query with the placeholders of this database, `?` or `$1`, in the place of Django's `%s`."""
    numbers = count(1)

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return "?" if vendor == "sqlite" else f"${next(numbers)}"

    return re.sub("%[%s]", place, query)


def adapted(value: Any) -> Any:
    """A value as the database takes it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def converted(row: tuple[Any, ...], written: Written) -> tuple[Any, ...]:
    """The values of a row as Python has them."""
    values = list(row)
    for column, makers, expression in written.converters:
        for make in makers:
            values[column] = make(values[column], expression, connection)
    return tuple(values)
