"""fieldimage: the colour image of a field, from the tiles of all its bands."""

from typing import Any, ClassVar

from marserver.accounts.models import Role
from marserver.api.bodies import Sets
from marserver.api.common import CONTAINS, Listed, SetComment, Validate, change, edits, gets
from marserver.api.fields import FieldName, Patterns
from marserver.api.finaltiles import SetFlag
from marserver.api.guard import Asked
from marserver.api.processing import ProcessImage, plan_or_queue
from marserver.api.resources import Resource
from marserver.reduction import requests

resource = Resource("fieldimage", "fieldimages", "field", about="The colour image of a field")


class GetImages(Listed):
    """Colour images by id, field or part of the field's name."""

    sets: ClassVar[Sets] = (("id",), ("field",), ("contains",), ("startDate", "endDate"))
    free: ClassVar[frozenset[str]] = frozenset({"contains"})

    field: FieldName = ""
    contains: Patterns = CONTAINS


gets(resource, GetImages)
edits(resource, SetComment, Validate)
change(resource, SetFlag, lambda kind, body, who: requests.setflag(kind, body.id, body.flag, asked_by=who))


@resource.takes(ProcessImage, Role.VIEWER)
def process(request: Asked, body: ProcessImage) -> dict[str, Any]:
    image: dict[str, Any] = {"image_id": body.id, "field": body.field, "partial": body.partial}
    return plan_or_queue(
        request,
        body.plan,
        lambda: requests.plan_fieldimage(**image),
        lambda by: requests.process_fieldimage(**image, asked_by=by),
    )
