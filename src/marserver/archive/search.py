"""The index of `contains`: trigrams of the names, kept in step by the database itself.

SQLite: a table of FTS5 beside each searched one, and triggers. PostgreSQL: an index of pg_trgm.
The index only proposes rows; whether a name holds a pattern is always asked of the name itself.
"""

from collections.abc import Iterator

SEARCHED = (
    ("files_individualfiles", "file_name"),
    ("files_finaltiles", "field"),
    ("files_fieldimages", "field"),
)
SHORTEST = 3  # characters that a pattern needs for the index to know it
FEW = 1000  # rows that are named one by one

SQLITE = (
    "CREATE VIRTUAL TABLE {table}_search USING fts5({column}, content='{table}', content_rowid='id', "
    "tokenize='trigram case_sensitive 1', detail='none')",
    "INSERT INTO {table}_search ({table}_search) VALUES ('rebuild')",
    "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN {put}; END",
    "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {take}; END",
    "CREATE TRIGGER {table}_search_update AFTER UPDATE OF id, {column} ON {table} BEGIN {take}; {put}; END",
)
PUT = "INSERT INTO {table}_search (rowid, {column}) VALUES (new.id, new.{column})"
TAKE = "INSERT INTO {table}_search ({table}_search, rowid, {column}) VALUES ('delete', old.id, old.{column})"
# Without fastupdate: names that a scan has just added are found as quickly as the others
POSTGRESQL = (
    "CREATE INDEX {table}_search ON {table} USING gin ({column} gin_trgm_ops) WITH (fastupdate = off)",
)


def statements(vendor: str) -> Iterator[str]:
    """What makes the index in a database of this kind."""
    for table, column in SEARCHED:
        names = {"table": table, "column": column}
        put, take = PUT.format(**names), TAKE.format(**names)
        for template in SQLITE if vendor == "sqlite" else POSTGRESQL:
            yield template.format(**names, put=put, take=take)
