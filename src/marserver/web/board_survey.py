"""The whole survey above the board: figures, tiles over time, the sky; asked for when the board is drawn."""

from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from django.http import HttpRequest, HttpResponse

from marserver.archive.fields import all_fields, tiles_by_day
from marserver.reduction import requests
from marserver.web.board_sky import HEIGHT, WIDTH, WORDS, sky
from marserver.web.lists import bands as bands_here
from marserver.web.pages import page, show


@page
def survey(request: HttpRequest) -> HttpResponse:
    """GET /board/survey: a part of the board."""
    bands = bands_here()
    numbers, progress = requests.get_operation()
    fields = all_fields(bands)
    content: dict[str, Any] = {
        "tiles": numbers["Final Tiles Count"],
        "with_tiles": numbers["Fields With Coaddeds"],
        "complete": numbers["Field with 12 filters"],
        "frames_done": numbers["Done Processed Images"],
        "frames": progress["raw"]["types"].get("SCI", 0),
        "fields": len(fields),
        "bands": len(bands),
        "curve": curve(),
        "sky": sky(fields, len(bands)),
        "width": WIDTH,
        "height": HEIGHT,
        "words": [(state, about) for state, about in WORDS.items()],
    }
    return show(request, "board", "web/board/survey.html", **content)


def curve() -> list[tuple[float, int]]:
    """Seconds since 1970 and tiles so far, by the night in which their first frame was taken."""
    days = tiles_by_day()
    sums = accumulate(count for _, count in days)
    return [
        (datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp(), sum_)
        for (day, _), sum_ in zip(days, sums, strict=True)
    ]
