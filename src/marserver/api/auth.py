"""auth/...: login, who am I, logout, new accounts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from marserver.accounts import logins
from marserver.accounts.models import Role, User
from marserver.accounts.tokens import create_token, end_all_tokens, end_token, media_secret
from marserver.api.bodies import Body, Nothing
from marserver.api.envelope import plain, refusal, reply
from marserver.api.fields import Email, Password, UserName
from marserver.api.guard import Asked, require, token_of
from marserver.api.posted import Posted
from marserver.api.schemas import REFUSALS, LoggedIn, Registered, Whoami

MEDIA_COOKIE = "mar_media"
POSTED: Any = Posted(...)


class Login(Body):
    """A name and its password."""

    username: UserName
    password: Password


class NewUser(Body):
    """A new account; it may look, until an administrator gives it another role."""

    username: UserName
    email: Email
    password: Password


def described(user: User) -> dict[str, Any]:
    """A user as clients know them."""
    return {"id": user.pk, "username": user.username, "first_name": user.first_name, "email": user.email}


def login(request: HttpRequest, body: Login = POSTED) -> HttpResponse:
    """A token for name and password; ten failures in 15 minutes make it wait."""
    try:
        user = logins.log_in(request, body.username, body.password)
    except logins.Throttled as error:
        response = refusal(429, str(error))
        response["Retry-After"] = str(error.wait_s)
        return response
    token, expires = create_token(user)
    response = reply({"user": described(user), "token": token, "expiry": plain(expires)})
    response.set_cookie(
        MEDIA_COOKIE,
        media_secret(token),
        expires=expires,
        path="/media",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response


def whoami(request: Asked) -> HttpResponse:
    """The user of the token."""
    return reply(described(request.auth))


def logout(request: HttpRequest, body: Nothing = POSTED) -> HttpResponse:
    """This token, and the media cookie that came with it, stop working now."""
    row = token_of(request)
    if row is not None:
        end_token(row)
    return goodbye()


def logoutall(request: Asked, body: Nothing = POSTED) -> HttpResponse:
    """All tokens of the user stop working now."""
    end_all_tokens(request.auth)
    return goodbye()


def goodbye() -> HttpResponse:
    """204, and the browser forgets the media cookie."""
    response = HttpResponse(status=204)
    response.delete_cookie(MEDIA_COOKIE, path="/media", samesite="Lax")
    return response


def register(request: Asked, body: NewUser = POSTED) -> HttpResponse:
    """A new account with a token; administrators only."""
    require(request.auth, Role.ADMINISTRATOR)
    user = logins.register(body.username, body.email, body.password)
    return reply({"user": described(user), "token": create_token(user)[0]})


def join(api: NinjaAPI) -> None:
    """Put the five paths on the API."""
    refusals = {status: REFUSALS[status] for status in (400, 401, 403, 405, 409, 413, 429)}
    api.post(
        "/auth/login", auth=None, tags=["auth"], operation_id="login", response={200: LoggedIn, **refusals}
    )(login)
    api.get("/auth/user", tags=["auth"], operation_id="user", response={200: Whoami, **refusals})(whoami)
    api.post("/auth/logout", tags=["auth"], operation_id="logout", response={204: None, **refusals})(logout)
    api.post("/auth/logoutall", tags=["auth"], operation_id="logoutall", response={204: None, **refusals})(
        logoutall
    )
    api.post(
        "/auth/register", tags=["auth"], operation_id="register", response={200: Registered, **refusals}
    )(register)
