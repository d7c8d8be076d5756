"""Rows by a part of their name: the index proposes them, the name itself tells whether it holds the part."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

LENGTH = 3  # of what the index holds: shorter patterns are unknown to it
LONGEST = 32  # characters of a pattern that the index is asked for
FEW = 1000  # rows that are named one by one
MANY = 20_000  # rows of which it is quicker to read all names
ENDING = 6  # letters and digits of which PostgreSQL's index is asked for


def holding(attribute: str, word: str) -> Q:
    """Rows whose name holds a word literally, capitals and small letters told apart."""
    if not storable(word):
        return Q(pk__in=[])
    held = Q(GreaterThan(StrIndex(F(attribute), Value(word)), 0))
    if connection.vendor == "postgresql":
        for part in endings(word) or [word]:
            held &= Q(**{f"{attribute}__contains": part})
    return held


def endings(word: str) -> list[str]:
    """The ends of the runs of letters and digits of a word, where they are long enough for the index.

    What PostgreSQL's index takes for a word is its rarest trigram times the number of them. In names that
    count upwards a run ends in the rare ones; those before them only cost.
    """
    return [run[-ENDING:] for run in re.findall(r"[^\W_]+", word) if len(run) >= LENGTH]


def storable(word: str) -> bool:
    """Whether a database could keep a name with this word in it: no NUL, no half of a surrogate pair."""
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def proposed(table: str, words: list[str], in_range: QuerySet[Any] | None) -> Q:
    """Rows that may hold one of the words, where it is quicker to ask the index first.

    `in_range`: the rows of the dates asked for. SQLite cannot tell whether they or the proposed ones are
    fewer, and would take the wrong ones first; PostgreSQL has counted both.
    """
    sought = [word for word in words if storable(word)]
    if connection.vendor != "sqlite" or min(map(len, sought), default=0) < LENGTH:
        return Q()
    select = f"SELECT rowid FROM {table}_search WHERE {table}_search MATCH %s"
    for chosen in (last, every_other):
        asked = trigrams(sought, chosen)
        found = first_of(select, asked)
        if len(found) <= FEW:
            return Q(pk__in=found)
    if (in_range is not None and in_range[:MANY].count() < MANY) or count(select, asked) == MANY:
        return Q()  # names read one by one in the order of the answer give the first row sooner
    return Q(pk__in=RawSQL(select, [asked]))


def first_of(select: str, asked: str) -> list[int]:
    """The rows that the index proposes, or so many of them that there are more than a few."""
    with connection.cursor() as cursor:
        cursor.execute(f"{select} LIMIT {FEW + 1}", [asked])
        return [number for (number,) in cursor.fetchall()]


def count(select: str, asked: str) -> int:
    """How many rows the index proposes, counted up to MANY."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({select} LIMIT {MANY})", [asked])
        return int(cursor.fetchone()[0])


def trigrams(words: list[str], chosen: Callable[[str], Iterable[str]]) -> str:
    """What FTS5 is asked for: trigrams of any of the words."""
    return " OR ".join(f"({' AND '.join(map(quoted, chosen(word[:LONGEST])))})" for word in words)


def last(word: str) -> Iterator[str]:
    """The last trigrams of a word: in names that count upwards they are rare, those before them are not."""
    end = len(word) - LENGTH
    return (word[start : start + LENGTH] for start in range(max(0, end - 3), end + 1))


def every_other(word: str) -> Iterator[str]:
    """Every other trigram of a word, and its last: asking for all of them takes longer than what it saves."""
    end = len(word) - LENGTH
    return (word[start : start + LENGTH] for start in sorted({*range(0, end, 2), end}))


def quoted(text: str) -> str:
    """A string of FTS5, in which no character means anything."""
    return '"' + text.replace('"', '""') + '"'
