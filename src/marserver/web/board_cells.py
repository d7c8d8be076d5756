"""The cells of the board as the page draws them: a mark or a figure, a colour, and in words what it means.

A page has more than a thousand of them: they are written here, which takes a tenth of what a template would.
"""

from html import escape
from typing import NamedTuple

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from marserver.archive.cells import Cell, State
from marserver.web.templatetags.words import flag_words

STEPS = 7  # of the scale of depth and FWHM
UNITS = {"depth": "mag", "fwhm": "arcsec"}
MARKS = {
    State.NOTHING: ("·", "no frame"),
    State.RAW: ("r", "raw frames wait"),
    State.PROCESSED: ("p", "processed, no tile yet"),
    State.TILE: ("T", "tile"),
    State.FLAGGED: ("F", "tile with a flag"),
    State.FAILED: ("×", "failed"),
}


class Scale(NamedTuple):
    """The colours of a figure: STEPS of them from the least to the greatest value of the page."""

    least: float
    greatest: float

    def step(self, value: float) -> int:
        """The colour of a value."""
        width = self.greatest - self.least
        return min(int((value - self.least) / width * STEPS), STEPS - 1) if width > 0 else STEPS // 2


def scale_of(figure: str, cells: list[Cell]) -> Scale | None:
    """The scale of depth or FWHM; None for states, and where no tile has the figure."""
    values = [value for cell in cells if (value := cell.tile.get(figure)) is not None]
    return Scale(min(values), max(values)) if figure in UNITS and values else None


class Drawing:
    """Draws the cells of a page."""

    def __init__(self, figure: str, scale: Scale | None, flag_names: list[str]) -> None:
        self.figure, self.scale, self.flag_names = figure, scale, flag_names
        self.tile_page = reverse("tile", args=[0]).removesuffix("0")
        self.frames_page = reverse("frames")

    def __call__(self, field: str, cell: Cell) -> SafeString:
        """One cell: a link to its tile, or to its frames where there is none."""
        tile, band = cell.tile.get("id", ""), escape(cell.band)
        page = f"{self.tile_page}{tile}" if tile else f"{self.frames_page}?{self.frames_of(field, cell.band)}"
        kind, text = self.look(cell)
        words = escape(f"{field} {cell.band}: {self.words(cell)}")
        about = f'data-band="{band}" data-tile="{tile}" href="{page}" aria-label="{words}"'
        return mark_safe(f'<a class="cell {kind}" {about}>{text}</a>')

    def frames_of(self, field: str, band: str) -> str:
        """The query of the frames of a cell, as it stands in HTML."""
        return escape(urlencode({"field": field, "band": band}))

    def look(self, cell: Cell) -> tuple[str, str]:
        """Its style, and what stands in it."""
        mark = MARKS[cell.state][0]
        if self.figure == "state":
            return cell.state.value, mark
        value = cell.tile.get(self.figure)
        if value is None or self.scale is None:
            return "none", mark
        return f"step{self.scale.step(value)}", f"{value:.2f}"

    def words(self, cell: Cell) -> str:
        """What a pointer tells, or a voice."""
        parts, tile = [MARKS[cell.state][1]], cell.tile
        if tile:
            parts.append(flag_words(tile["flag"], self.flag_names))
            parts += [
                f"{name} {tile[name]:.2f} {unit}" for name, unit in UNITS.items() if tile[name] is not None
            ]
        if cell.failed:
            parts.append(f"{cell.failed} frames failed")
        parts.append(f"{cell.ready} of {cell.raw} frames ready")
        return "; ".join([*parts, tile["comments"]] if tile and tile["comments"] else parts)
