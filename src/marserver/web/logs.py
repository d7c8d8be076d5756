"""The log: live, or of one operation; by level and by text."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from marserver.jobs.models import Level
from marserver.reduction import requests
from marserver.web.pages import page, show
from marserver.web.work import known

MOST_LINES = 500


@page
def logs(request: HttpRequest) -> HttpResponse:
    """GET /logs?operation=7&level=WARN&text=cosmic: the newest lines, oldest first, then what is written."""
    operation, level = request.GET.get("operation", ""), request.GET.get("level", "")
    text = request.GET.get("text", "")
    job = known(int(operation)) if operation.isascii() and operation.isdigit() else None
    level = level if level in Level.values else ""
    lines = requests.get_logs(job.pk if job else None, level=level, limit=MOST_LINES, text=text)["main"]
    asked = {"operation": job.pk if job else "", "level": level}
    content: dict[str, Any] = {
        "job": job,
        "level": level,
        "text": text,
        "levels": Level.values,
        "lines": lines[::-1],
        "follow": urlencode({name: value for name, value in asked.items() if value}),
    }
    return show(request, "logs", "web/logs/page.html", **content)
