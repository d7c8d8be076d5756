"""One change of the configuration at a time, over all processes and hosts of an installation."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

KEY = 0x4D41522043464721  # any number that no other advisory lock of this database has


@contextmanager
def alone() -> Iterator[None]:
    """A transaction that no other change of the configuration runs beside.

    The database is what all processes of an installation share, so the lock is there and not in a file:
    SQLite's transactions take its write lock when they begin, PostgreSQL has locks of the application's own.
    Either is let go when the transaction or its process ends.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
        yield
