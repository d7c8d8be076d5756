"""What may go wrong when the server is asked, each with the HTTP status and the server's sentence."""


class ServerError(Exception):
    """The server did not do what was asked; `status` is the HTTP status, 0 where there was no answer."""

    def __init__(self, status: int, msg: str) -> None:
        super().__init__(msg)
        self.status = status
        self.msg = msg


class Unreachable(ServerError):
    """No answer at all, or none in time."""


class BadRequest(ServerError):
    """A parameter is missing or wrong; the sentence names it and what is accepted."""


class NotLoggedIn(ServerError):
    """No token, one that expired, or a wrong password."""


class NotAllowed(ServerError):
    """Not allowed to this role."""


class NotFound(ServerError):
    """No such id, field, file or path."""


class Conflict(ServerError):
    """Against the present state: already queued, running or done."""


class Throttled(ServerError):
    """Too many failures; try again after `retry_after_s` seconds."""

    def __init__(self, status: int, msg: str, retry_after_s: int = 0) -> None:
        super().__init__(status, msg)
        self.retry_after_s = retry_after_s


KINDS: dict[int, type[ServerError]] = {
    400: BadRequest,
    401: NotLoggedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: BadRequest,
}


def error_of(status: int, msg: str, retry_after: str = "") -> ServerError:
    """The error that a status means."""
    if status == 429:
        return Throttled(status, msg, int(retry_after) if retry_after.isdigit() else 0)
    return KINDS.get(status, ServerError)(status, msg)
