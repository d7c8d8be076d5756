"""Rows by a part of their name: the index proposes them, the name itself tells whether it holds the part."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

SHORTEST = 3  # characters that a pattern needs for the index to know it
LONGEST = 32  # characters of a pattern that the index is asked for
FEW = 1000  # rows that are named one by one
MANY = 20_000  # rows whose names are not read one by one where the index can tell


def holding(attribute: str, word: str) -> Q:
    """Rows whose name holds a word literally, capitals and small letters told apart."""
    if "\0" in word:
        return Q(pk__in=[])  # no database keeps such a name
    if connection.vendor == "postgresql":
        return Q(**{f"{attribute}__contains": word})
    return Q(GreaterThan(StrIndex(F(attribute), Value(word)), 0))


def proposed(others: QuerySet[Any], words: list[str]) -> Q:
    """Rows that may hold one of the words, where it is quicker to ask the index first.

    `others`: the rows that fulfil all other conditions. SQLite cannot tell which of the two are fewer, and
    would take the wrong ones first; PostgreSQL has counted both.
    """
    if connection.vendor != "sqlite" or min(map(len, words)) < SHORTEST:
        return Q()
    index, asked = f"{others.model._meta.db_table}_search", trigrams(words)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT rowid FROM {index} WHERE {index} MATCH %s LIMIT {FEW + 1}", [asked])
        found = [number for (number,) in cursor.fetchall()]
    if len(found) <= FEW:
        return Q(pk__in=found)
    if others[:MANY].count() < MANY or not is_rare(index, asked):
        return Q()
    return Q(pk__in=RawSQL(f"SELECT rowid FROM {index} WHERE {index} MATCH %s", [asked]))


def is_rare(index: str, asked: str) -> bool:
    """Whether the index proposes few of all rows; else reading names finds the first ones at once."""
    some = f"SELECT 1 FROM {index} WHERE {index} MATCH %s LIMIT {MANY}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({some})", [asked])
        return bool(cursor.fetchone()[0] < MANY)


def trigrams(words: list[str]) -> str:
    """What FTS5 is asked for: all the trigrams of any of the words."""
    return " OR ".join(f"({' AND '.join(map(quoted, pieces(word[:LONGEST])))})" for word in words)


def pieces(word: str) -> Iterator[str]:
    """The trigrams of a word."""
    return (word[start : start + SHORTEST] for start in range(len(word) - SHORTEST + 1))


def quoted(text: str) -> str:
    """A string of FTS5, in which no character means anything."""
    return '"' + text.replace('"', '""') + '"'
