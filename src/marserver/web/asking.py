"""What the address of a list asks for: filters, order and page, as a page shows them again."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Exact
from django.http import HttpRequest
from django.utils.http import urlencode

from marserver.archive.kinds import named
from marserver.archive.queries import Find, find, patterns
from marserver.archive.rows import Nesting, Row, stream
from marserver.archive.search import LENGTH
from marserver.errors import Invalid, Refused

AT_ONCE = 60
MOST_PAGES = 300  # the rows of the pages before are read each time
Orders = tuple[tuple[str, str], ...]  # what a list may be ordered by: a key of the row, in words
COLUMNS = {"field": "field", "band": "band", "flag": "flag", "file_type": "file_type", "error": "failed_step"}
FILTERS = ("contains", "start", "end", "field", "band", "file_type", "valid", "error", "flag", "order")


@dataclass
class Asked:
    """A list as it was asked for."""

    given: dict[str, str]
    page: int
    rows: list[Row] = field(default_factory=list)
    more: bool = False
    problem: str = ""  #: what was wrong with the filters, in a sentence

    def address(self, page: int) -> str:
        """The query of another page of the same list."""
        return urlencode({**self.given, "page": str(page)})

    @property
    def before(self) -> str:
        """The query of the page before."""
        return self.address(self.page - 1) if self.page > 1 else ""

    @property
    def after(self) -> str:
        """The query of the next page."""
        return self.address(self.page + 1) if self.more and self.page < MOST_PAGES else ""

    @property
    def ends_here(self) -> bool:
        """Whether there are more rows than a list shows."""
        return self.more and self.page >= MOST_PAGES


def listed(request: HttpRequest, kind: str, orders: Orders, order: str = "-id") -> Asked:
    """The rows of a kind that the address asks for, in one of these orders; `order` where it names none."""
    given = {name: value.strip() for name in FILTERS if (value := request.GET.get(name, "").strip())}
    asked = Asked(given, page_of(request.GET.get("page", "")))
    try:
        check(kind, given, [order, *dict(orders)])
        found = find(kind, wanted(given, order))
    except (Refused, ValueError) as error:
        asked.problem = str(error)
        return asked
    if "file_type" in given:
        found = found.filter(of_type(given))
    first = (asked.page - 1) * AT_ONCE
    rows = list(stream(kind, found[first : first + AT_ONCE + 1], Nesting.NONE, few=True))
    asked.rows, asked.more = rows[:AT_ONCE], len(rows) > AT_ONCE
    return asked


def check(kind: str, given: dict[str, str], orders: list[str]) -> None:
    """Raises Invalid for filters and orders that a list of this kind has not, and for names too short."""
    columns = {attribute for _, attribute in named(kind).columns}
    unknown = [name for name, column in COLUMNS.items() if name in given and column not in columns]
    if "contains" in given and not named(kind).contains:
        unknown.append("name")
    if unknown:
        raise Invalid(f"this list has no {' and no '.join(unknown)}")
    if given.get("order", orders[0]) not in orders:
        raise Invalid(f"this list is ordered by one of {', '.join(orders)}")
    if kind == "individualfile" and too_short(given):
        raise Invalid(f"a part of a name has at least {LENGTH} characters, unless a field or days are given")


def of_type(given: dict[str, str]) -> Q:
    """Frames of a type: by the index of type, band and date where it gives them in the order of the list.

    Else by any other index: SQLite would read all of the type, which is half of the archive, to sort them.
    """
    file_type = given["file_type"]
    if "band" in given and "error" not in given and given.get("valid") != "0":
        return Q(file_type=file_type)
    return Q(Exact(Concat(F("file_type"), Value("")), Value(file_type)))


def too_short(given: dict[str, str]) -> bool:
    """Whether all names of the archive would have to be read: the index knows no part so short."""
    narrowed = "field" in given or "start" in given or "end" in given
    return not narrowed and any(len(word) < LENGTH for word in patterns(given.get("contains", "")))


def wanted(given: dict[str, str], order: str) -> Find:
    """The filters of an address. Raises ValueError in a sentence."""
    return Find(
        dates=dates_of(given.get("start", ""), given.get("end", "")),
        field=given.get("field", ""),
        band=given.get("band", ""),
        contains=given.get("contains", ""),
        flag=whole(given["flag"], "flag") if "flag" in given else None,
        valid=given.get("valid") != "0",
        error="error" in given,
        order=given.get("order", order),
    )


def dates_of(start: str, end: str) -> tuple[date, date] | None:
    """A range of days; one day alone is a range of itself."""
    if not start and not end:
        return None
    try:
        days = date.fromisoformat(start or end), date.fromisoformat(end or start)
    except ValueError:
        raise ValueError("dates are written as 2024-03-01") from None
    if days[0] > days[1]:
        raise ValueError("the first day is after the last one")
    return days


def whole(text: str, name: str) -> int:
    """A whole number of an address."""
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number") from None
    if not -1 <= number < 1024:
        raise ValueError(f"{name} must be from -1 to 1023")
    return number


def page_of(text: str) -> int:
    """The number of a page, 1 where it is none."""
    return min(max(int(text), 1), MOST_PAGES) if text.isascii() and text.isdigit() else 1


def one(kind: str, row_id: int) -> Row | None:
    """A row with all that hangs below it, valid or not."""
    for valid in (True, False):
        for row in stream(kind, find(kind, Find(id=row_id, valid=valid)), Nesting.ALL):
            return row
    return None


def plain_rows(kind: str, found: Any) -> list[Row]:
    """Rows of a query, without what hangs below them."""
    return list(stream(kind, found, Nesting.NONE, few=True))
