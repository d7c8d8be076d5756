"""Django's PostgreSQL backend, asking its server less: a question and its answer cost half a millisecond."""

import select
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db.backends.postgresql import base

ASK_AFTER_S = 10.0  # a connection unused for so long is asked whether it still is one
PREPARABLE = 10**9  # statements are prepared where that is asked for, and nowhere else

numbers = count()


class PreparedCursor(base.ServerBindingCursor):  # type: ignore[misc, name-defined]
    """The server keeps the plan of what it is asked: planning a small query takes longer than the query."""

    def execute(self, query: Any, params: Any = None) -> Any:
        return super().execute(query, params, prepare=True)


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection."""

    heard = 0.0  # when it last was known to be alive

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "prepare_threshold": PREPARABLE}

    def close_if_health_check_failed(self) -> None:
        """At the first query of a request: a connection used lately is asked only where something came from it.

        The server tells before it ends a connection, and the system tells when the other side is gone: both
        can be seen without asking. Only a machine that vanished without a word cannot.
        """
        now = time.monotonic()
        if self.connection is not None and not self.health_check_done:
            self.health_check_done = now - self.heard < ASK_AFTER_S and is_quiet(self.connection)
        super().close_if_health_check_failed()
        self.heard = now

    def prepared_cursor(self) -> Any:
        """A cursor for a query that comes again and again with other values."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        return self._prepare_cursor(PreparedCursor(self.connection))

    def flow(self, query: str, params: tuple[Any, ...], at_once: int) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, sent while earlier ones are worked on; needs a transaction.

        Until the last is taken, or the iterator closed, the connection takes no other query. By a cursor:
        then the server takes the plan that gives the first rows soonest.
        """
        name = f"flow_{next(numbers)}"
        with self.cursor() as cursor:
            cursor.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {query}", params)
        many = at_once if base.Database.capabilities.has_stream_chunked() else 1
        with self.wrap_database_errors, base.ServerBindingCursor(self.connection) as rows:
            yield from rows.stream(f"FETCH ALL FROM {name}", binary=True, size=many)


def is_quiet(connection: Any) -> bool:
    """Whether nothing has come from the server since its last answer: neither a message nor the end."""
    if connection.closed:
        return False
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return not watch.poll(0)
