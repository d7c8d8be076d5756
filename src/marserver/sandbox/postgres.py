"""A statement on PostgreSQL: its own role, a transaction that reads only and is never committed."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus
from psycopg.types.string import TextLoader

from marserver.sandbox.task import NotSetUp, Refused, Stopped, Task, TooLong, TooMany, TooMuch

Session = psycopg.Connection[tuple[Any, ...]]
Answer = tuple[list[str], Iterator[tuple[Any, ...]]]

SCHEMA = "mar_query"
CONNECT_S = 5
ROWS_AT_ONCE = 100  # from libpq 17 on; before, rows come one by one
AS_TEXT = ("json", "jsonb", "interval", "xml")
TOO_MUCH = (errors.OutOfMemory, errors.ConfigurationLimitExceeded, errors.DiskFull)
# A role that may more than read the views must not be handed to users
TOO_MIGHTY = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
       OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relowner = r.oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datdba = r.oid)
FROM pg_catalog.pg_roles r WHERE rolname = current_user
"""


@contextmanager
def answering(task: Task) -> Iterator[Answer]:
    """The names of the columns and the rows of the statement, one after another."""
    database = connect(task)
    try:
        database.read_only = True
        query = task.query.encode()
        names = columns_of(database, query)
        at_once = ROWS_AT_ONCE if psycopg.capabilities.has_stream_chunked() else 1
        with closing(contents(database.cursor().stream(query, size=at_once))) as rows:
            yield names, rows
    except psycopg.Error as error:
        raise told(error) from None
    finally:
        # Nothing is committed, and what a session could hold, as advisory locks, ends with it
        database.close()


def columns_of(database: Session, query: bytes) -> list[str]:
    """The names of the columns, which a stream without rows does not tell."""
    for result in (database.pgconn.prepare(b"", query), database.pgconn.describe_prepared(b"")):
        if result.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result, "utf-8")
    return [(result.fname(number) or b"").decode() for number in range(result.nfields)]


def contents(rows: Iterable[tuple[Any, ...]]) -> Generator[tuple[Any, ...], None, None]:
    """The same rows, in a form that can be closed, which cancels what still runs."""
    yield from rows


def connect(task: Task) -> Session:
    """A session of the query role with its limits. Raises NotSetUp for a role that may too much."""
    try:
        database = psycopg.connect(task.target, options=options(task), connect_timeout=CONNECT_S)
    except psycopg.OperationalError as error:
        raise refused_login(error) from None
    for name in AS_TEXT:
        database.adapters.register_loader(name, TextLoader)
    row = database.execute(TOO_MIGHTY).fetchone()
    database.rollback()
    if row is None or row[0]:
        database.close()
        raise NotSetUp("the role of MAR_QUERY_URL may do more than read the views")
    return database


def options(task: Task) -> str:
    """Settings of the session; a statement cannot change those that bind it while it runs."""
    settings = {
        "search_path": SCHEMA,
        "default_transaction_read_only": "on",
        "statement_timeout": f"{task.bounds.seconds * 1000:.0f}",
        "lock_timeout": "2000",
        "client_connection_check_interval": "1000",
        "idle_in_transaction_session_timeout": f"{task.bounds.seconds * 1000 + 5000:.0f}",
        "max_parallel_workers_per_gather": "0",
        "work_mem": "16MB",
        "jit": "off",
        "standard_conforming_strings": "on",
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "client_encoding": "UTF8",
        "client_min_messages": "error",
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def refused_login(error: psycopg.OperationalError) -> Stopped:
    """Why there is no session; "too many connections" is told by its words, as it has no code here."""
    return TooMany() if "too many" in str(error) else NotSetUp(str(error).strip().replace("\n", "; "))


def told(error: psycopg.Error) -> Stopped:
    """What the user is told of an error of PostgreSQL: its message and hint, no more."""
    if isinstance(error, errors.QueryCanceled):
        return TooLong()
    if isinstance(error, TOO_MUCH):
        return TooMuch()
    said = error.diag.message_primary or str(error).partition("\n")[0]
    return Refused(". ".join(part for part in (said, error.diag.message_hint) if part))
