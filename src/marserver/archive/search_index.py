"""The index of `contains`: trigrams of the names, kept in step by the database itself.

SQLite: a table of FTS5 beside each searched one, and triggers. PostgreSQL: an index of pg_trgm.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection

from mar.errors import BadConfig

SEARCHED = {"files_individualfiles": "file_name", "files_finaltiles": "field", "files_fieldimages": "field"}
EVENTS = ("insert", "delete", "update")
PUT = "INSERT INTO {table}_search (rowid, {column}) VALUES (new.id, new.{column});"
TAKE = "INSERT INTO {table}_search ({table}_search, rowid, {column}) VALUES ('delete', old.id, old.{column});"
MAKE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE {table}_search USING fts5({column}, content='{table}', content_rowid='id', "
        "tokenize='trigram case_sensitive 1', detail='none')",
        "INSERT INTO {table}_search ({table}_search) VALUES ('rebuild')",
        f"CREATE TRIGGER {{table}}_search_insert AFTER INSERT ON {{table}} BEGIN {PUT} END",
        f"CREATE TRIGGER {{table}}_search_delete AFTER DELETE ON {{table}} BEGIN {TAKE} END",
        "CREATE TRIGGER {table}_search_update AFTER UPDATE OF id, {column} ON {table} "
        f"BEGIN {TAKE} {PUT} END",
    ),
    # Without fastupdate: names that a scan has just added are found as quickly as the others
    "postgresql": (
        "CREATE INDEX {table}_search ON {table} USING gin ({column} gin_trgm_ops) WITH (fastupdate = off)",
    ),
}
REMOVE = {
    "sqlite": (
        *(f"DROP TRIGGER IF EXISTS {{table}}_search_{event}" for event in EVENTS),
        "DROP TABLE IF EXISTS {table}_search",
    ),
    "postgresql": ("DROP INDEX IF EXISTS {table}_search",),
}
EXISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name LIKE 'files%search%'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'files%search'",
}


def create(*_: Any) -> None:
    """Make the index anew. Raises BadConfig where PostgreSQL's extension is not to be had."""
    if connection.vendor == "postgresql":
        need_trigrams()
    remove()
    execute(MAKE[connection.vendor])


def remove(*_: Any) -> None:
    """Drop the index."""
    execute(REMOVE[connection.vendor])


def mend(**_: Any) -> None:
    """Make the index again where a part is missing: a table was made anew, or a filling was killed."""
    events = [f"_{event}" for event in EVENTS] if connection.vendor == "sqlite" else []
    wanted = {f"{table}_search{event}" for table in SEARCHED for event in ("", *events)}
    with connection.cursor() as cursor:
        cursor.execute(EXISTING[connection.vendor])
        found = {name for (name,) in cursor.fetchall()}
        tables = set(connection.introspection.table_names(cursor))
    if not wanted <= found and tables >= set(SEARCHED):
        create()


@contextmanager
def suspended() -> Iterator[None]:
    """Leave the index alone while very many rows are written, and make it anew afterwards."""
    remove()
    try:
        yield
    finally:
        create()


def execute(templates: Iterable[str]) -> None:
    """Carry statements out for each searched table."""
    with connection.cursor() as cursor:
        for table, column in SEARCHED.items():
            for template in templates:
                cursor.execute(template.format(table=table, column=column))


def need_trigrams() -> None:
    """Install the extension pg_trgm; raises BadConfig, with the command, where this login may not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        name = connection.settings_dict["NAME"]
        raise BadConfig(
            "`contains` needs PostgreSQL's extension pg_trgm, and this login may not install it "
            f"({str(error).strip()}). Ask the administrator of the server to run, in the database {name}: "
            "CREATE EXTENSION pg_trgm; then start again (docs/size.md)"
        ) from error
