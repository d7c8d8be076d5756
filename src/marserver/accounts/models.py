"""Users with a role, their tokens, and the failed logins that throttle guessing."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a user may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMINISTRATOR: 2}


class User(AbstractUser):
    """Somebody who may log in."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    def may(self, role: Role) -> bool:
        """Whether the user's role reaches this one."""
        return RANK[Role(self.role)] >= RANK[role]


class Token(models.Model):
    """A login. Only a hash of what the client holds is kept."""

    digest = models.CharField(max_length=64, unique=True)
    media_digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    created = models.DateTimeField()
    expires = models.DateTimeField(db_index=True)


class LoginFailure(models.Model):
    """A login that failed, kept for the throttling window only."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["username", "address", "at"])]
