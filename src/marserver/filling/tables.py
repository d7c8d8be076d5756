"""Rows written by the thousand: executemany on SQLite, COPY on PostgreSQL; ids are given out here."""

from collections.abc import Iterable
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import JSONField, Max, Model

Row = dict[str, Any]  # by attribute, in the order of the columns


class Table:
    """One table, and the rows that wait to be written into it."""

    def __init__(self, model: type[Model], **usual: Any) -> None:
        """`usual`: the values of columns, by attribute, in every row that does not say otherwise."""
        fields = model._meta.local_concrete_fields
        self.model = model
        self.columns = [str(field.column) for field in fields]
        self.usual = {field.attname: stored(field) for field in fields} | usual
        self.next_id = (model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.rows: list[Row] = []

    def add(self, **values: Any) -> Row:
        """Put one row on the list, with the next id; it may be changed until it is written."""
        row = self.usual | values
        row["id"] = self.next_id
        self.next_id += 1
        self.rows.append(row)
        return row

    def write(self) -> None:
        """Write the rows that wait."""
        rows = [tuple(row.values()) for row in self.rows]
        put = copy if connection.vendor == "postgresql" else insert
        put(self.model._meta.db_table, self.columns, rows)
        self.rows.clear()


def stored(field: Any) -> Any:
    """The default of a column as the database keeps it."""
    value = field.get_default() if field.has_default() else None
    if isinstance(field, JSONField):
        return "[]"
    return int(value) if isinstance(value, int) else value


def insert(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Write rows by one prepared statement."""
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def copy(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Write rows by COPY."""
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as stream:
        for row in rows:
            stream.write_row(row)


def count_on(models: Iterable[type[Model]]) -> None:
    """Let the database give out ids after the last one written (PostgreSQL keeps them apart)."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
