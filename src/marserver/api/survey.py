"""The survey's progress."""

from typing import Any

from marserver.accounts.models import Role
from marserver.api.answers import SurveyProgress
from marserver.api.bodies import Nothing
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests

resource = Resource("getOperation", "getOperationsStats", about="Progress of the survey")


@resource.takes(Nothing, Role.VIEWER, gives=SurveyProgress)
def progress(request: Asked, body: Nothing) -> dict[str, Any]:
    numbers, more = requests.get_operation()
    return {"msg": numbers, "progress": more}
