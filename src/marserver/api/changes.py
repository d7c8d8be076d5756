"""get_changes: the whole audit, for administrators."""

from typing import Annotated, Any

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.answers import Changes
from marserver.api.bodies import Body
from marserver.api.fields import Moment, UserName, Whole, text
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests

KindName = Annotated[str, text(50, "finaltiles", "kind of the changed object")]


class WhichChanges(Body):
    """Which changes."""

    user: UserName = Field("", description="changes that this user asked for")
    kind: KindName = Field("", description="changes of this kind of object: finaltiles, operation, user ...")
    since: Moment | None = Field(None, description="changes from this time on (ISO 8601; UTC unless it says)")
    limit: Whole = 1000


resource = Resource("get_changes", about="Who changed what and when, newest first")


@resource.takes(WhichChanges, Role.ADMINISTRATOR, gives=Changes)
def changes(request: Asked, body: WhichChanges) -> dict[str, Any]:
    return {"msg": requests.get_changes(body.user, body.kind, body.since, body.limit)}
