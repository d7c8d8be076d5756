"""The `register` of masters made earlier."""

from typing import Any

from marserver.api.common import Register, outcome
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests


def registers(resource: Resource) -> None:
    """Register the `register` of a kind of block."""

    @resource.takes(Register)
    def register(request: Asked, asked: Register) -> dict[str, Any]:
        return outcome(requests.register(resource.kind, asked.filepath, asked_by=request.auth.username))
