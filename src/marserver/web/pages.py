"""What every page of the interface has in common: somebody who is logged in, a place in the menu."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from marserver.accounts.models import Role, User

View = Callable[..., HttpResponse]


class Place(NamedTuple):
    """An entry of the menu."""

    name: str  #: of its URL
    title: str
    role: Role = Role.VIEWER


MENU: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("Survey", (Place("board", "Board"), Place("calendar", "Calendar"), Place("quality", "Quality"))),
    (
        "Data",
        (
            Place("blocks", "Blocks"),
            Place("frames", "Frames"),
            Place("tiles", "Tiles"),
            Place("images", "Colour images"),
        ),
    ),
    ("Work", (Place("queue", "Queue"), Place("logs", "Logs"), Place("search", "Search and execute"))),
    (
        "System",
        (
            Place("query", "Query"),
            Place("configuration", "Configuration"),
            Place("changes", "Changes"),
            Place("users", "Users", Role.ADMINISTRATOR),
        ),
    ),
)


def page(view: View) -> View:
    """A page that is read: GET or HEAD, by somebody who is logged in, and never kept by a browser.

    A part of a page that its script fetches is answered 401 without a login; a whole page leads to the login.
    An address with NUL is answered 400: no database would take it.
    """

    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **names: Any) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest("no address holds the character NUL", content_type="text/plain")
        if request.user.is_authenticated:
            response = view(request, *args, **names)
            response.setdefault("Cache-Control", "private, no-store")
            return response
        if is_part(request):
            return HttpResponse("your session has ended: log in again", status=401, content_type="text/plain")
        return redirect(reverse("login") + "?" + urlencode({"next": request.get_full_path()}))

    return guarded


def is_part(request: HttpRequest) -> bool:
    """Whether a script asks for a part of a page."""
    return "HX-Request" in request.headers


def show(request: HttpRequest, place: str, template: str, status: int = 200, **content: Any) -> HttpResponse:
    """The page of this place in the menu."""
    return render(
        request, template, {"place": place, "menu": menu_of(request.user), **content}, status=status
    )


def menu_of(user: Any) -> list[tuple[str, list[Place]]]:
    """The menu, without what the user may not see."""
    may = user.may if isinstance(user, User) else (lambda role: False)
    chosen = [(title, [place for place in places if may(place.role)]) for title, places in MENU]
    return [(title, places) for title, places in chosen if places]
