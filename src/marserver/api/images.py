"""The old paths of the colour image."""

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body
from marserver.api.fields import FieldName, YesNo
from marserver.api.resources import Resource


class Colour(Body):
    """The colour image of a field."""

    field: FieldName
    request_order: YesNo = Field(False, description="also ask for it where there is none")


class Twelve(Body):
    """A field."""

    field: FieldName


colour = Resource("get_trilogy_image", about="Path of the colour image of a field")
twelve = Resource("request_twelve_im", about="Queue the colour image of a field")
colour.not_yet(Colour, role=Role.VIEWER)
twelve.not_yet(Twelve)

resources = (colour, twelve)
