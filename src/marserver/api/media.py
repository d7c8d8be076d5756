"""GET /media/<path>: the files below the data root that anybody who may log in may read."""

from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from marserver.accounts.models import User
from marserver.accounts.tokens import find_media_user
from marserver.api.auth import MEDIA_COOKIE
from marserver.api.envelope import refusal
from marserver.api.files import disposition, serve
from marserver.api.filetypes import SHOWN, TEXT, type_of
from marserver.api.guard import user_of
from marserver.reduction import site
from marserver.reduction.paths import inside, is_kept_back, open_inside

QUERIES = ("TMP", "queries")
SQLITE_BEGINS = b"SQLite format 3\0"
NOT_FOUND = "no such file below the data root"
NO_USER = "log in first: send the token as Authorization: Bearer <token>, or the cookie that auth/login sets"


@csrf_exempt
@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file, 401 without a login, 404 for everything that is no file to be read here."""
    reader = reader_of(request)
    if reader is None:
        return refusal(401, NO_USER)
    found = readable(path, reader)
    if found is None:
        return refusal(404, NOT_FOUND)
    try:
        file = open_inside(site.root(), found)
    except OSError:
        return refusal(404, NOT_FOUND)
    if holds_database(file):
        file.close()
        return refusal(404, NOT_FOUND)
    headers = described(found, PurePosixPath(path).name, keep=request.GET.get("download") == "1")
    if settings.MAR_ACCEL:
        file.close()
        return handed_over(found, headers)
    return serve(request, file, headers)


def reader_of(request: HttpRequest) -> User | None:
    """Who reads: by header, session, or the cookie that serves for reading only."""
    if "Authorization" in request.headers or request.user.is_authenticated:
        return user_of(request)
    return find_media_user(request.COOKIES[MEDIA_COOKIE]) if MEDIA_COOKIE in request.COOKIES else None


def readable(path: str, reader: User) -> str | None:
    """What a path means, links followed; None for what is outside the root or hidden from the reader."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or path.endswith("/"):
        return None
    if any(part.startswith(".") for part in parts):
        return None
    found = inside(site.root(), path)
    if found is None or (is_kept_back(found) and not is_own_result(found, reader)):
        return None
    return found


def is_own_result(found: str, reader: User) -> bool:
    """Whether a file is the result of a query of the reader's own."""
    parts = PurePosixPath(found).parts
    return parts[:-1] == (*QUERIES, str(reader.pk)) and not parts[-1].startswith(".")


def holds_database(file: BinaryIO) -> bool:
    """Whether a file is a copy of a database, whatever its name: it has the hashes of passwords."""
    begins = file.read(len(SQLITE_BEGINS))
    file.seek(0)
    return begins == SQLITE_BEGINS


def described(found: str, name: str, keep: bool) -> dict[str, str]:
    """The headers of a file: what it is, and whether a browser shows or keeps it."""
    kind = TEXT if found.startswith("LOGS/") else type_of(name)
    return {
        "Content-Type": kind,
        "Content-Disposition": disposition(keep or kind not in SHOWN, name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-cache",
    }


def handed_over(found: str, headers: dict[str, str]) -> HttpResponse:
    """A file that the web server before this one sends, with ranges and validators of its own."""
    response = HttpResponse(headers=headers)
    response["X-Accel-Redirect"] = settings.MAR_ACCEL + quote(found)
    return response
