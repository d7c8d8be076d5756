"""Guessing passwords is slowed down: failed logins are counted for a while, good ones never are.

Three limits within MAR_LOGIN_WINDOW:

- one account from one address: MAR_LOGIN_FAILURES, then that address waits for that account;
- one address, whatever the account: MAR_LOGIN_FAILURES_OF_ADDRESS, against one password tried on many names;
- one account from many addresses: beyond MAR_LOGIN_FAILURES_OF_ACCOUNT an address may fail only once. It is
  never closed: its owner, who knows the password, still gets in at the first try from anywhere.

What is refused here is not counted, so that the wait ends however often somebody knocks.
"""

import math
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from marserver.accounts.models import LoginFailure
from marserver.errors import Refused

FAILURES_WHEN_SPREAD = 1


class Throttled(Refused):
    """Too many failures; `wait_s` is the number of seconds until the next try."""

    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many failed logins; try again in {wait_s} seconds")
        self.wait_s = wait_s


def check_throttle(username: str, address: str, just_failed: int = 0) -> None:
    """Raise Throttled after too many failures; `just_failed` of them are this request's own."""
    waits = [wait_s(failures, most + just_failed) for failures, most in limits(username, address)]
    if max(waits) > 0:
        raise Throttled(max(waits))


def limits(username: str, address: str) -> Iterator[tuple[QuerySet[LoginFailure], int]]:
    """Which recent failures count for this login, and how many of them may be."""
    recent = LoginFailure.objects.filter(at__gt=timezone.now() - settings.MAR_LOGIN_WINDOW)
    of_account = recent.filter(username=username)
    spread = of_account.count() >= settings.MAR_LOGIN_FAILURES_OF_ACCOUNT
    yield of_account.filter(address=address), FAILURES_WHEN_SPREAD if spread else settings.MAR_LOGIN_FAILURES
    yield recent.filter(address=address), settings.MAR_LOGIN_FAILURES_OF_ADDRESS


def wait_s(failures: QuerySet[LoginFailure], most: int) -> int:
    """Seconds until fewer than `most` of the failures count; 0 where it is so now."""
    times = failures.order_by("-at").values_list("at", flat=True)
    oldest_counted = times[most - 1 : most].first()
    return 0 if oldest_counted is None else seconds_until_free(oldest_counted, timezone.now())


def seconds_until_free(oldest: datetime, now: datetime) -> int:
    """How long until the oldest counted failure leaves the window."""
    return max(1, math.ceil((oldest + settings.MAR_LOGIN_WINDOW - now).total_seconds()))


def note_failure(username: str, address: str) -> None:
    """Write a failure down, and forget those of all accounts that no longer count."""
    now = timezone.now()
    LoginFailure.objects.filter(at__lte=now - settings.MAR_LOGIN_WINDOW).delete()
    LoginFailure.objects.create(username=username, address=address, at=now)


def forget_failures(username: str, address: str) -> None:
    """A good login clears the account for its address."""
    LoginFailure.objects.filter(username=username, address=address).delete()
