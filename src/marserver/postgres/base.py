"""Django's PostgreSQL backend, asking its server less: a question and its answer cost half a millisecond."""

import select
import time
from typing import Any

import psycopg
from django.db import InterfaceError
from django.db.backends.postgresql import base

from marserver.prepared import placed

ASK_AFTER_S = 10.0  # a connection unused for so long is asked whether it still is one
PREPARABLE = 10**9  # statements are prepared where that is asked for, and nowhere else
ROWS_AT_ONCE = 100  # the next ones fit into the socket meanwhile, or the server would stand still
ACTIVE = psycopg.pq.TransactionStatus.ACTIVE

Values = tuple[Any, ...]


class PreparedCursor(psycopg.RawCursor[Values]):
    """The server keeps the plan of what it is asked: planning a small query takes longer than the query."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        return super().execute(placed(query, "postgresql"), params, prepare=True)


class FlowingCursor(psycopg.Cursor[Values]):
    """Gives rows as the server finds them, some while earlier ones are worked on.

    Until the last is taken, or the iterator closed, the connection takes no other query: it raises
    InterfaceError, where psycopg would wait for ever.
    """

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        many = ROWS_AT_ONCE if psycopg.capabilities.has_stream_chunked() else 1
        self.rows = self.stream(query, params, binary=True, size=many)

    def __iter__(self) -> Any:
        return self.rows


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection."""

    connection: Any
    health_check_done: bool
    heard = 0.0  # when it last was used

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "prepare_threshold": PREPARABLE}

    def init_connection_state(self) -> None:
        """Without jit and helping processes: both take longer to begin than a query to its first rows."""
        super().init_connection_state()
        self.connection.execute("SET jit = off; SET max_parallel_workers_per_gather = 0")

    def close_if_health_check_failed(self) -> None:
        """At the first query of a request: one used lately is asked only if it has said something.

        The server tells before it ends a connection, and the system tells when the other side is gone: both
        can be seen without asking. Only a machine that vanished without a word cannot.
        """
        if self.connection is not None and self.connection.info.transaction_status == ACTIVE:
            raise InterfaceError("rows of another query are still to be taken from this connection")
        now = time.monotonic()
        if self.connection is not None and not self.health_check_done:
            self.health_check_done = now - self.heard < ASK_AFTER_S and is_quiet(self.connection)
        super().close_if_health_check_failed()
        self.heard = now

    def prepared_cursor(self) -> Any:
        """A cursor for a query that comes again and again with other values."""
        return self.cursor_of(PreparedCursor)

    def flowing_cursor(self) -> Any:
        """A cursor for very many rows."""
        return self.cursor_of(FlowingCursor)

    def cursor_of(self, kind: type[psycopg.Cursor[Values]]) -> Any:
        """A cursor of this kind, as Django wraps them."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        return self._prepare_cursor(kind(self.connection))  # type: ignore[attr-defined]


def is_quiet(connection: Any) -> bool:
    """Whether nothing has come from the server since its last answer: neither a message nor the end."""
    if connection.closed:
        return False
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return not watch.poll(0)
