"""Users with a role, their tokens, and the failed logins that throttle guessing."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class Role(models.TextChoices):
    """What a user may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMINISTRATOR: 2}


class User(AbstractUser):
    """Somebody who may log in."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    logins_ended = models.PositiveIntegerField(default=0)  # how often all logins were ended at once

    def may(self, role: Role) -> bool:
        """Whether the user's role reaches this one."""
        return RANK[Role(self.role)] >= RANK[role]

    def get_session_auth_hash(self) -> str:
        """What each browser session carries: another password, or the end of all logins, ends it."""
        words = f"{self.password} {self.logins_ended}"
        return salted_hmac("marserver.accounts.session", words, algorithm="sha256").hexdigest()


class Token(models.Model):
    """A login. Only a hash of what the client holds is kept."""

    digest = models.CharField(max_length=64, unique=True)
    media_digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    logins_ended = models.PositiveIntegerField(default=0)  # that of its user when the login began
    created = models.DateTimeField()
    used = models.DateTimeField()  # the last use, to some minutes
    address = models.CharField(max_length=64, default="")  # from where the login came
    agent = models.CharField(max_length=100, default="")  # by what program
    expires = models.DateTimeField(db_index=True)


class LoginFailure(models.Model):
    """A login that failed, kept for the throttling window only."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["username", "address", "at"]),
            models.Index(fields=["address", "at"], name="failures_of_address"),
        ]
