"""A limit on what is read of a request: Django itself would first keep all of it on disk."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from marserver.api.envelope import encode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

MOST_BYTES = 1024 * 1024
MOST_DRAINED = 32 * 1024 * 1024
DRAIN_S = 10.0
SENTENCE = "the body is too large; no request needs more than 1 MB"


class LimitedBody:
    """Answers 413 to requests that announce or send more than a limit."""

    def __init__(self, app: App, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await read(receive, self.most) if announced(scope) <= self.most else None
        if body is None:
            await drain(receive)
            await refuse(send)
            return
        await self.app(scope, replay(body, receive), send)


def announced(scope: Message) -> int:
    """What Content-Length says; 0 where it says nothing or no number."""
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() else 0


async def read(receive: Receive, most: int) -> list[Message] | None:
    """All parts of the body as they came, None where there are too many bytes."""
    parts, size = [], 0
    while True:
        part = await receive()
        parts.append(part)
        size += len(part.get("body", b""))
        if size > most:
            return None
        if not part.get("more_body", False):
            return parts


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


def replay(parts: list[Message], receive: Receive) -> Receive:
    """The parts once more, then whatever comes after them."""
    waiting = iter(parts)

    async def again() -> Message:
        for part in waiting:
            return part
        return await receive()

    return again


async def refuse(send: Send) -> None:
    """413 in the envelope; the connection ends with it."""
    content = encode({"status": False, "msg": SENTENCE}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": content})
