"""What the address of the board asks for, and the fields that answer it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode

from marserver.archive.cells import Cell, State, cells_of
from marserver.archive.fields import Field
from marserver.web.asking import page_of

AT_ONCE = 100
MOST_LOOKED_AT = 1500  # fields whose cells are read for one page, where only cells can decide
KNOWN = (State.TILE, State.FLAGGED)  # states that are known of whole fields
SHOWS = {"state": "State", "depth": "Depth", "fwhm": "FWHM"}
ORDERS: dict[str, tuple[str, Callable[[Field], Any], bool]] = {
    "field": ("Name", lambda one: one.name, False),
    "ra": ("Right ascension", lambda one: (one.ra is None, one.ra or 0.0, one.name), False),
    "-bands": ("Most bands first", lambda one: one.tiles, True),
    "bands": ("Fewest bands first", lambda one: one.tiles, False),
    "-newest": ("Newest tile first", lambda one: one.newest, True),
}
Row = tuple[Field, list[Cell]]


@dataclass(frozen=True)
class Asked:
    """The address of a board."""

    field: str = ""  #: a part of the name, capitals or not
    band: str = ""
    state: str = ""
    incomplete: bool = False
    order: str = "field"
    show: str = "state"
    page: int = 1

    @classmethod
    def of(cls, given: QueryDict, bands: tuple[str, ...]) -> "Asked":
        """Words that are unknown count as not given."""

        def one_of(name: str, known: Any, usual: str = "") -> str:
            return word if (word := given.get(name, "")) in known else usual

        return cls(
            field=given.get("field", "").strip(),
            band=one_of("band", bands),
            state=one_of("state", [state.value for state in State]),
            incomplete=bool(given.get("incomplete")),
            order=one_of("order", ORDERS, "field"),
            show=one_of("show", SHOWS, "state"),
            page=page_of(given.get("page", "")),
        )

    def address(self, **other: Any) -> str:
        """The query of this board, or of another one like it; usual values are left out."""
        words = {**vars(self), "page": 1, **other}
        usual = vars(Asked())
        return urlencode(
            {key: 1 if value is True else value for key, value in words.items() if value != usual[key]}
        )

    @property
    def filtered(self) -> bool:
        """Whether not all fields are asked for."""
        return bool(self.field or self.state or self.incomplete)


def chosen(asked: Asked, fields: list[Field], bands: int) -> list[Field]:
    """The fields that may answer, in order: by what is known of whole fields."""
    words = asked.field.lower()
    found = [one for one in fields if words in one.name.lower() and may_hold(asked.state, one, bands)]
    if asked.incomplete:
        found = [one for one in found if one.tiles < bands]
    _, key, down = ORDERS[asked.order]
    return sorted(found, key=key, reverse=down) if asked.order != "field" else found


def may_hold(state: str, one: Field, bands: int) -> bool:
    """Whether a field may have a cell of a state."""
    match state:
        case "":
            return True
        case State.FLAGGED:
            return one.flagged > 0
        case State.TILE:
            return one.tiles > one.flagged
        case State.FAILED:
            return one.failed and one.tiles < bands
    return one.tiles < bands


@dataclass(frozen=True)
class Page:
    """The rows of a page."""

    rows: list[Row]
    more: bool
    given_up: bool = False  #: more fields may match than were looked at
    count: int | None = None  #: of all fields that match, where it is known


def page_of_rows(asked: Asked, candidates: list[Field], bands: tuple[str, ...]) -> Page:
    """The asked page. For a state that only cells tell, they are read until the page is full."""
    first, last = (asked.page - 1) * AT_ONCE, asked.page * AT_ONCE
    if not asked.state or (asked.state in KNOWN and not asked.band):
        some = candidates[first:last]
        cells = cells_of((one.name for one in some), bands)
        return Page([(one, cells[one.name]) for one in some], len(candidates) > last, count=len(candidates))
    rows: list[Row] = []
    for row in walk(asked, candidates[:MOST_LOOKED_AT], bands):
        rows.append(row)
        if len(rows) > last:
            return Page(rows[first:last], True)
    return Page(rows[first:last], False, given_up=len(candidates) > MOST_LOOKED_AT)


def walk(asked: Asked, candidates: list[Field], bands: tuple[str, ...]) -> Iterator[Row]:
    """The fields that have a cell of the asked state (in the asked band), read some at a time."""
    for begin in range(0, len(candidates), AT_ONCE):
        some = candidates[begin : begin + AT_ONCE]
        cells = cells_of((one.name for one in some), bands)
        for one in some:
            if any(cell.state == asked.state and asked.band in ("", cell.band) for cell in cells[one.name]):
                yield one, cells[one.name]
