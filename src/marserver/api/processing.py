"""Asking for reductions: the bodies of `process` and `processfield`, and what they call."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from marserver.api.bodies import Body, Sets
from marserver.api.common import ById, outcome
from marserver.api.fields import Band, Code, FieldName, FrameStatus, OnlyFailed, Whole, YesNo
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests


class Process(ById):
    """Queue the making of the products."""

    type: Literal["process"]
    code: Code = ""


class ProcessScience(Process):
    """Queue the reduction of the frames, and the making of their tiles."""

    only: OnlyFailed = Field("", description="failed: only the frames that failed")


class ProcessTile(Body):
    """Queue the reduction of all raw science frames of a field and band."""

    sets: ClassVar[Sets] = (("id",), ("field", "band"))

    type: Literal["process"]
    id: Whole | None = None
    field: FieldName = ""
    band: Band = ""
    code: Code = ""
    status: FrameStatus | None = Field(None, description="first set the frames back to this")


class ProcessField(Body):
    """Queue the reduction of all bands of a field."""

    type: Literal["processfield"]
    field: FieldName
    code: Code = ""
    status: FrameStatus | None = Field(None, description="first set the frames back to this")


class ProcessImage(Body):
    """Make the colour image of a field again."""

    sets: ClassVar[Sets] = (("field",), ("id",))

    type: Literal["process"]
    id: Whole | None = None
    field: FieldName = ""
    partial: YesNo = Field(False, description="also where bands are missing")


def processes(resource: Resource, body: type[Process]) -> None:
    """Register the `process` of a block."""

    @resource.takes(body)
    def process(request: Asked, asked: Process) -> dict[str, Any]:
        only = getattr(asked, "only", "")
        asked_by = request.auth.username
        return outcome(
            requests.process(resource.kind, asked.id, code=asked.code, only=only, asked_by=asked_by)
        )
