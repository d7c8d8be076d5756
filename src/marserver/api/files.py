"""Files as HTTP has them: ranges, validators, one block in memory at a time."""

import mimetypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date, parse_etags

from marserver.api.envelope import refusal
from marserver.api.streams import streamed

BLOCK = 256 * 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
TYPES = {".fits": "image/fits", ".fz": "image/fits", ".log": "text/plain; charset=utf-8"}
# What a browser may show by itself; the rest is offered as a file, so that nothing in it runs in our origin
SHOWN = ("image/png", "image/jpeg", "image/webp", "text/plain")


class NotSatisfiable(Exception):
    """The range lies beyond the file."""


@dataclass(frozen=True)
class Part:
    """Bytes of a file, from start to stop, stop excluded."""

    start: int
    stop: int
    size: int  # of the whole file

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.stop - self.start


class Blocks:
    """The bytes of a part of a file, block after block; closes the file."""

    def __init__(self, file: BinaryIO, part: Part) -> None:
        self.file, self.left = file, part.length
        self.close = file.close
        file.seek(part.start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(min(BLOCK, self.left))
        if not block:
            raise StopIteration
        self.left -= len(block)
        return block


def serve(request: HttpRequest, path: Path) -> HttpResponseBase:
    """The file, or the part of it that was asked for. Raises OSError where it cannot be read."""
    file = path.open("rb")
    status = os.fstat(file.fileno())
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    response = body(request, file, status.st_size, etag)
    if response.status_code != 416:
        response["ETag"] = etag
        response["Last-Modified"] = http_date(status.st_mtime)
        response["Cache-Control"] = "private, no-cache"
    if response.status_code in (200, 206):
        describe(response, request, path)
    return response


def body(request: HttpRequest, file: BinaryIO, size: int, etag: str) -> HttpResponseBase:
    """304, 416, 206 or 200, as the request's headers ask."""
    if unchanged(request, etag):
        file.close()
        return HttpResponse(status=304)
    try:
        asked = asked_part(request, size, etag)
    except NotSatisfiable:
        file.close()
        response = refusal(416, f"the range lies beyond the {size} bytes of the file")
        response["Content-Range"] = f"bytes */{size}"
        return response
    return sent(request, file, asked or Part(0, size, size), partial=asked is not None)


def sent(request: HttpRequest, file: BinaryIO, part: Part, partial: bool) -> HttpResponseBase:
    """The bytes of a part; none of them for HEAD."""
    response: HttpResponseBase
    if request.method == "HEAD":
        file.close()
        response = HttpResponse()
    else:
        response = streamed(request, Blocks(file, part), "")
    if partial:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{part.size}"
    response["Content-Length"] = str(part.length)
    return response


def unchanged(request: HttpRequest, etag: str) -> bool:
    """Whether the client already has these bytes."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in [tag.removeprefix("W/") for tag in known]


def asked_part(request: HttpRequest, size: int, etag: str) -> Part | None:
    """The one range asked for; None for the whole file. Raises NotSatisfiable.

    Several ranges at once, and those of another version of the file, get the whole file.
    """
    found = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if first == "":
        return suffix(int(last), size) if last else None
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise NotSatisfiable
    return Part(start, min(int(last) + 1, size) if last else size, size)


def suffix(length: int, size: int) -> Part:
    """The last bytes of a file."""
    if length == 0 or size == 0:
        raise NotSatisfiable
    return Part(max(size - length, 0), size, size)


def describe(response: HttpResponseBase, request: HttpRequest, path: Path) -> None:
    """What it is, and whether a browser shows or keeps it."""
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    keep = request.GET.get("download") == "1" or kind.partition(";")[0] not in SHOWN
    response["Content-Type"] = kind
    response["Content-Disposition"] = content_disposition_header(keep, path.name) or "inline"
    response["Accept-Ranges"] = "bytes"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
