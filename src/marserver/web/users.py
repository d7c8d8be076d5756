"""Accounts for administrators, one's own logins, and who changed what."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

from marserver.accounts.models import Role, User
from marserver.accounts.open_logins import tokens_of
from marserver.reduction import requests
from marserver.web.pages import page, show

MOST_CHANGES = 200


@page
def users(request: HttpRequest) -> HttpResponse:
    """GET /users: administrators only."""
    if not may_administer(request):
        return HttpResponseForbidden("this page is for administrators")
    content: dict[str, Any] = {"people": User.objects.order_by("username"), "roles": Role.values}
    return show(request, "users", "web/users/page.html", **content)


@page
def account(request: HttpRequest, username: str = "") -> HttpResponse:
    """GET /account, one's own; GET /users/<name>: any, for administrators."""
    if username not in ("", request.user.get_username()) and not may_administer(request):
        return HttpResponseForbidden("other accounts are for administrators")
    person = User.objects.filter(username=username or request.user.get_username()).first()
    if person is None:
        return show(request, "users", "web/users/none.html", status=404, username=username)
    own = person.pk == request.user.pk
    tokens = tokens_of(request.user, person.username)  # type: ignore[arg-type]
    made = requests.get_changes(user=person.username, limit=MOST_CHANGES)
    content: dict[str, Any] = {
        "person": person,
        "own": own,
        "tokens": tokens,
        "changes": made,
        "roles": Role.values,
    }
    return show(request, "account" if own else "users", "web/users/account.html", **content)


@page
def changes(request: HttpRequest) -> HttpResponse:
    """GET /changes?user=&kind=: the audit."""
    user, kind = request.GET.get("user", ""), request.GET.get("kind", "")
    found = requests.get_changes(user=user, kind=kind, limit=MOST_CHANGES)
    return show(request, "changes", "web/users/changes.html", changes=found, asked_user=user, asked_kind=kind)


def may_administer(request: HttpRequest) -> bool:
    """Whether the one who asks is an administrator."""
    return isinstance(request.user, User) and request.user.may(Role.ADMINISTRATOR)
