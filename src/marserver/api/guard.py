"""Who asks: a bearer token, or the session of the web interface with its CSRF token."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from marserver.accounts.models import Role, Token, User
from marserver.accounts.tokens import find_token
from marserver.errors import Forbidden


class Asked(HttpRequest):
    """A request whose user is known."""

    auth: User


class BearerToken:
    """The guard of every endpoint but login; ninja answers 401 where it gives None."""

    openapi_security_schema = {"type": "http", "scheme": "bearer", "description": "The token of auth/login"}

    def __call__(self, request: HttpRequest) -> User | None:
        return user_of(request)


def user_of(request: HttpRequest) -> User | None:
    """The user who asks, or None. Raises Forbidden for a session without its CSRF token."""
    if "Authorization" in request.headers:
        row = token_of(request)
        return row.user if row else None
    if request.user.is_authenticated:
        check_csrf(request)
        return request.user
    return None


def token_of(request: HttpRequest) -> Token | None:
    """The valid token of the Authorization header: `Bearer <token>`, or `Token <token>` as of old."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "token"):
        return None
    return find_token(token.strip())


def check_csrf(request: HttpRequest) -> None:
    """Raise Forbidden where a page of another site could have sent this request."""
    request.body  # noqa: B018 - read before the check does, which would leave nothing of a form
    check = CsrfViewMiddleware(passed)
    check.process_request(request)
    if check.process_view(request, passed, (), {}) is not None:
        raise Forbidden("the session needs its CSRF token in X-CSRFToken; scripts use a bearer token")


def check_page(request: HttpRequest) -> None:
    """Raise Forbidden for a request that a page of an unknown origin made its browser send.

    Logging in needs no token that such a page could not know: it would log its visitor in as somebody else,
    or guess passwords from the visitor's address.
    """
    origin = request.headers.get("Origin", "")
    if not origin or origin in settings.MAR_CORS_ORIGINS:
        return
    told = request.headers.get("Sec-Fetch-Site", "")
    own = told in ("same-origin", "none") if told else urlsplit(origin).netloc == request.get_host()
    if not own:
        raise Forbidden("pages of this origin may not log in here; MAR_CORS_ORIGINS names those that may")


def passed(request: HttpRequest) -> HttpResponse:
    """What stands behind the CSRF check here: nothing."""
    return HttpResponse()


def require(user: User, role: Role) -> None:
    """Raise Forbidden where the user's role does not reach this one."""
    if not user.may(role):
        raise Forbidden(f"this needs the role {role.value}; {user.username} is {user.role}")
