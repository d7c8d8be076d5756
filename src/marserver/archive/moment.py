"""Reading everything of an answer as it is at one moment, however long the answer takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

READING = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside does not see what others write meanwhile, and they do not wait for it.

    On PostgreSQL a transaction, for answers that take several queries. SQLite does the same for as long as a
    statement gives rows, and its transactions would keep writers out.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(READING)
        yield
