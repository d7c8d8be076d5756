"""Answers that are sent while they are made, in constant memory.

Under ASGI Django gathers plain generators in memory before it sends them, so there each piece is fetched by
the request's own thread, which also holds its database connection, and sent before the next is asked for.
"""

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import chain, islice
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from marserver.api.envelope import encode

ROWS_A_PIECE = 200


class Pieces(Protocol):
    """Parts of an answer one after another, and the end of what they need."""

    def __next__(self) -> bytes: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def stream_rows(request: HttpRequest, rows: Iterator[Any]) -> StreamingHttpResponse:
    """{"status": true, "msg": [row, ...]}, sent piece by piece.

    The first rows are fetched here: what can fail does so before the first byte.
    """
    first = list(islice(rows, ROWS_A_PIECE))
    return streamed(request, pieces_of_json(chain(first, rows)), "application/json")


def pieces_of_json(rows: Iterator[Any]) -> Generator[bytes, None, None]:
    """The text of the answer, some hundreds of rows at once."""
    before = '{"status":true,"msg":['
    while batch := list(islice(rows, ROWS_A_PIECE)):
        yield (before + encode(batch)[1:-1]).encode()
        before = ","
    yield (before + "]}" if before != "," else "]}").encode()


def streamed(request: HttpRequest, pieces: Pieces, content_type: str) -> StreamingHttpResponse:
    """A response from pieces, asynchronous where the server is; they are closed when it ends."""
    content = Asynchronous(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, content_type=content_type)


class Asynchronous:
    """The same pieces, each fetched in the request's thread."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self.close = pieces.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        fetch = sync_to_async(lambda: next(self.pieces, b""))
        while piece := await fetch():
            yield piece
