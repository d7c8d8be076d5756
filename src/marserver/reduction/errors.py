"""The errors of requests, each with its HTTP status."""

from marserver.errors import Conflict, Forbidden, Invalid, NotFound, Refused

__all__ = ["Conflict", "Forbidden", "Invalid", "NotFound", "Refused"]
