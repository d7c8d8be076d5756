"""Responses on their way to the client: whole ones at once, long ones in pieces until the client is gone."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from marserver.threads import anywhere, within

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

leaving = threading.Event()  # set when the server ends: nobody is to wait for those who follow


def head(response: HttpResponseBase) -> Message:
    """Status and headers as ASGI has them."""
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", one.OutputString().encode("ascii")) for one in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers + cookies}


async def send_whole(response: HttpResponse, send: Send) -> None:
    """Send a response that is in memory."""
    if response.status_code not in (204, 304) and not response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))
    await send(head(response))
    await send({"type": "http.response.body", "body": response.content})


async def send_stream(
    response: StreamingHttpResponse, pieces: AsyncIterator[bytes], receive: Receive, send: Send
) -> None:
    """Send piece after piece, no longer than there is somebody to read them."""
    gone = asyncio.ensure_future(receive())  # nothing more comes but the end of the connection
    try:
        await send(head(response))
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if gone.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def made_in(thread: ThreadPoolExecutor, response: StreamingHttpResponse) -> AsyncIterator[bytes]:
    """The pieces of a response, all made in the thread that holds its connection to the database."""
    pieces = iter(response)
    while piece := await within(thread, lambda: next(pieces, b"")):
        yield piece


async def followed(response: StreamingHttpResponse) -> AsyncIterator[bytes]:
    """The pieces of a response that looks for news now and then, each made in any thread.

    A piece may be empty: then there is nothing new, and it is seen whether the client still is there.
    """
    pieces = iter(response)
    while not leaving.is_set() and (piece := await anywhere(lambda: next(pieces, None))) is not None:
        yield piece
        await asyncio.sleep(response.every_s)  # type: ignore[attr-defined]
