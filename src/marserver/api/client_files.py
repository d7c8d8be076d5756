"""GET /client/: a browser client that was built elsewhere, served from MAR_CLIENT_DIR on our own origin."""

import base64
import hashlib
import os
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from marserver.api.envelope import refusal
from marserver.api.files import serve
from marserver.api.filetypes import type_of
from marserver.reduction.paths import inside, open_inside

INDEX = "index.html"
# a name with the hash of its content, as build tools write it: main.4f2a81cc.js, index-BX3f9_aZ.css
HASHED = re.compile(r"[.-](?=[A-Za-z0-9_-]*[0-9])([0-9a-f]{8,64}|[A-Za-z0-9_-]{8})(\.[a-z0-9]+)+$")
BUILT = ("static", "assets")  # the folders of such files: create-react-app's and Vite's
FOR_EVER = "public, max-age=31536000, immutable"
NOT_FOUND = "the client has no such file"
NO_CLIENT = "no client is served here: MAR_CLIENT_DIR is not set, or its folder is gone"
POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


@require_safe
def client(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """A file of the client; its index for its own routes, which are paths without a suffix."""
    if not settings.MAR_CLIENT_DIR:
        return refusal(404, NO_CLIENT)
    folder = Path(os.path.realpath(settings.MAR_CLIENT_DIR))
    found = None if path.startswith("/") else inside(folder, path)
    if found is None or any(part.startswith(".") for part in PurePosixPath(path).parts):
        return refusal(404, NOT_FOUND)
    answer = served(request, folder, found)
    if answer is None and not PurePosixPath(path).suffix:
        answer = served(request, folder, INDEX)
    return answer or refusal(404, NOT_FOUND)


@require_safe
def to_client(request: HttpRequest) -> HttpResponse:
    """GET /client: the slash belongs to it, or the client's relative paths would go astray."""
    if not settings.MAR_CLIENT_DIR:
        return refusal(404, NO_CLIENT)
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(f"/client/?{query}" if query else "/client/")


def served(request: HttpRequest, folder: Path, found: str) -> HttpResponseBase | None:
    """One file of the folder, None where there is none."""
    try:
        file = open_inside(folder, found)
    except OSError:
        return None
    kind = type_of(found)
    headers = {"Content-Type": kind, "Cache-Control": "no-cache"}
    if PurePosixPath(found).parts[0] in BUILT and HASHED.search(found):
        headers["Cache-Control"] = FOR_EVER
    headers["Content-Security-Policy"] = POLICY.format(scripts="")
    if kind.startswith("text/html"):
        page = file.read()
        file.seek(0)
        headers["Content-Security-Policy"] = policy(page)
    return serve(request, file, headers)


@lru_cache(maxsize=8)
def policy(page: bytes) -> str:
    """The policy of a page: its own inline scripts, as some builds have one, are named by their hashes."""
    scripts = Scripts()
    # line ends as a browser has them when it takes the hash
    scripts.feed(page.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts.inline)
    return POLICY.format(scripts="".join(f" 'sha256-{one}'" for one in hashes))


class Scripts(HTMLParser):
    """Gathers the inline scripts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A script without a source begins."""
        self.within = tag == "script" and "src" not in dict(attrs)
        if self.within:
            self.inline.append("")

    def handle_data(self, data: str) -> None:
        """Text of the page; that of a script may come in pieces."""
        if self.within:
            self.inline[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """A script ends."""
        self.within = self.within and tag != "script"
