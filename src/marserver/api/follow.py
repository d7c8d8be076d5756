"""GET follow_logs: the log as server-sent events, for as long as somebody reads it."""

import threading
import time
from typing import Any

from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from pydantic import Field

from marserver.accounts.models import Role, User
from marserver.api.bodies import Body
from marserver.api.envelope import encode, refusal
from marserver.api.fields import LogLevel, Moment, Whole
from marserver.api.guard import Asked, BearerToken, require
from marserver.api.media import NO_USER, reader_of
from marserver.api.schemas import REFUSALS
from marserver.api.streams import followed
from marserver.errors import Invalid, Refused
from marserver.reduction.requests.following import Tail

MOST_FOLLOWERS = 32  # of one server
LOOK_EVERY_S = 0.5
BEAT_EVERY_S = 15.0
LONGEST_S = 3600.0
RETRY_S = 10
LARGEST_NUMBER = 2**63 - 1
FULL = f"{MOST_FOLLOWERS} others follow the log of this server; try again later"


class Follow(Body):
    """Which lines are followed."""

    operation: Whole | None = Field(
        None, description="lines of this operation, from its first one to its end"
    )
    since: Moment | None = Field(None, description="lines from this time on (ISO 8601; UTC unless it says)")
    level: LogLevel = Field("", description="lines of this level only")


class Seats:
    """A limited number of places."""

    def __init__(self, number: int) -> None:
        self.free = number
        self.lock = threading.Lock()

    def take(self) -> bool:
        """Take a place; False where all are taken."""
        with self.lock:
            if self.free == 0:
                return False
            self.free -= 1
            return True

    def give_back(self) -> None:
        """Leave a place to another one."""
        with self.lock:
            self.free += 1


seats = Seats(MOST_FOLLOWERS)


class Events:
    """The log as pieces of an event stream; a piece is empty where there is nothing new."""

    def __init__(self, request: HttpRequest, tail: Tail) -> None:
        self.request, self.tail = request, tail
        self.begun = self.beaten = time.monotonic()
        self.first = True
        self.closed = False

    def __iter__(self) -> "Events":
        return self

    def __next__(self) -> bytes:
        close_old_connections()  # this thread may have waited long for us
        moment = time.monotonic()
        if self.tail.over or moment - self.begun > LONGEST_S:
            raise StopIteration
        text = self.beat(moment) + "".join(event(*line) for line in self.tail.news())
        if self.tail.over:
            text += end_of(self.tail)
        return text.encode()

    def beat(self, moment: float) -> str:
        """A comment at the beginning and now and then, as long as the login is still good."""
        if self.first:
            self.first = False
            return ": following\n\n"
        if moment - self.beaten < BEAT_EVERY_S:
            return ""
        if not still_reads(self.request):
            raise StopIteration
        self.beaten = moment
        return ": still here\n\n"

    def close(self) -> None:
        """Leave the place to another one."""
        if not self.closed:
            self.closed = True
            seats.give_back()


def event(number: int | None, text: str) -> str:
    """One line of the log."""
    return f"id: {number}\ndata: {text}\n\n" if number is not None else f"data: {text}\n\n"


def end_of(tail: Tail) -> str:
    """The last event: what became of the operation."""
    job = tail.job
    if job is None:
        return ""
    told = {"operation": job.pk, "status": job.status, "outcome": job.outcome, "error": job.error}
    return f"event: end\ndata: {encode(told)}\n\n"


def still_reads(request: HttpRequest) -> bool:
    """Whether the login that began to follow has not ended since; asked of the database."""
    request.session = type(request.session)(request.session.session_key)
    request.user = get_user(request)
    return reader_of(request) is not None


def follow(request: HttpRequest) -> HttpResponseBase:
    """The stream of events. Raises Invalid and NotFound."""
    given = {name: value for name, value in request.GET.items() if value}
    what = Follow.model_validate(given)
    tail = Tail(what.operation, what.since, what.level, last_seen(request))
    if not seats.take():
        response: Any = refusal(429, FULL)
        response["Retry-After"] = str(RETRY_S)
        return response
    response = followed(Events(request, tail), "text/event-stream", LOOK_EVERY_S)
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # a proxy in front sends each line at once
    return response


def last_seen(request: HttpRequest) -> int | None:
    """The number of the last line that a returning client has; raises Invalid."""
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_NUMBER:
        raise Invalid("Last-Event-ID: must be the id of an event of this stream")
    return int(text)


class Reader(BearerToken):
    """The guard of what may be read with the media cookie too."""

    def __call__(self, request: HttpRequest) -> User | None:
        return reader_of(request)


def follow_logs(request: Asked) -> HttpResponseBase:
    """The log as server-sent events.

    Each line is one event whose id is its number: a client that comes back with Last-Event-ID misses none and
    gets none twice. Without operation and since the live log is followed from now on. With an operation an
    event `end` closes the stream; without it ends after an hour. A comment comes every 15 seconds.
    """
    require(request.auth, Role.VIEWER)
    return follow(request)


@csrf_exempt
@require_GET
def media_follow(request: HttpRequest) -> HttpResponseBase:
    """The same below /media/, where browsers send their cookie: for EventSource, which knows no headers."""
    if reader_of(request) is None:
        return refusal(401, NO_USER)
    try:
        return follow(request)
    except Refused as error:
        return refusal(error.status, str(error))


STREAM = {
    "text/event-stream": {
        "schema": {"type": "string"},
        "example": "id: 7\ndata: 2024-03-01T23:50:00Z INFO text\n\n",
    }
}


def parameters() -> list[dict[str, Any]]:
    """The parameters of the address, and the header of a client that comes back."""
    schema = Follow.model_json_schema()["properties"]
    asked = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": part.get("description", ""),
            "schema": part,
        }
        for name, part in schema.items()
    ]
    number = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    again = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": number}
    return [*asked, {**again, "description": "id of the last event that the client has"}]


def join(api: NinjaAPI) -> None:
    """Put the path on the API."""
    api.get(
        "/follow_logs",
        auth=Reader(),
        tags=["get_logs"],
        operation_id="follow_logs",
        summary="The log as server-sent events",
        response={status: REFUSALS[status] for status in (400, 401, 403, 404, 405, 429)},
        openapi_extra={
            "parameters": parameters(),
            "responses": {200: {"description": "Events", "content": STREAM}},
        },
    )(follow_logs)
