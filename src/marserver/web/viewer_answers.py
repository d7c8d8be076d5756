"""How the viewer's script is answered: what is wrong in a sentence, and not too much work at once."""

import math
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from mar.errors import MarError
from marserver.errors import Invalid, Refused

MOST_AT_ONCE = 14  # of the requests that a server works on: the others must not wait for pictures
LARGEST = 1e7  # pixels

room = threading.BoundedSemaphore(MOST_AT_ONCE)


def answers(work: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that tells what is wrong: 404, 400, 422 for a damaged file, 503 where too much is asked."""

    @wraps(work)
    def guarded(request: HttpRequest, *args: Any, **names: Any) -> HttpResponse:
        if not room.acquire(blocking=False):
            return said(503, "many images are being read; this part comes in a moment")
        try:
            return work(request, *args, **names)
        except Refused as error:
            return said(error.status, str(error))
        except MarError as error:
            return said(422, str(error))
        finally:
            room.release()

    return guarded


def said(status: int, sentence: str) -> HttpResponse:
    """A refusal, as the API words it."""
    response = JsonResponse({"status": False, "msg": sentence}, status=status)
    if status == 503:
        response["Retry-After"] = "2"
    return response


def number(request: HttpRequest, name: str) -> float:
    """A finite number of the address; raises Invalid."""
    try:
        value = float(request.GET.get(name, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Invalid(f"{name} must be a number")
    return value


def pixel(request: HttpRequest, name: str) -> float:
    """A FITS coordinate of the address, which may lie a little outside; raises Invalid."""
    value = number(request, name)
    if abs(value) > LARGEST:
        raise Invalid(f"{name} is far outside the image")
    return value
