"""Limits on what is read of a request, in size and time: Django itself would first keep all of it on disk.

Only a whole body goes on to Django, in one message: a slow client holds neither a thread nor a turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from marserver.api.envelope import encoded

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

MOST_BYTES = 1024 * 1024
BODY_S = 30.0  # for the whole body
MOST_DRAINED = 32 * 1024 * 1024
DRAIN_S = 10.0
TOO_LARGE = "the body is too large; no request needs more than 1 MB"
TOO_SLOW = "the body did not come in time; send it within {seconds:.0f} seconds"


class LimitedBody:
    """Answers 413 to requests that announce or send more than a limit, 408 to those that take too long."""

    def __init__(self, app: App, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_S):
                message = await read(receive, self.most) if announced(scope) <= self.most else None
        except TimeoutError:
            await refuse(send, 408, TOO_SLOW.format(seconds=BODY_S))
            return
        if message is None:
            await drain(receive)
            await refuse(send, 413, TOO_LARGE)
        elif message["type"] == "http.request":
            await self.app(scope, replay(message, receive), send)


def announced(scope: Message) -> int:
    """What Content-Length says; 0 where it says nothing or no number."""
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() else 0


async def read(receive: Receive, most: int) -> Message | None:
    """The whole body in one message, or that the client is gone; None where there are too many bytes."""
    parts, size = [], 0
    while True:
        part = await receive()
        if part["type"] != "http.request":
            return part
        parts.append(part.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not part.get("more_body", False):
            return {"type": "http.request", "body": b"".join(parts), "more_body": False}


async def drain(receive: Receive) -> None:
    """Read on and forget, within bounds: a client that still is sending would not see the answer."""
    left = MOST_DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while left > 0:
                part = await receive()
                left -= len(part.get("body", b""))
                if not part.get("more_body", False):
                    return


def replay(message: Message, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it."""
    waiting = [message]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def refuse(send: Send, status: int, sentence: str) -> None:
    """An error in the envelope; the connection ends with it."""
    content = encoded({"status": False, "msg": sentence})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
