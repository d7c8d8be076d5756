"""Logging in: guessing is throttled, unknown users answer as slowly as known ones."""

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from marserver.accounts.address import address_of
from marserver.accounts.models import User
from marserver.accounts.throttle import check_throttle, forget_failures, note_failure
from marserver.errors import Refused


class BadCredentials(Refused):
    """Name and password do not belong together; whether the name exists is not told."""

    status = 401


def log_in(request: HttpRequest, username: str, password: str) -> User:
    """The user of this name and password. Raises BadCredentials or Throttled."""
    user = proven(request, username, password)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return user


def proven(request: HttpRequest, username: str, password: str) -> User:
    """The user who knows this password. Raises BadCredentials or Throttled.

    The throttle is asked before and after the slow check of the password, whatever its outcome: of many
    guesses at once no more than those that are allowed learn whether they were right.
    """
    address = address_of(request)
    check_throttle(username, address)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        note_failure(username, address)
        check_throttle(username, address, just_failed=1)
        raise BadCredentials("name or password is wrong")
    check_throttle(username, address)
    forget_failures(username, address)
    return user
