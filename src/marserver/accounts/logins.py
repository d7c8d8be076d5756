"""Logging in and making accounts: guessing is throttled, unknown users answer as slowly as known ones."""

import math
from datetime import datetime

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from marserver.accounts.models import LoginFailure, Role, User
from marserver.accounts.tokens import end_all_tokens
from marserver.errors import Conflict, Invalid, NotFound, Refused


class BadCredentials(Refused):
    """Name and password do not belong together; whether the name exists is not told."""

    status = 401


class Throttled(Refused):
    """Too many failures; `wait_s` is the number of seconds until the next try."""

    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many failed logins; try again in {wait_s} seconds")
        self.wait_s = wait_s


def log_in(request: HttpRequest, username: str, password: str) -> User:
    """The user of this name and password. Raises BadCredentials or Throttled."""
    address = request.META.get("REMOTE_ADDR", "")[:64]
    check_throttle(username, address)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        note_failure(username, address)
        raise BadCredentials("name or password is wrong")
    # Once more: a right guess among many at once must not slip through while the wrong ones are checked
    check_throttle(username, address)
    failures(username, address).delete()
    return user


def failures(username: str, address: str) -> QuerySet[LoginFailure]:
    """The failures of this account from this address within the window."""
    since = timezone.now() - settings.MAR_LOGIN_WINDOW
    return LoginFailure.objects.filter(username=username, address=address, at__gt=since)


def note_failure(username: str, address: str) -> None:
    """Write a failure down, and forget those of all accounts that no longer count."""
    now = timezone.now()
    LoginFailure.objects.filter(at__lte=now - settings.MAR_LOGIN_WINDOW).delete()
    LoginFailure.objects.create(username=username, address=address, at=now)


def check_throttle(username: str, address: str) -> None:
    """Raise Throttled after too many failures."""
    times = failures(username, address).order_by("-at").values_list("at", flat=True)
    counted = list(times[: settings.MAR_LOGIN_FAILURES])
    if len(counted) >= settings.MAR_LOGIN_FAILURES:
        raise Throttled(seconds_until_free(counted[-1], timezone.now()))


def seconds_until_free(oldest: datetime, now: datetime) -> int:
    """How long until the oldest counted failure leaves the window."""
    return max(1, math.ceil((oldest + settings.MAR_LOGIN_WINDOW - now).total_seconds()))


def register(username: str, email: str, password: str) -> User:
    """A new account that may look. Raises Invalid for a bad name, address or weak password, and Conflict."""
    user = User(username=username, email=email, role=Role.VIEWER)
    try:
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(in_words(error)) from None
    return save_new(user, password)


def add_account(username: str, password: str, role: str) -> User:
    """A new account from the command line, where the password's strength is the administrator's business.

    Raises Invalid for a bad name, Conflict for one in use.
    """
    user = User(username=username, role=role)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise Invalid(in_words(error)) from None
    return save_new(user, password)


def save_new(user: User, password: str) -> User:
    """Write a new account; raises Conflict for a name in use."""
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"the name {user.username} is in use") from None
    return user


def change_password(username: str, password: str) -> None:
    """Another password; every login of the account ends. Raises NotFound."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"no account {username}")
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_tokens(user)


def in_words(error: ValidationError) -> str:
    """Django's list of complaints as one sentence, each with its parameter."""
    if hasattr(error, "message_dict"):
        return "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
    return "password: " + " ".join(error.messages)
