"""Bearer tokens: made at login, kept as hashes, ten hours from their last use, with an absolute end."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from marserver.accounts.models import Token, User
from marserver.prepared import Prepared, Slot

# The expiry slides in steps of this part of the lifetime (five minutes of ten hours), so that a busy client
# does not cost a write for each of its requests
SLIDE_STEPS = 120


def digest(secret: str) -> str:
    """The form in which a secret is kept; it is random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def media_secret(token: str) -> str:
    """The value of the media cookie: made from the token, of no use as a token."""
    return digest(f"media cookie of {token}")


def create_token(user: User, address: str = "", agent: str = "") -> tuple[str, datetime]:
    """A new token of the user and when it expires (UTC); `address` and `agent` tell whose login it is."""
    token, now = secrets.token_urlsafe(32), timezone.now()
    Token.objects.filter(expires__lte=now).delete()
    row = Token.objects.create(
        digest=digest(token),
        media_digest=digest(media_secret(token)),
        user=user,
        logins_ended=user.logins_ended,
        created=now,
        used=now,
        expires=expiry(now, now),
        address=address,
        agent=printable(agent)[:100],
    )
    return token, row.expires


def printable(text: str) -> str:
    """What a client says of itself, without characters that do something to a terminal or a page."""
    return "".join(character for character in text if character.isprintable())


def expiry(created: datetime, used: datetime) -> datetime:
    """When a token ends that was used then, never beyond the absolute maximum."""
    return min(used + settings.MAR_TOKEN_LIFETIME, created + settings.MAR_TOKEN_MAXIMUM)


def find_token(token: str) -> Token | None:
    """The valid token's row with its active user, its expiry moved on; None where there is none.

    Asked for at every request, and from the database every time: a logout counts at once in all processes.
    """
    now = timezone.now()
    for values in TOKEN_AND_USER(digest=digest(token), now=now):
        row = Token.from_db("default", TOKEN_COLUMNS, values[: len(TOKEN_COLUMNS)])
        row.user = User.from_db("default", USER_COLUMNS, values[len(TOKEN_COLUMNS) :])
        slide_expiry(row, now)
        return row
    return None


TOKEN_COLUMNS = [field.attname for field in Token._meta.concrete_fields]
USER_COLUMNS = [field.attname for field in User._meta.concrete_fields]
TOKEN_AND_USER = Prepared(
    lambda: Token.objects.filter(digest=Slot("digest"), **still_good(Slot("now"))).values_list(
        *TOKEN_COLUMNS, *(f"user__{name}" for name in USER_COLUMNS)
    )
)


def find_media_user(secret: str) -> User | None:
    """The user of a media cookie whose token still is good; looking at images does not prolong it."""
    row = Token.objects.select_related("user").filter(media_digest=digest(secret), **still_good()).first()
    return row.user if row else None


def still_good(now: object = None) -> dict[str, object]:
    """What a token must be to count; one that was made while all logins were ended is none."""
    return {
        "expires__gt": now or timezone.now(),
        "user__is_active": True,
        "user__logins_ended": F("logins_ended"),
    }


def slide_expiry(row: Token, now: datetime) -> None:
    """Note this use and move the expiry on, once in a while."""
    step: timedelta = settings.MAR_TOKEN_LIFETIME / SLIDE_STEPS
    if now - row.used >= step:
        row.used, row.expires = now, expiry(row.created, now)
        Token.objects.filter(pk=row.pk).update(used=row.used, expires=row.expires)


def end_token(row: Token) -> None:
    """That login ends now."""
    Token.objects.filter(pk=row.pk).delete()


def end_all_logins(user: User) -> None:
    """Every token and every browser session of the user ends now."""
    Token.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(logins_ended=F("logins_ended") + 1)
