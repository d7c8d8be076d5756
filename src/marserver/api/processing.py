"""Asking for reductions: the bodies of `process` and `processfield`, and what they call."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body, Sets
from marserver.api.common import ById, outcome
from marserver.api.fields import Band, Code, FieldName, FrameStatus, OnlyFailed, Whole, YesNo
from marserver.api.guard import Asked, require
from marserver.api.resources import Resource
from marserver.reduction import requests
from marserver.reduction.requests import Outcome

PLAN: Any = Field(False, description="change nothing; answer what would be done, also to viewers")


class Process(ById):
    """Queue the making of the products."""

    type: Literal["process"]
    code: Code = ""
    plan: YesNo = PLAN


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
    plan: YesNo = PLAN


class ProcessField(Body):
    """Queue the reduction of all bands of a field."""

    type: Literal["processfield"]
    field: FieldName
    code: Code = ""
    status: FrameStatus | None = Field(None, description="first set the frames back to this")
    plan: YesNo = PLAN


class ProcessImage(Body):
    """Make the colour image of a field again."""

    sets: ClassVar[Sets] = (("field",), ("id",))

    type: Literal["process"]
    id: Whole | None = None
    field: FieldName = ""
    partial: YesNo = Field(False, description="also where bands are missing")
    plan: YesNo = PLAN


def processes(resource: Resource, body: type[Process]) -> None:
    """Register the `process` of a block; a viewer may ask for its plan."""

    @resource.takes(body, Role.VIEWER)
    def process(request: Asked, asked: Process) -> dict[str, Any]:
        given = {"code": asked.code, "only": getattr(asked, "only", "")}
        return plan_or_queue(
            request,
            asked.plan,
            lambda: requests.plan_block(resource.kind, asked.id, **given),
            lambda by: requests.process(resource.kind, asked.id, **given, asked_by=by),
        )


def plan_or_queue(
    request: Asked, plan: bool, tell: Callable[[], Outcome], queue: Callable[[str], Outcome]
) -> dict[str, Any]:
    """The plan, or the operation queued in the name of an operator."""
    if plan:
        return outcome(tell())
    require(request.auth, Role.OPERATOR)
    return outcome(queue(request.auth.username))
