"""Bearer tokens: made at login, kept as hashes, ten hours from their last use, with an absolute end."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from marserver.accounts.models import Token, User

# The expiry slides in steps, so that a busy client does not cost a write for each of its requests
SLIDE_STEP = timedelta(minutes=5)


def digest(secret: str) -> str:
    """The form in which a secret is kept; it is random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def media_secret(token: str) -> str:
    """The value of the media cookie: made from the token, of no use as a token."""
    return digest(f"media cookie of {token}")


def create_token(user: User) -> tuple[str, datetime]:
    """A new token of the user and when it expires (UTC)."""
    token, now = secrets.token_urlsafe(32), timezone.now()
    expires = now + settings.MAR_TOKEN_LIFETIME
    Token.objects.filter(expires__lte=now).delete()
    Token.objects.create(
        digest=digest(token),
        media_digest=digest(media_secret(token)),
        user=user,
        created=now,
        expires=expires,
    )
    return token, expires


def find_token(token: str) -> Token | None:
    """The valid token's row with its active user, its expiry moved on; None where there is none."""
    row = Token.objects.select_related("user").filter(digest=digest(token), **still_good()).first()
    if row is not None:
        slide_expiry(row, timezone.now())
    return row


def find_media_user(secret: str) -> User | None:
    """The user of a media cookie whose token still is good; looking at images does not prolong it."""
    row = Token.objects.select_related("user").filter(media_digest=digest(secret), **still_good()).first()
    return row.user if row else None


def still_good() -> dict[str, object]:
    """What a token must be to count."""
    return {"expires__gt": timezone.now(), "user__is_active": True}


def slide_expiry(row: Token, now: datetime) -> None:
    """Move the expiry on from this use, never beyond the absolute maximum."""
    expires = min(now + settings.MAR_TOKEN_LIFETIME, row.created + settings.MAR_TOKEN_MAXIMUM)
    if expires - row.expires >= SLIDE_STEP:
        Token.objects.filter(pk=row.pk).update(expires=expires)
        row.expires = expires


def end_token(row: Token) -> None:
    """That login ends now."""
    Token.objects.filter(pk=row.pk).delete()


def end_all_tokens(user: User) -> None:
    """Every login of the user ends now."""
    Token.objects.filter(user=user).delete()
