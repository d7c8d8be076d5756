"""Rows by a part of their name: the index proposes them, the name itself tells whether it holds the part."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
ENDING = 6  # letters and digits of the last word of a pattern that PostgreSQL's index is asked for
BEFORE = 4  # of each word before that one


def holding(attribute: str, words: Iterable[str]) -> Q:
    """Rows whose name holds one of the words, asked so that PostgreSQL may take its index."""
    found = Q(pk__in=[])
    for word in filter(storable, words):
        held = literal(attribute, [word])
        if connection.vendor == "postgresql":
            for part in endings(word) or [word]:
                held &= Q(**{f"{attribute}__contains": part})
        found |= held
    return found


def literal(attribute: str, words: Iterable[str]) -> Q:
    """Rows whose name holds one of the words literally, capitals and small letters told apart."""
    found = Q(pk__in=[])
    for word in filter(storable, words):
        found |= Q(GreaterThan(StrIndex(F(attribute), Value(word)), 0))
    return found


def endings(word: str) -> list[str]:
    """The ends of the runs of letters and digits of a word, where they are long enough for the index.

    What PostgreSQL's index takes for a word is its rarest trigram times the number of them. In names that
    count upwards a run ends in the rare ones, those of the last run most of all; the others only cost.
    """
    runs = [run for run in re.findall(r"[^\W_]+", word) if len(run) >= LENGTH]
    return [*(run[-BEFORE:] for run in runs[:-1]), *(run[-ENDING:] for run in runs[-1:])]


def storable(word: str) -> bool:
    """Whether a database could keep a name with this word in it: no NUL, no half of a surrogate pair."""
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def proposed(rows: QuerySet[Any], attribute: str, words: list[str], in_range: QuerySet[Any] | None) -> Q:
    """Which of the rows may hold one of the words, where it is quicker to ask the index first.

    `in_range`: the rows of the dates asked for. No database knows how many rows hold a word: SQLite does not
    count, and what PostgreSQL expects after a sample may be so far off that it would read all names.
    """
    sought = [word for word in words if storable(word)]
    if min(map(len, sought), default=0) < LENGTH:
        return Q()
    if connection.vendor == "postgresql":
        return proposed_by_postgresql(rows, attribute, sought)
    return proposed_by_sqlite(rows.model._meta.db_table, sought, in_range)


def proposed_by_postgresql(rows: QuerySet[Any], attribute: str, words: list[str]) -> Q:
    """A few rows one by one; of more it may choose how to find them, and begin with the first."""
    if not all(map(endings, words)):
        return holding(attribute, words)
    held, params = [], []
    for word in words:
        parts = endings(word)
        held.append(f"(strpos({attribute}, %s) > 0{f' AND {attribute} LIKE %s' * len(parts)})")
        params += [word, *(f"%{part}%" for part in parts)]
    # Planned as if all were wanted: so it takes the index
    query = f"SELECT id FROM {rows.model._meta.db_table} WHERE {' OR '.join(held)}"
    found = first_of(f"WITH named AS MATERIALIZED ({query}) SELECT id FROM named", params)
    return Q(pk__in=found) if len(found) <= FEW else holding(attribute, words)


def proposed_by_sqlite(table: str, words: list[str], in_range: QuerySet[Any] | None) -> Q:
    """A few rows one by one, more by the index, or all where their names are read as quickly."""
    select = f"SELECT rowid FROM {table}_search WHERE {table}_search MATCH %s"
    for chosen in (last, every_other):
        asked = trigrams(words, chosen)
        found = first_of(select, [asked])
        if len(found) <= FEW:
            return Q(pk__in=found)
    if (in_range is not None and in_range[:MANY].count() < MANY) or count(select, asked) == MANY:
        return Q()  # names read one by one in the order of the answer give the first row sooner
    return Q(pk__in=RawSQL(select, [asked]))


def first_of(select: str, params: Sequence[Any]) -> list[int]:
    """The rows that the index proposes, or so many of them that there are more than a few."""
    with connection.cursor() as cursor:
        cursor.execute(f"{select} LIMIT {FEW + 1}", params)
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
