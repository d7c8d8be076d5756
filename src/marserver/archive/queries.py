"""Which rows a `get` answers: one function, the same meaning on SQLite and PostgreSQL."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan

from marserver.archive import search
from marserver.archive.kinds import Kind, named
from marserver.errors import Invalid

LARGEST_ID = 2**63 - 1
MOST_PATTERNS = 100


@dataclass(frozen=True)
class Find:
    """What is looked for; every condition given must hold."""

    id: int | None = None
    dates: tuple[date, date] | None = None  # both days included, UTC
    field: str = ""
    band: str = ""
    contains: str = ""  # patterns separated by commas, any of them
    flag: int | None = None
    valid: bool = True
    error: bool = False  # only frames whose last step failed
    limit: int | None = None
    offset: int = 0
    order: str = ""  # a key of the row, "-" before it for descending


def find(name: str, what: Find) -> QuerySet[Any]:
    """The rows of one kind that match, in a stable order: by date where a range is asked for, else by id.

    Raises Invalid for an unknown `order`, and for too many patterns.
    """
    kind = named(name)
    rows = matching(kind, what).order_by(*ordering(kind, what))
    limit = 1 if what.id is not None and what.limit is None else what.limit
    stop = None if limit is None else what.offset + limit
    return rows[what.offset : stop] if what.offset or stop is not None else rows


def matching(kind: Kind, what: Find) -> QuerySet[Any]:
    """The rows of a kind that fulfil every condition."""
    rows = kind.objects.filter(conditions(kind, what))
    words = patterns(what.contains)
    if not words:
        return rows
    return rows.filter(search.literal(kind.contains, words), proposed(kind, what, words))


def proposed(kind: Kind, what: Find, words: list[str]) -> Q:
    """The rows that the index of names proposes, unless few are left anyway."""
    if what.id is not None or what.field or what.error:
        return Q()
    in_range = kind.objects.filter(within(kind, *what.dates)) if what.dates is not None else None
    return search.proposed(kind.objects.all(), kind.contains, words, in_range)


def conditions(kind: Kind, what: Find) -> Q:
    """Everything that a row must fulfil, but for its name."""
    wanted = Q(isvalid=what.valid)
    if what.id is not None:
        wanted &= Q(pk__in=[]) if is_no_id(what.id) else Q(pk=what.id)
    if what.dates is not None:
        wanted &= within(kind, *what.dates)
    if what.field:
        wanted &= Q(field=what.field)
    if what.band:
        wanted &= Q(band=what.band)
    if what.flag is not None:
        wanted &= flagged(what.flag)
    if what.error:
        wanted &= ~Q(failed_step="")
    return wanted


def is_no_id(number: Any) -> bool:
    """Whether no row can have this id; a slot for ids is not one itself."""
    return isinstance(number, int) and not 0 <= number <= LARGEST_ID


def within(kind: Kind, start: date, end: date) -> Q:
    """Rows of these days, both included; days are UTC."""
    lower, upper = bounds(kind, start, end)
    return Q(**{f"{kind.date}__gte": lower, f"{kind.date}__lt": upper})


def bounds(kind: Kind, start: date, end: date) -> tuple[Any, Any]:
    """The first moment of the first day and the first one after the last day."""
    after = end + timedelta(days=1) if end < date.max else end
    if kind.model._meta.get_field(kind.date).get_internal_type() == "DateField":
        return start, after
    return midnight(start), midnight(after)


def midnight(day: date) -> datetime:
    """The beginning of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def patterns(contains: str) -> list[str]:
    """The patterns of a comma list, each once, blanks dropped; raises Invalid where they are too many."""
    words = list(dict.fromkeys(word for part in contains.split(",") if (word := part.strip())))
    if len(words) > MOST_PATTERNS:
        raise Invalid(f"contains: {len(words)} patterns are too many; at most {MOST_PATTERNS} are accepted")
    return words


def containing(attribute: str, contains: str) -> Q:
    """Rows that hold any of the patterns of a comma list literally; every row where there is none."""
    words = patterns(contains)
    return search.holding(attribute, words) if words else Q()


def flagged(flag: int) -> Q:
    """Rows whose flag has all these bits; unreviewed ones (-1) only where they are asked for."""
    if flag < 0:
        return Q(flag=-1)
    return Q(flag__gte=0) & Q(GreaterThan(F("flag").bitand(flag) + Value(1), flag))


def ordering(kind: Kind, what: Find) -> list[str]:
    """The columns to sort by: the asked one, then the id so that equal rows keep their places.

    Both in the same direction: so one index gives the rows in order, and nothing is sorted.
    """
    descending, key = what.order.startswith("-"), what.order.removeprefix("-")
    if key:
        return [("-" if descending else "") + column for column in (attribute_of(kind, key), "pk")]
    return [kind.date, "pk"] if what.dates is not None else ["pk"]


def attribute_of(kind: Kind, key: str) -> str:
    """The attribute behind a key of a row; raises Invalid for an unknown one."""
    attributes = dict(kind.columns)
    if key not in attributes:
        raise Invalid(
            f"order: no key {key!r}; accepted are {', '.join(attributes)}, with - before it for descending"
        )
    return attributes[key]
