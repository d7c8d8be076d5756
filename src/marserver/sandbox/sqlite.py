"""A statement on SQLite: the file opened for reading only, and an allow-list for all that it does."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

from marserver.sandbox.task import NotSetUp, Refused, Task, TooLong, TooMuch

Answer = tuple[list[str], Iterator[tuple[Any, ...]]]

STEPS_BETWEEN_LOOKS = 10_000
WAIT_S = 5.0  # for a writer that holds the whole file, which happens in recovery only
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,  # of any text, blob or row
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 400_000,  # bytes; the API takes 100,000 characters
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
FUNCTION_NAMES = """
abs avg count group_concat string_agg max min sum total
coalesce ifnull iif nullif typeof likely unlikely likelihood
glob hex instr length like lower ltrim quote replace round rtrim substr substring trim unicode upper char
date time datetime julianday strftime unixepoch timediff current_date current_time current_timestamp
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi
pow power radians sign sin sinh sqrt tan tanh trunc random
json json_array json_array_length json_extract json_object json_type json_valid json_quote
json_group_array json_group_object -> ->>
"""
FUNCTIONS = frozenset(FUNCTION_NAMES.split())
LISTS = frozenset({"json_each", "json_tree"})  # tables made of a JSON array
WHAT_MAY = "one SELECT of the tables of the archive is all that may be done"
OWN_NAMES = ("sqlite_", "pragma_")


@contextmanager
def answering(task: Task) -> Iterator[Answer]:
    """The names of the columns and the rows of the statement, one after another."""
    deadline = time.monotonic() + task.bounds.seconds
    try:
        opened = connect(task)
    except sqlite3.Error as error:
        raise NotSetUp(f"{task.target}: {error}") from None
    with closing(opened) as database:
        database.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)
        try:
            cursor = database.execute(task.query)
            yield [name for name, *_ in cursor.description or ()], cursor
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise told(error) from None


def told(error: Exception) -> Exception:
    """What the user is told of an error of SQLite."""
    match getattr(error, "sqlite_errorname", "").split("_")[1:2]:
        case ["INTERRUPT"]:
            return TooLong()
        case ["NOMEM"] | ["IOERR"] | ["FULL"]:
            return TooMuch()
    return Refused(f"{error}: {WHAT_MAY}" if str(error) == "not authorized" else str(error))


def connect(task: Task) -> sqlite3.Connection:
    """A connection that sees the views and may do nothing but read them."""
    uri = f"file:{quote(task.target)}?mode=ro"
    database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S, cached_statements=0)
    database.text_factory = lambda content: content.decode("utf-8", "replace")
    for pragma in ("temp_store=FILE", "cache_size=-16000", "mmap_size=0", "trusted_schema=OFF"):
        database.execute(f"PRAGMA {pragma}")
    database.execute(f"PRAGMA hard_heap_limit={task.bounds.heap}")
    # One view of the data, and of the names of tables, from here to the end
    database.execute("BEGIN")
    hidden = names_of(database) - {table.lower() for table, _ in task.reads}
    for name, select in task.views.items():
        database.execute(f'CREATE TEMP VIEW "{name}" AS {select}')
    # Tables of this kind are made at their first use, which the allow-list would refuse
    database.execute("SELECT count(*) FROM json_each('[]'), json_tree('[]')")
    database.execute("PRAGMA query_only=ON")
    for limit, most in LIMITS.items():
        database.setlimit(limit, most)
    database.set_authorizer(allow_list(task, frozenset(hidden)))
    return database


def names_of(database: sqlite3.Connection) -> set[str]:
    """Every table, view and virtual table that a statement could name, in small letters."""
    tables = database.execute("SELECT lower(name) FROM sqlite_master")
    modules = database.execute("SELECT lower(name) FROM pragma_module_list")
    return {name for (name,) in [*tables, *modules]} - LISTS


def allow_list(task: Task, hidden: frozenset[str]) -> Callable[..., int]:
    """What SQLite asks before it prepares each part of a statement; everything not named is refused.

    Columns are told by table, whoever reads them: a WITH clause may bear the name of a view. Where no column
    of a table is read SQLite gives its name as it was written, which may also be that of a WITH clause.
    """
    below = frozenset(task.reads)
    views = frozenset(task.views)

    def may_read(table: str, column: str, schema: str | None) -> bool:
        if not column:
            name = table.lower()
            return name not in hidden and not name.startswith(OWN_NAMES)
        if schema == "temp":
            return table in views
        return (table, column) in below or table in LISTS

    def decide(action: int, first: str | None, second: str | None, schema: str | None, _: str | None) -> int:
        match action:
            case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
                allowed = True
            case sqlite3.SQLITE_READ:
                allowed = may_read(first or "", second or "", schema)
            case sqlite3.SQLITE_FUNCTION:
                allowed = (second or "").lower() in FUNCTIONS
            case _:
                allowed = False
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return decide
