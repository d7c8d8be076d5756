"""A client of the MAR server, which needs nothing of the library or the server to be installed."""

from marclient.answer import Answer
from marclient.client import Client
from marclient.errors import (
    BadRequest,
    Conflict,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    ServerError,
    Throttled,
    Unreachable,
)
from marclient.progress import Progress

__all__ = [
    "Answer",
    "BadRequest",
    "Client",
    "Conflict",
    "NotAllowed",
    "NotFound",
    "NotLoggedIn",
    "Progress",
    "ServerError",
    "Throttled",
    "Unreachable",
]
