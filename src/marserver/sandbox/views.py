"""What rawQuery sees: views with the columns of the contract, made from `archive.kinds`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Model

from marserver.archive.kinds import ALL, Kind
from marserver.archive.models import BandPair
from marserver.jobs.models import Job

OLD_NAMES = {"files_individualfiles": "files_individualfile"}  # the name that scripts use besides
INTEGER_FLAGS = {"individualfile"}  # kinds whose isvalid is 1/0 in every answer, not true/false
OPERATION = (
    ("id", "id"),
    ("function", "function"),
    ("block", "block"),
    ("band", "band"),
    ("code", "code"),
    ("user", "user"),
    ("priority", "priority"),
    ("status", "status"),
    ("queued", "queued_at"),
    ("started", "started_at"),
    ("endDate", "ended_at"),
    ("step", "step"),
    ("done", "done"),
    ("total", "total"),
    ("retries", "retries"),
    ("notBefore", "not_before"),
    ("outcome", "outcome"),
    ("error", "error"),
    ("logPath", "log_path"),
)
AS_NUMBER = {"sqlite": "{}", "postgresql": "{}::integer"}


@dataclass(frozen=True)
class Column:
    """One column of a view: its key, and where it comes from."""

    key: str
    table: str
    column: str
    number: bool = False  # a boolean shown as 1/0


@dataclass(frozen=True)
class Joined:
    """A second table that a view takes columns from: our column holds its id."""

    by: str
    table: str
    target: str


@dataclass(frozen=True)
class View:
    """A table as rawQuery shows it."""

    name: str
    table: str
    columns: tuple[Column, ...]
    joined: tuple[Joined, ...] = ()

    def select(self, schema: str, vendor: str) -> str:
        """The statement of the view over the tables of a schema."""
        columns = ", ".join(f"{shown(column, vendor)} AS {quoted(column.key)}" for column in self.columns)
        text = f"SELECT {columns} FROM {schema}.{quoted(self.table)}"
        for one in self.joined:
            ours, theirs = (
                f"{quoted(self.table)}.{quoted(one.by)}",
                f"{quoted(one.table)}.{quoted(one.target)}",
            )
            text += f" LEFT JOIN {schema}.{quoted(one.table)} ON {ours} = {theirs}"
        return text

    def reads(self) -> Iterator[tuple[str, str]]:
        """Every table and column that the view reads."""
        yield from ((column.table, column.column) for column in self.columns)
        for one in self.joined:
            yield self.table, one.by
            yield one.table, one.target


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def shown(column: Column, vendor: str) -> str:
    """The value of a column in the SELECT of a view."""
    text = f"{quoted(column.table)}.{quoted(column.column)}"
    return AS_NUMBER[vendor].format(text) if column.number else text


def all_views() -> list[View]:
    """Every view, sorted by name."""
    tables = [of_kind(kind) for kind in ALL]
    links = {link.name: link for kind in ALL for link in links_of(kind)}
    old = [
        View(OLD_NAMES[view.name], view.table, view.columns, view.joined)
        for view in tables
        if view.name in OLD_NAMES
    ]
    return sorted([*tables, *links.values(), *old, band_pairs(), operations()], key=lambda view: view.name)


def of_kind(kind: Kind) -> View:
    """The table of a kind with the keys of its rows."""
    number = kind.name in INTEGER_FLAGS
    columns = tuple(column_of(kind.model, key, attribute, number) for key, attribute in kind.columns)
    joined = {joined_by(kind.model, attribute): None for _, attribute in kind.columns if "__" in attribute}
    return View(kind.model._meta.db_table, kind.model._meta.db_table, columns, tuple(joined))


def column_of(model: type[Model], key: str, attribute: str, number: bool = False) -> Column:
    """Where a key of a row comes from: a column of the table, or of one that it points to."""
    name, _, beyond = attribute.partition("__")
    if beyond:
        return column_of(model._meta.get_field(name).related_model, key, beyond)  # type: ignore[arg-type]
    field: Any = model._meta.get_field(name)
    return Column(key, model._meta.db_table, field.column, number and isinstance(field, BooleanField))


def joined_by(model: type[Model], attribute: str) -> Joined:
    """The table that an attribute like `superflat__band` looks into."""
    field: Any = model._meta.get_field(attribute.partition("__")[0])
    target = field.related_model._meta
    return Joined(field.column, target.db_table, target.pk.column)


def links_of(kind: Kind) -> Iterator[View]:
    """The link tables of a kind, with their own columns."""
    for field in kind.model._meta.many_to_many:
        table = field.m2m_db_table()
        names = ("id", field.m2m_column_name(), field.m2m_reverse_name())
        yield View(table, table, tuple(Column(name, table, name) for name in names))


def band_pairs() -> View:
    """How the bands of a field lie to each other, with all columns."""
    table, names = BandPair._meta.db_table, [field.name for field in BandPair._meta.concrete_fields]
    return View(table, table, tuple(column_of(BandPair, name, name) for name in names))


def operations() -> View:
    """The operations: what waits, runs and ended."""
    table = Job._meta.db_table
    return View(table, table, tuple(column_of(Job, key, attribute) for key, attribute in OPERATION))
