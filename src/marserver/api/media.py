"""GET /media/<path>: the files below the data root that anybody who may log in may read."""

from pathlib import Path, PurePosixPath

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from marserver.accounts.models import User
from marserver.accounts.tokens import find_media_user
from marserver.api.auth import MEDIA_COOKIE
from marserver.api.envelope import refusal
from marserver.api.files import serve
from marserver.api.guard import user_of

HIDDEN = {"CONFIG", "TMP"}
NOT_FOUND = "no such file below the data root"
NO_USER = "log in first: send the token as Authorization: Bearer <token>, or the cookie that auth/login sets"


@csrf_exempt
@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file, 401 without a login, 404 for everything that is no file to be read here."""
    if reader_of(request) is None:
        return refusal(401, NO_USER)
    file = readable(path)
    if file is None:
        return refusal(404, NOT_FOUND)
    try:
        return serve(request, file)
    except OSError:
        return refusal(404, NOT_FOUND)


def reader_of(request: HttpRequest) -> User | None:
    """Who reads: by header, session, or the cookie that serves for reading only."""
    if "Authorization" in request.headers or request.user.is_authenticated:
        return user_of(request)
    return find_media_user(request.COOKIES[MEDIA_COOKIE]) if MEDIA_COOKIE in request.COOKIES else None


def readable(path: str) -> Path | None:
    """The file that a path below the root means; None for what is hidden, outside or no file."""
    parts = PurePosixPath(path).parts
    if "\x00" in path or ".." in parts or not parts or any(part.startswith(".") for part in parts):
        return None
    root = Path(settings.MAR_ROOT).resolve()
    try:
        file = root.joinpath(*parts).resolve(strict=True)
        return file if file.is_file() and is_open(file, root) else None
    except (OSError, RuntimeError):  # too long, a loop of links, not there
        return None


def is_open(file: Path, root: Path) -> bool:
    """Whether a file, its links followed, lies below the root and is neither configuration nor database."""
    if not file.is_relative_to(root):
        return False
    inside = file.relative_to(root)
    return inside.parts[0] not in HIDDEN and not is_database(file)


def is_database(file: Path) -> bool:
    """Whether it is the SQLite database or one of the files beside it."""
    name = Path(str(settings.DATABASES["default"]["NAME"])).name
    return file.name.startswith((name, "mar.sqlite3")) if name else False
