"""Sessions and what protects them are for browsers: a request of the API that carries a token passes by."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware


def has_token(request: HttpRequest) -> bool:
    """Whether no session counts here: guard.py looks at the token alone where there is one."""
    posted = request.method == "POST" and request.path_info.startswith("/reduction/")
    return posted and "HTTP_AUTHORIZATION" in request.META


class PassedBy:
    """Put before a middleware of Django: requests with a token do not come to it."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_token(request):
            response: HttpResponseBase = self.get_response(request)
            return response
        return super().__call__(request)  # type: ignore[misc]


class Sessions(PassedBy, SessionMiddleware):
    """request.session."""


class Csrf(PassedBy, CsrfViewMiddleware):
    """Forms of other sites."""


class Logins(PassedBy, AuthenticationMiddleware):
    """request.user."""
