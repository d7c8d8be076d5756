"""The status page: what runs, what waits, what was made."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from marserver.archive.queries import Find, find
from marserver.archive.rows import Nesting, Row, stream
from marserver.reduction import requests
from marserver.web.login import LogIn

NEWEST = 50

log_in = LogIn.as_view()
log_out = LogoutView.as_view(next_page="/login")


@require_safe
@login_required(login_url="login")
def status(request: HttpRequest) -> HttpResponse:
    """GET /: the queue and the newest products."""
    sentence, operations = requests.get_process()
    page: dict[str, Any] = {
        "sentence": sentence,
        "operations": operations,
        "waiting": requests.get_queue(),
        "ended": requests.get_operations(10),
        "tiles": newest("finaltiles"),
        "images": newest("fieldimage"),
    }
    return render(request, "web/status.html", page)


def newest(kind: str) -> list[Row]:
    """The newest valid rows of a kind, without what hangs below them."""
    return list(stream(kind, find(kind, Find(limit=NEWEST, order="-id")), Nesting.NONE))
