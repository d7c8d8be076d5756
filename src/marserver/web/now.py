"""The status page: what runs, what waits, what was made."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from marserver.archive.queries import Find, find
from marserver.archive.rows import Nesting, Row, stream
from marserver.reduction import requests
from marserver.web.pages import page, show

NEWEST = 50


@page
def status(request: HttpRequest) -> HttpResponse:
    """GET /: the queue and the newest products."""
    sentence, operations = requests.get_process()
    content: dict[str, Any] = {
        "sentence": sentence,
        "operations": operations,
        "waiting": requests.get_queue(),
        "ended": requests.get_operations(10),
        "tiles": newest("finaltiles"),
        "images": newest("fieldimage"),
    }
    return show(request, "board", "web/status.html", **content)


def newest(kind: str) -> list[Row]:
    """The newest valid rows of a kind, without what hangs below them."""
    return list(stream(kind, find(kind, Find(limit=NEWEST, order="-id")), Nesting.NONE))
