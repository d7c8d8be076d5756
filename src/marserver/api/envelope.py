"""The one form of every answer: {"status": true, "msg": ...} or {"status": false, "msg": "what is wrong"}."""

import json
import math
from datetime import UTC, date, datetime
from typing import Any

import orjson
from django.http import HttpResponse

# `plain` writes all times alike
OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
# Those of the database are in UTC, and need it not
FROM_DATABASE = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def answer(msg: Any, **beside: Any) -> HttpResponse:
    """A good answer; `beside` are its members beside `msg`."""
    return reply({"status": True, "msg": msg, **beside})


def refusal(status: int, msg: str) -> HttpResponse:
    """An error with its HTTP status and a sentence."""
    response = reply({"status": False, "msg": msg}, status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    # Answered with a reason: nothing for Django's log of broken requests
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def reply(content: dict[str, Any], status: int = 200) -> HttpResponse:
    """Any JSON object as a response."""
    return HttpResponse(encoded(content), status=status, content_type="application/json")


def encode(value: Any) -> str:
    """JSON text: times in UTC with Z, NaN and infinity as null."""
    return encoded(value).decode()


def encoded(value: Any, option: int = OPTIONS) -> bytes:
    """The same as bytes; `option` is orjson's."""
    try:
        return orjson.dumps(value, default=plain, option=option)
    except TypeError:  # numbers of more than 64 bits, keys that are no text, halves of surrogate pairs
        return json.dumps(without_nan(value), default=plain, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """What json does not know by itself."""
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def without_nan(value: Any) -> Any:
    """The same value with null in the place of numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return value
