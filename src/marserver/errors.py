"""What the server refuses to do: each error carries a sentence for the operator and an HTTP status."""


class Refused(Exception):
    """A request that cannot be carried out as it stands."""

    status = 400


class Invalid(Refused):
    """A parameter is missing or wrong; the message names it and what is accepted."""

    status = 400


class Forbidden(Refused):
    """This role may not do that."""

    status = 403


class NotFound(Refused):
    """No such row, field or file."""

    status = 404


class Conflict(Refused):
    """The request contradicts the present state: already queued, running or done."""

    status = 409
