"""The logins that are open: whose they are, and ending one of them."""

from django.db import transaction

from marserver.accounts.models import Role, Token, User
from marserver.accounts.people import KIND, find_user
from marserver.accounts.tokens import end_token, still_good
from marserver.audit.record import note
from marserver.errors import Forbidden, NotFound


def tokens_of(asker: User, username: str = "") -> list[Token]:
    """The valid tokens of the asker, newest first; of any other account for administrators.

    Raises Forbidden, NotFound.
    """
    if username in ("", asker.username):
        user = asker
    elif asker.may(Role.ADMINISTRATOR):
        user = find_user(username)
    else:
        raise Forbidden("the logins of other accounts are for administrators")
    return list(Token.objects.filter(user=user, **still_good()).order_by("-id"))


def revoke(asker: User, token_id: int) -> None:
    """End one's own login, or any as an administrator. Raises NotFound for all others alike."""
    rows = Token.objects.select_related("user").filter(pk=token_id)
    row = rows.first() if asker.may(Role.ADMINISTRATOR) else rows.filter(user=asker).first()
    if row is None:
        raise NotFound(f"you have no login with id {token_id}")
    with transaction.atomic():
        end_token(row)
        note(asker.username, "revoke", KIND, row.user.username, before={"token": row.pk})
