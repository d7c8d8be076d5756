"""Accounts: made, given a role, closed and opened again, each change with its line in the audit."""

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from marserver.accounts.models import Role, User
from marserver.accounts.tokens import end_all_logins
from marserver.audit.record import note
from marserver.errors import Conflict, Invalid, NotFound

KIND = "user"


def find_user(username: str) -> User:
    """The account of this name. Raises NotFound."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"no account {username[:150]!r}")
    return user


def add_account(
    username: str, email: str, password: str, role: Role = Role.VIEWER, *, asked_by: str = ""
) -> User:
    """A new account. Raises Invalid for a bad name, address or weak password, Conflict for a name in use."""
    user = User(username=User.normalize_username(username), email=email, role=role)
    check(lambda: user.clean_fields(exclude=["password"]))
    check(lambda: validate_password(password, user))
    # Names that differ in case only would be taken for one another
    if User.objects.filter(username__iexact=user.username).exists():
        raise Conflict(f"the name {user.username} is in use")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            note(asked_by, "register", KIND, user.username, after={"role": str(role), "email": email})
    except IntegrityError:
        raise Conflict(f"the name {user.username} is in use") from None
    return user


def set_password(user: User, password: str, *, asked_by: str = "") -> None:
    """Another password; every login of the account ends. Raises Invalid for a weak one."""
    check(lambda: validate_password(password, user))
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_all_logins(user)
        note(asked_by, "setpassword", KIND, user.username)


def set_role(username: str, role: Role, *, asked_by: str = "") -> User:
    """Another role, from the next request on. Raises NotFound, Conflict for the last administrator."""
    with transaction.atomic():
        administrators = locked_administrators()
        user = find_user(username)
        if role != Role.ADMINISTRATOR:
            check_not_the_last(user, administrators, "demoted")
        if user.role != role:
            note(asked_by, "setrole", KIND, username, {"role": user.role}, {"role": str(role)})
            user.role = role
            user.save(update_fields=["role"])
    return user


def set_active(username: str, active: bool, *, asked_by: str = "") -> User:
    """Whether the account may log in; closing it ends its logins. Raises NotFound, Conflict."""
    with transaction.atomic():
        administrators = locked_administrators()
        user = find_user(username)
        if not active:
            check_not_the_last(user, administrators, "deactivated")
            end_all_logins(user)
        if user.is_active != active:
            note(asked_by, "setactive", KIND, username, {"active": user.is_active}, {"active": active})
            user.is_active = active
            user.save(update_fields=["is_active"])
    return user


def locked_administrators() -> list[int]:
    """Who administers now; two of them cannot close each other at the same moment."""
    rows = User.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def check_not_the_last(user: User, administrators: list[int], change: str) -> None:
    """Raise Conflict where nobody would be left to administer."""
    if administrators == [user.pk]:
        raise Conflict(
            f"{user.username} is the last active administrator and cannot be {change}; make another one first"
        )


def check(validate: Callable[[], None]) -> None:
    """Run one of Django's checks; its complaints become one sentence. Raises Invalid."""
    try:
        validate()
    except ValidationError as error:
        raise Invalid(in_words(error)) from None


def in_words(error: ValidationError) -> str:
    """Django's list of complaints as one sentence, each with its parameter."""
    if hasattr(error, "message_dict"):
        return "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
    return "password: " + " ".join(error.messages)
