"""auth/users and its neighbours: accounts for their administrators, one's own password and logins."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from marserver.accounts import logins, open_logins, people
from marserver.accounts.models import Role, Token, User
from marserver.api.answers import Changes, Objects
from marserver.api.bodies import Body, Nothing, Sets
from marserver.api.fields import Password, UserName, Whole, YesNo, one_of
from marserver.api.guard import Asked, require, token_of
from marserver.api.resources import Resource
from marserver.audit.record import history
from marserver.errors import Forbidden

RoleWord = Annotated[str, one_of(*Role.values, about="what the account may do")]
AGENT_CHARACTERS = 60


class SetRole(Body):
    """What an account may do, from its next request on; 409 for the last active administrator."""

    username: UserName = Field(description="name of the account")
    role: RoleWord = Field(description="viewer, operator or administrator")


class SetActive(Body):
    """Whether an account may log in. Closing it ends its logins; 409 for the last active administrator."""

    username: UserName = Field(description="name of the account")
    active: YesNo = Field(description="1 may log in, 0 may not")


class SetPassword(Body):
    """Another password for oneself, with the old one, or for any account as an administrator.

    Every login of the account ends, this one too.
    """

    sets: ClassVar[Sets] = (("old_password",), ("username",))
    username: UserName = Field("", description="another account; administrators only")
    password: Password = Field(description="at least 8 characters, not common, not only digits")
    old_password: Password = Field("", description="the present password of one's own account")


class HistoryOf(Body):
    """The changes of an account, newest first."""

    username: UserName = Field(description="name of the account")


class TokensOf(Body):
    """The open logins, newest first; `current` is the one that asks."""

    username: UserName = Field("", description="another account (administrators); without it one's own")


class Revoke(Body):
    """End one login, which stops working now."""

    id: Whole = Field(description="id of the login, from auth/tokens")


users = Resource("auth/users", about="All accounts; administrators only")
setrole = Resource("auth/setrole", about="Give an account another role; administrators only")
setactive = Resource("auth/setactive", about="Close an account or open it again; administrators only")
setpassword = Resource("auth/setpassword", about="Set a password")
user_history = Resource("auth/history", about="What was changed on an account; administrators only")
tokens = Resource("auth/tokens", about="Open logins")
revocation = Resource("auth/revoke", about="End one login")
resources = (users, setrole, setactive, setpassword, user_history, tokens, revocation)


@users.takes(Nothing, Role.ADMINISTRATOR, gives=Objects)
def list_users(request: Asked, asked: Nothing) -> dict[str, Any]:
    return {"msg": [as_row(user) for user in User.objects.order_by("username")]}


def as_row(user: User) -> dict[str, Any]:
    """An account as its administrators see it."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "active": user.is_active,
        "last_login": user.last_login,
    }


@setrole.takes(SetRole, Role.ADMINISTRATOR)
def set_role(request: Asked, asked: SetRole) -> dict[str, Any]:
    user = people.set_role(asked.username, Role(asked.role), asked_by=request.auth.username)
    return {"msg": f"{user.username} is {user.role}", "role": user.role}


@setactive.takes(SetActive, Role.ADMINISTRATOR)
def set_active(request: Asked, asked: SetActive) -> dict[str, Any]:
    user = people.set_active(asked.username, asked.active, asked_by=request.auth.username)
    words = "may log in" if user.is_active else "may not log in any more"
    return {"msg": f"{user.username} {words}", "active": user.is_active}


@setpassword.takes(SetPassword, Role.VIEWER)
def set_password(request: Asked, asked: SetPassword) -> dict[str, Any]:
    user = whose_password(request, asked)
    people.set_password(user, asked.password, asked_by=request.auth.username)
    return {"msg": f"{user.username} has another password; log in again"}


def whose_password(request: Asked, asked: SetPassword) -> User:
    """The account that is meant, its old password checked where it is one's own."""
    if asked.username not in ("", request.auth.username):
        require(request.auth, Role.ADMINISTRATOR)
        return people.find_user(asked.username)
    try:
        return logins.proven(request, request.auth.username, asked.old_password)
    except logins.BadCredentials:
        raise Forbidden("old_password: this is not the present password of the account") from None


@user_history.takes(HistoryOf, Role.ADMINISTRATOR, gives=Changes)
def changes(request: Asked, asked: HistoryOf) -> dict[str, Any]:
    return {"msg": history(people.KIND, people.find_user(asked.username).username)}


@tokens.takes(TokensOf, Role.VIEWER, gives=Objects)
def open_tokens(request: Asked, asked: TokensOf) -> dict[str, Any]:
    own = token_of(request)
    found = open_logins.tokens_of(request.auth, asked.username)
    return {"msg": [as_login(row, current=row == own) for row in found]}


def as_login(row: Token, current: bool) -> dict[str, Any]:
    """A login as its user sees it; nothing of the token itself."""
    return {
        "id": row.pk,
        "created": row.created,
        "used": row.used,
        "expires": row.expires,
        "address": row.address,
        "agent": row.agent[:AGENT_CHARACTERS],
        "current": current,
    }


@revocation.takes(Revoke, Role.VIEWER)
def revoke(request: Asked, asked: Revoke) -> dict[str, Any]:
    open_logins.revoke(request.auth, asked.id)
    return {"msg": f"login {asked.id} has ended"}
