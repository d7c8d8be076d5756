"""The board: fields by bands, how far each is; and what is done with the cells that are selected."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from marserver.accounts.models import Role
from marserver.archive.cells import Cell, State
from marserver.archive.fields import all_fields
from marserver.web.board_asked import ORDERS, SHOWS, Asked, Page, chosen, page_of_rows
from marserver.web.lists import bands as bands_here
from marserver.web.lists import flag_names
from marserver.web.pages import is_part, page, show
from marserver.web.templatetags.words import flag_words

STEPS = 7  # of the scale of depth and FWHM
MARKS = {
    State.NOTHING: ("·", "no frame"),
    State.RAW: ("r", "raw frames wait"),
    State.PROCESSED: ("p", "processed, no tile yet"),
    State.TILE: ("T", "tile"),
    State.FLAGGED: ("F", "tile with a flag"),
    State.FAILED: ("×", "failed"),
}
UNITS = {"depth": "mag", "fwhm": "arcsec"}


class Shown(NamedTuple):
    """A cell as the page shows it."""

    band: str
    kind: str  #: its state, or a step of the scale
    text: str
    words: str  #: what a pointer, or a voice, says
    tile: int | None
    flag: int | None


class Scale(NamedTuple):
    """The colours of a figure: STEPS of them from the least to the greatest value of the page."""

    least: float
    greatest: float

    def step(self, value: float) -> int:
        """The colour of a value."""
        width = self.greatest - self.least
        return min(int((value - self.least) / width * STEPS), STEPS - 1) if width > 0 else STEPS // 2


@page
def board(request: HttpRequest) -> HttpResponse:
    """GET /?field=&band=&state=&incomplete=1&order=&show=depth&page=2; its script asks for cells again."""
    bands = bands_here()
    asked = Asked.of(request.GET, bands)
    fields = all_fields(bands)
    found = page_of_rows(asked, chosen(asked, fields, len(bands)), bands)
    content: dict[str, Any] = {
        "asked": asked,
        "found": found,
        "fields": len(fields),
        **table(asked, found, bands),
    }
    content |= {"all_bands": bands, "states": MARKS.items(), "orders": ORDERS, "shows": SHOWS.items()}
    content["names"] = flag_names()
    content["may_change"] = request.user.may(Role.OPERATOR)  # type: ignore[union-attr]
    return show(request, "board", f"web/board/{'cells' if is_part(request) else 'page'}.html", **content)


def table(asked: Asked, found: Page, bands: tuple[str, ...]) -> dict[str, Any]:
    """The rows of the table, and the scale of its colours."""
    bands = (asked.band,) if asked.band else bands
    names = flag_names()
    scale = scale_of(asked.show, [cell for _, cells in found.rows for cell in cells if cell.band in bands])
    rows = [
        (one, [shown(one.name, cell, asked.show, scale, names) for cell in cells if cell.band in bands])
        for one, cells in found.rows
    ]
    return {
        "rows": rows,
        "bands": bands,
        "scale": scale,
        "unit": UNITS.get(asked.show, ""),
        "steps": range(STEPS),
        "before": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "after": asked.address(page=asked.page + 1) if found.more else "",
        "count": found.count,
    }


def scale_of(figure: str, cells: list[Cell]) -> Scale | None:
    """The scale of depth or FWHM; None for states, and where no tile has the figure."""
    values = [value for cell in cells if (value := cell.tile.get(figure)) is not None]
    return Scale(min(values), max(values)) if values else None


def shown(field: str, cell: Cell, figure: str, scale: Scale | None, names: list[str]) -> Shown:
    """A cell in the words of the page."""
    tile = cell.tile
    mark, about = MARKS[cell.state]
    value = tile.get(figure)
    kind, text = cell.state.value, mark
    if figure != "state":
        kind, text = (
            ("none", mark) if value is None or scale is None else (f"step{scale.step(value)}", f"{value:.2f}")
        )
    words = [f"{field} {cell.band}: {about}"]
    if tile:
        words += (
            [f"flag: {flag_words(tile['flag'], names)}"] if cell.state in (State.TILE, State.FLAGGED) else []
        )
        words += [f"{name} {tile[name]:.2f} {unit}" for name, unit in UNITS.items() if tile[name] is not None]
        words += [tile["comments"]] if tile["comments"] else []
    words.append(f"{cell.raw} frame{'s' if cell.raw != 1 else ''}, {cell.ready} ready, {cell.failed} failed")
    return Shown(cell.band, kind, text, "; ".join(words), tile.get("id"), tile.get("flag"))
