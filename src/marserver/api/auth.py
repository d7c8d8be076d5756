"""auth/...: login, who am I, logout, new accounts."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from pydantic import Field

from marserver.accounts import logins, people
from marserver.accounts.address import address_of
from marserver.accounts.models import Role, User
from marserver.accounts.throttle import Throttled
from marserver.accounts.tokens import create_token, end_all_logins, end_token, media_secret
from marserver.api.bodies import Body, Nothing
from marserver.api.envelope import plain, refusal, reply
from marserver.api.fields import Email, Password, UserName
from marserver.api.guard import Asked, check_page, require, token_of
from marserver.api.posted import Posted
from marserver.api.schemas import REFUSALS, LoggedIn, Registered, Whoami
from marserver.audit.record import note

MEDIA_COOKIE = "mar_media"
POSTED: Any = Posted(...)


class Login(Body):
    """A name and its password."""

    username: UserName = Field(description="name of the account")
    password: Password = Field(description="its password")


class NewUser(Body):
    """A new account; it may look, until an administrator gives it another role."""

    username: UserName = Field(description="a new name: letters, digits and @ . + - _")
    email: Email = Field(description="address of the user")
    password: Password = Field(description="at least 8 characters, not common, not only digits")


def described(user: User) -> dict[str, Any]:
    """A user as clients know them."""
    return {"id": user.pk, "username": user.username, "first_name": user.first_name, "email": user.email}


def login(request: HttpRequest, body: Login = POSTED) -> HttpResponse:
    """A token for a name and its password, and the cookie with which images show in a browser.

    The answer is 401 alike for a wrong password and an unknown name. Failed logins are throttled: after ten
    of an account from one address within 15 minutes the answer is 429 with `Retry-After`.
    """
    check_page(request)
    user = logins.log_in(request, body.username, body.password)
    token, expires = new_token(request, user)
    response = secret({"user": described(user), "token": token, "expiry": plain(expires)})
    set_media_cookie(response, token, secure=request.is_secure())
    return response


def secret(content: dict[str, Any]) -> HttpResponse:
    """An answer that no cache keeps."""
    response = reply(content)
    response["Cache-Control"] = "no-store"
    return response


def new_token(request: HttpRequest, user: User) -> tuple[str, datetime]:
    """A token that remembers where its login came from."""
    return create_token(user, address_of(request), request.headers.get("User-Agent", ""))


def set_media_cookie(response: HttpResponse, token: str, secure: bool) -> None:
    """Let the browser read images as long as the token is good.

    The browser keeps the cookie for as long as any token may live; the server asks the token each time, so
    the cookie slides and ends with it.
    """
    response.set_cookie(
        MEDIA_COOKIE,
        media_secret(token),
        max_age=settings.MAR_TOKEN_MAXIMUM,
        path="/media",
        httponly=True,
        samesite="Lax",
        secure=secure or settings.MAR_HTTPS,
    )


def whoami(request: Asked) -> HttpResponse:
    """The user of the token, or of the session."""
    return reply(described(request.auth))


def logout(request: HttpRequest, body: Nothing = POSTED) -> HttpResponse:
    """This token, and the media cookie that came with it, stop working now; or this browser session."""
    row = token_of(request)
    if row is not None:
        end_token(row)
    else:
        end_session(request)
    return goodbye()


def logoutall(request: Asked, body: Nothing = POSTED) -> HttpResponse:
    """All tokens and browser sessions of the user stop working now."""
    end_all_logins(request.auth)
    note(request.auth.username, "logoutall", people.KIND, request.auth.username)
    return goodbye()


def goodbye() -> HttpResponse:
    """204, and the browser forgets the media cookie."""
    response = HttpResponse(status=204)
    response.delete_cookie(MEDIA_COOKIE, path="/media", samesite="Lax")
    return response


def register(request: Asked, body: NewUser = POSTED) -> HttpResponse:
    """A new account with the role viewer, and a token for it; administrators only."""
    require(request.auth, Role.ADMINISTRATOR)
    user = people.add_account(body.username, body.email, body.password, asked_by=request.auth.username)
    return secret({"user": described(user), "token": new_token(request, user)[0]})


def throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
    """429, and when to try again."""
    response = refusal(429, str(error))
    response["Retry-After"] = str(error.wait_s)
    return response


def answers(good: dict[int, Any], *refused: int) -> dict[int, Any]:
    """What a path may answer, for OpenAPI: its own, and what every path may refuse with."""
    return good | {status: REFUSALS[status] for status in sorted((400, 401, 403, 405, 413, *refused))}


def join(api: NinjaAPI) -> None:
    """Put the five paths on the API."""
    api.add_exception_handler(Throttled, throttled)  # type: ignore[arg-type]
    api.post(
        "/auth/login",
        auth=None,
        tags=["auth"],
        operation_id="login",
        summary="Log in",
        response=answers({200: LoggedIn}, 429),
    )(login)
    api.get(
        "/auth/user",
        tags=["auth"],
        operation_id="user",
        summary="Who am I",
        response=answers({200: Whoami}),
    )(whoami)
    api.post(
        "/auth/logout",
        tags=["auth"],
        operation_id="logout",
        summary="Log out",
        response=answers({204: None}),
    )(logout)
    api.post(
        "/auth/logoutall",
        tags=["auth"],
        operation_id="logoutall",
        summary="Log out everywhere",
        response=answers({204: None}),
    )(logoutall)
    api.post(
        "/auth/register",
        tags=["auth"],
        operation_id="register",
        summary="Make a new account",
        response=answers({200: Registered}, 409),
    )(register)
