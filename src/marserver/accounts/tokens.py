"""Bearer tokens: made at login, kept as hashes, ten hours from their last use, with an absolute end."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from marserver.accounts.models import Token, User

# The expiry slides in steps, so that a busy client does not cost a write for each of its requests
SLIDE_STEP = timedelta(minutes=5)


def digest(token: str) -> str:
    """The form in which a token is kept; the token is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def create_token(user: User) -> tuple[str, datetime]:
    """A new token of the user and when it expires (UTC)."""
    token, now = secrets.token_urlsafe(32), timezone.now()
    expires = now + settings.MAR_TOKEN_LIFETIME
    Token.objects.filter(expires__lt=now).delete()
    Token.objects.create(digest=digest(token), user=user, created=now, expires=expires)
    return token, expires


def find_token(token: str, slide: bool = True) -> Token | None:
    """The valid token's row with its active user, its expiry moved on; None where there is none."""
    now = timezone.now()
    known = Token.objects.select_related("user").filter(
        digest=digest(token), expires__gt=now, user__is_active=True
    )
    row = known.first()
    if row is not None and slide:
        slide_expiry(row, now)
    return row


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
