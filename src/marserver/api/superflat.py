"""superflat: fringe frames."""

from typing import Any, ClassVar

from marserver.api.common import (
    CreateOfBand,
    GetByDates,
    SetComment,
    Validate,
    edits,
    gets,
    outcome,
)
from marserver.api.fields import Band
from marserver.api.guard import Asked
from marserver.api.registering import registers
from marserver.api.resources import Resource
from marserver.reduction import requests

resource = Resource("superflat", about="Fringe frames")


class GetSuperflats(GetByDates):
    """Fringe frames by id or by dates, of one band where it is given."""

    band: Band = ""


class CreateSuperflat(CreateOfBand):
    """Build a fringe frame from the processed frames of these days."""

    hints: ClassVar[dict[str, str]] = {}


gets(resource, GetSuperflats)
edits(resource, SetComment, Validate)
registers(resource)


@resource.takes(CreateSuperflat)
def create(request: Asked, body: CreateSuperflat) -> dict[str, Any]:
    return outcome(
        requests.create_superflat(
            body.start, body.end, body.band, contains=body.contains, asked_by=request.auth.username
        )
    )
