"""Files as HTTP has them: ranges, validators, one block in memory at a time."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from marserver.api.envelope import refusal
from marserver.api.streams import streamed

BLOCK = 256 * 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
SETTLED_S = 2  # a file changed so recently may change again without another date
SAFE_NAME = re.compile(r"[A-Za-z0-9 ()+,._=@-]+")


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


@dataclass(frozen=True)
class Version:
    """What tells one content of a file from another."""

    size: int
    etag: str
    modified_s: int

    @property
    def date(self) -> str:
        """When it was written, as HTTP says it."""
        return http_date(self.modified_s)


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


def serve(request: HttpRequest, file: BinaryIO, headers: Mapping[str, str]) -> HttpResponseBase:
    """An open file, or the part of it that was asked for; closes it. `headers` describe the file."""
    version = version_of(file)
    response = body(request, file, version)
    if response.status_code == 416:
        return response
    response["ETag"] = version.etag
    response["Last-Modified"] = version.date
    response["Accept-Ranges"] = "bytes"
    for name, value in headers.items():
        if response.status_code != 304 or not name.startswith("Content-"):
            response[name] = value
    if response.status_code == 304:
        del response["Content-Type"]
    return response


def version_of(file: BinaryIO) -> Version:
    """The version of an open file."""
    status = os.fstat(file.fileno())
    etag = f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"'
    return Version(status.st_size, etag, int(status.st_mtime))


def body(request: HttpRequest, file: BinaryIO, version: Version) -> HttpResponseBase:
    """304, 416, 206 or 200, as the request's headers ask."""
    if unchanged(request, version):
        file.close()
        return HttpResponse(status=304)
    try:
        asked = asked_part(request, version)
    except NotSatisfiable:
        file.close()
        response = refusal(416, f"the range lies beyond the {version.size} bytes of the file")
        response["Content-Range"] = f"bytes */{version.size}"
        return response
    return sent(request, file, asked or Part(0, version.size, version.size), partial=asked is not None)


def sent(request: HttpRequest, file: BinaryIO, part: Part, partial: bool) -> HttpResponseBase:
    """The bytes of a part; none of them for HEAD."""
    response: HttpResponseBase
    if request.method == "HEAD" or not part.length:
        file.close()
        response = HttpResponse()
    else:
        response = streamed(Blocks(file, part), "")
    if partial:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{part.size}"
    response["Content-Length"] = str(part.length)
    return response


def unchanged(request: HttpRequest, version: Version) -> bool:
    """Whether the client already has these bytes; dates count only where it names no version."""
    if "If-None-Match" in request.headers:
        known = parse_etags(request.headers["If-None-Match"])
        return "*" in known or version.etag in [tag.removeprefix("W/") for tag in known]
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and version.modified_s <= since


def asked_part(request: HttpRequest, version: Version) -> Part | None:
    """The one range asked for; None for the whole file. Raises NotSatisfiable.

    Several ranges at once, those of another version of the file, and those of HEAD get the whole file.
    """
    found = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or request.method != "GET" or not same_version(request, version):
        return None
    first, last = found.groups()
    if first == "":
        return suffix(int(last), version.size) if last else None
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= version.size:
        raise NotSatisfiable
    return Part(start, min(int(last) + 1, version.size) if last else version.size, version.size)


def same_version(request: HttpRequest, version: Version) -> bool:
    """Whether the range asked for is one of this version: by its mark, or by a date that is exact enough."""
    wanted = request.headers.get("If-Range", version.etag).strip()
    settled = time.time() - version.modified_s > SETTLED_S
    return wanted == version.etag or (settled and wanted == version.date)


def suffix(length: int, size: int) -> Part:
    """The last bytes of a file."""
    if length == 0 or size == 0:
        raise NotSatisfiable
    return Part(max(size - length, 0), size, size)


def disposition(keep: bool, name: str) -> str:
    """Whether a browser keeps or shows a file, and its name; no name can end the header or begin another."""
    how = "attachment" if keep else "inline"
    if SAFE_NAME.fullmatch(name):
        return f'{how}; filename="{name}"'
    return f"{how}; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
