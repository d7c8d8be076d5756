"""The queue: what runs, what waits, what ended and why; one operation; asking for a scan."""

import time
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.http import require_safe

from marserver.errors import Invalid, NotFound
from marserver.jobs import steering
from marserver.jobs.models import Job, Status
from marserver.reduction import requests
from marserver.reduction.browsing import browse
from marserver.reduction.requests.showing import finished, running
from marserver.web.advice import causes_of_frames, causes_of_operations
from marserver.web.pages import is_part, page, show

MOST_WAITING = 100
MOST_ENDED = 30
MOST_LINES = 200
MOST_NEWS = 3


@page
def queue(request: HttpRequest) -> HttpResponse:
    """GET /queue; its script asks again for what changes by itself."""
    template = "web/queue/now.html" if is_part(request) else "web/queue/page.html"
    return show(request, "queue", template, **now_content())


def now_content() -> dict[str, Any]:
    """What the queue is now."""
    sentence, operations = requests.get_process()
    waiting = requests.get_queue(MOST_WAITING + 1)
    return {
        "sentence": sentence,
        "operations": operations,
        "waiting": waiting[:MOST_WAITING],
        "more_wait": len(waiting) > MOST_WAITING,
        "state": requests.state(),
        "ended": requests.get_operations(MOST_ENDED),
        "causes": causes_of_operations(),
        "frame_causes": causes_of_frames(),
    }


@page
def operation(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET /operations/7: how far it is or how it ended, and its log."""
    template = "web/queue/operation_now.html" if is_part(request) else "web/queue/operation.html"
    return show(request, "queue", template, **operation_content(known(job_id)))


def operation_content(job: Job) -> dict[str, Any]:
    """One operation, with the newest lines of its log, oldest first."""
    now = running(job) if job.status == Status.DOING else None
    lines = requests.get_logs(job.pk, limit=MOST_LINES)["main"]
    return {"job": job, "running": now, "ended": finished(job), "lines": lines[::-1]}


def known(job_id: int) -> Job:
    """The operation of this id; raises Http404."""
    try:
        return steering.known(job_id)
    except NotFound as error:
        raise Http404(str(error)) from None


@page
def folders(request: HttpRequest) -> HttpResponse:
    """GET /queue/folders?path=...: what is in a folder below the data root, to choose one for a scan."""
    try:
        found = browse(request.GET.get("path", ""))
    except (Invalid, NotFound) as error:
        return show(request, "queue", "web/queue/folders.html", status=error.status, error=str(error))
    return show(request, "queue", "web/queue/folders.html", found=found)


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """GET /news?since=1709251200: its session, and the user's operations that failed, for an open page.

    Anybody is answered: that is how a page learns that its session has ended.
    """
    told: dict[str, Any] = {"session": request.user.is_authenticated, "now": int(time.time())}
    if told["session"]:
        told["token"] = get_token(request)
        told["failed"] = [in_short(job) for job in failed_since(request.GET.get("since", ""), request.user)]
    return JsonResponse(told, headers={"Cache-Control": "private, no-store"})


def failed_since(since: str, user: Any) -> list[Job]:
    """A user's newest operations that failed after a moment (seconds since 1970); none where it is none."""
    if not (since.isascii() and since.isdigit() and len(since) < 11):
        return []
    after = datetime.fromtimestamp(int(since), UTC)
    mine = Job.objects.filter(ended_at__gte=after, status=Status.FAILED, user=user.get_username())
    return list(mine.order_by("-ended_at")[:MOST_NEWS])


def in_short(job: Job) -> dict[str, str]:
    """A failed operation in a line, and its page."""
    error = (job.error or job.outcome).strip().partition("\n")[0]
    return {"title": str(job), "error": error, "page": reverse("operation", args=[job.pk])}
