"""The board: fields by bands, how far each is; and what is done with the cells that are selected."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from marserver.accounts.models import Role
from marserver.archive.cells import Cell
from marserver.archive.fields import all_fields
from marserver.web.board_asked import KNOWN, ORDERS, SHOWS, Asked, Page, chosen, page_of_rows
from marserver.web.board_cells import MARKS, STEPS, UNITS, Drawing, scale_of
from marserver.web.lists import bands as bands_here
from marserver.web.lists import flag_names
from marserver.web.pages import is_part, page, show


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
        "names": flag_names(),
    }
    content |= table(asked, found, bands, content["names"])
    content |= {"all_bands": bands, "states": MARKS.items(), "orders": ORDERS, "shows": SHOWS.items()}
    content["may_change"] = request.user.may(Role.OPERATOR)  # type: ignore[union-attr]
    return show(request, "board", f"web/board/{'cells' if is_part(request) else 'page'}.html", **content)


def table(asked: Asked, found: Page, bands: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    """The rows of the table, and the scale of its colours."""
    bands = (asked.band,) if asked.band else bands
    scale = scale_of(asked.show, [cell for _, cells in found.rows for cell in cells if cell.band in bands])
    draw = Drawing(asked.show, scale, names)
    rows = [
        (one.name, [draw(one.name, cell) for cell in cells if cell.band in bands], coadded(cells))
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


def coadded(cells: list[Cell]) -> int:
    """How many bands of a field have their tile."""
    return sum(cell.state in KNOWN for cell in cells)
