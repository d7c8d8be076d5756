"""Accounts and logins; all but one's own are for administrators."""

from typing import Any

from marclient.answer import Answer
from marclient.operations import Group


class Accounts(Group):
    """Users, their roles and their logins."""

    def register(self, username: str, email: str, password: str) -> dict[str, Any]:
        """Make an account that may look; gives the user."""
        return dict(
            self.ask("auth/register", username=username, email=email, password=password).values["user"]
        )

    def users(self) -> list[dict[str, Any]]:
        """All accounts with their roles."""
        return list(self.ask("auth/users").msg)

    def setrole(self, username: str, role: str) -> Answer:
        """Give an account the role viewer, operator or administrator."""
        return self.ask("auth/setrole", username=username, role=role)

    def setactive(self, username: str, active: bool) -> Answer:
        """Open or close an account; closing ends its logins."""
        return self.ask("auth/setactive", username=username, active=active)

    def setpassword(
        self, password: str, *, username: str | None = None, old_password: str | None = None
    ) -> Answer:
        """Set one's own password, which needs the old one, or that of any account as an administrator."""
        return self.ask("auth/setpassword", username=username, password=password, old_password=old_password)

    def tokens(self, username: str | None = None) -> list[dict[str, Any]]:
        """The logins of an account, one's own where none is named."""
        return list(self.ask("auth/tokens", username=username).msg)

    def revoke(self, id: int) -> Answer:
        """End one login."""
        return self.ask("auth/revoke", id=id)

    def history(self, username: str) -> list[dict[str, Any]]:
        """Who changed an account, when, before and after; newest first."""
        return list(self.ask("auth/history", username=username).msg)
