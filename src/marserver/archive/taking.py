"""Three ways to take the values of rows from the database."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from marserver.archive.reading import AllColumns

ROWS_AT_ONCE = 25  # with all that is made of them they stay near the processor
# No limit, but one that PostgreSQL cannot know before: so it takes the plan that gives the first rows soonest
SOON = " LIMIT (SELECT 9223372036854775807)"

Values = Iterable[tuple[Any, ...]]


class Found(Protocol):
    """Rows that were found, of which some columns are to be read: a QuerySet, or a query written once."""

    def values_list(self, columns: AllColumns, /) -> Any: ...


def at_once(asked: Values) -> Values:
    """All of them in one answer."""
    return asked


def by_and_by(asked: QuerySet[Any, tuple[Any, ...]]) -> Values:
    """Some hundreds whenever they are needed; meanwhile the database may be asked for others."""
    return asked.iterator(chunk_size=ROWS_AT_ONCE)


def flowing(asked: QuerySet[Any, tuple[Any, ...]]) -> Values:
    """One after another, and nothing else meanwhile: PostgreSQL finds some while others are worked on."""
    return from_postgresql(asked) if connection.vendor == "postgresql" else by_and_by(asked)


def from_postgresql(asked: QuerySet[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The values as the columns of a query have them."""
    try:
        query, params = asked.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # no row can be among them
        return
    with connection.flowing_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(query if asked.query.is_sliced else query + SOON, params)
        yield from cursor
