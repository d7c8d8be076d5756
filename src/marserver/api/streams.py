"""Answers that are sent while they are made, in constant memory.

Pieces are plain iterators: the server fetches each in the request's own thread, which also holds its
connection to the database, and sends it before it asks for the next.
"""

from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import Any, Protocol

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from marserver.api.envelope import FROM_DATABASE, encoded

ROWS_A_PIECE = 500
ROWS_AT_ONCE = 25  # made into text while they are near the processor


class Pieces(Protocol):
    """Parts of an answer one after another, none of them empty, and the end of what they need."""

    def __next__(self) -> bytes: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def stream_rows(rows: Iterator[Any]) -> HttpResponseBase:
    """{"status": true, "msg": [row, ...]}, sent piece by piece, or whole where it is but one piece.

    The first rows are fetched here: what can fail does so before the first byte.
    """
    first = list(islice(rows, ROWS_A_PIECE))
    if len(first) < ROWS_A_PIECE:
        return HttpResponse(b"".join(pieces_of_json(iter(first))), content_type="application/json")
    return streamed(RowsAsJson(first, rows), "application/json")


class RowsAsJson:
    """The pieces of such an answer; closing them ends the query, in the thread that holds it."""

    def __init__(self, first: list[Any], rows: Iterator[Any]) -> None:
        self.rows = rows
        self.pieces = pieces_of_json(chain(first, rows))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self.pieces)

    def close(self) -> None:
        """End the query, also one of which nothing was sent."""
        self.pieces.close()
        if isinstance(self.rows, Generator):
            self.rows.close()


def pieces_of_json(rows: Iterator[Any]) -> Generator[bytes, None, None]:
    """The text of the answer, some hundreds of rows at once."""
    before = b'{"status":true,"msg":['
    while texts := list(islice(texts_of(rows), ROWS_A_PIECE // ROWS_AT_ONCE)):
        yield before + b",".join(texts)
        before = b","
    yield before + b"]}" if before != b"," else b"]}"


def texts_of(rows: Iterator[Any]) -> Iterator[bytes]:
    """The text of some rows after that of others, without brackets."""
    while some := list(islice(rows, ROWS_AT_ONCE)):
        yield encoded(some, FROM_DATABASE)[1:-1]


def streamed(pieces: Pieces, content_type: str) -> StreamingHttpResponse:
    """A response from pieces; they are closed when it ends, or when the client is gone."""
    return StreamingHttpResponse(pieces, content_type=content_type)


def followed(pieces: Pieces, content_type: str, every_s: float) -> StreamingHttpResponse:
    """A response that goes on as long as its pieces do, asked for one every so many seconds.

    Between two pieces it holds neither a thread nor a connection; a piece may be made in any thread.
    """
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response.every_s = every_s  # type: ignore[attr-defined]
    return response
