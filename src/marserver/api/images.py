"""The old paths of the colour image."""

from typing import Any

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body
from marserver.api.common import outcome
from marserver.api.fields import FieldName, YesNo
from marserver.api.guard import Asked, require
from marserver.api.resources import Resource
from marserver.reduction import requests


class Colour(Body):
    """The colour image of a field."""

    field: FieldName
    request_order: YesNo = Field(False, description="also queue it where there is none; operators only")


class Twelve(Body):
    """A field."""

    field: FieldName


colour = Resource("get_trilogy_image", about="Path of the colour image of a field")
twelve = Resource("request_twelve_im", about="Queue the colour image of a field")

resources = (colour, twelve)


@colour.takes(Colour, Role.VIEWER)
def get_trilogy_image(request: Asked, body: Colour) -> dict[str, Any]:
    if not body.request_order or requests.path_of_colour(body.field) is not None:
        return {"msg": requests.get_trilogy_image(body.field)}
    require(request.auth, Role.OPERATOR)
    return outcome(requests.request_colour(body.field, "get_trilogy_image", asked_by=request.auth.username))


@twelve.takes(Twelve)
def request_twelve_im(request: Asked, body: Twelve) -> dict[str, Any]:
    return outcome(requests.request_colour(body.field, "request_twelve_im", asked_by=request.auth.username))
