"""Bodies and operations that many resources share."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pydantic import AliasChoices, Field, create_model

from marserver.accounts.models import Role
from marserver.api.answers import Changes, rows_of
from marserver.api.bodies import Body, Sets
from marserver.api.fields import (
    AnyBand,
    Band,
    BlockStatus,
    Comment,
    Day,
    FilePath,
    FrameStatus,
    Patterns,
    Signed,
    Whole,
    YesNo,
    key_of,
)
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.api.streams import stream_rows
from marserver.archive.queries import Find
from marserver.errors import Invalid
from marserver.reduction import requests
from marserver.reduction.requests import Outcome

MOST_ROWS = 10**12
CONTAINS: Any = Field(
    "",
    validation_alias=AliasChoices("contains", "nameContains"),
    description="patterns separated by commas; a row matches any of them, literally",
)


def outcome(done: Outcome) -> dict[str, Any]:
    """The members of the envelope for what a request did."""
    return {"msg": done.msg, **done.values}


class Dated(Body):
    """Parameters with a range of days, both included."""

    start: Day | None = Field(None, alias="startDate", description="first day (UTC)")
    end: Day | None = Field(None, alias="endDate", description="last day (UTC), included")

    def check(self) -> None:
        """The first day must not be after the last."""
        if self.start is not None and self.end is not None and self.start > self.end:
            raise Invalid(f"startDate {self.start} is after endDate {self.end}")


class Listed(Dated):
    """What every `get` takes."""

    type: Literal["get"]
    id: Whole | None = None
    valid: YesNo = Field(True, description="1 valid rows, 0 invalid ones")
    limit: Whole | None = Field(None, description="at most so many rows; without it all, streamed")
    offset: Whole = Field(0, description="leave out so many rows")
    order: str = ""  # a key of the row; each resource accepts its own

    def find(self) -> Find:
        """What the archive is asked for."""
        given = {
            name: getattr(self, name) for name in self.conditions if getattr(self, name, None) is not None
        }
        if self.start is not None and self.end is not None:
            given["dates"] = (self.start, self.end)
        limit = None if self.limit is None else min(self.limit, MOST_ROWS)
        return Find(
            id=self.id,
            valid=self.valid,
            limit=limit,
            offset=min(self.offset, MOST_ROWS),
            order=self.order,
            **given,
        )

    conditions: ClassVar[tuple[str, ...]] = ("field", "band", "contains", "flag", "error")


class GetByDates(Listed):
    """Rows by id or by dates."""

    sets: ClassVar[Sets] = (("id",), ("startDate", "endDate"))


class Create(Dated):
    """A block from all valid frames of these days."""

    type: Literal["create"]
    start: Day = Field(alias="startDate", description="first day (UTC)")
    end: Day = Field(alias="endDate", description="last day (UTC), included")
    band: AnyBand = ""
    contains: Patterns = CONTAINS


class CreateOfBand(Create):
    """A block of one band from all valid frames of these days."""

    hints: ClassVar[dict[str, str]] = {"band": "for all bands at once use flatblock or sciblock"}
    band: Band


class ById(Body):
    """One row."""

    id: Whole


class SetSuperflat(ById):
    """Link a superflat to all frames of its band."""

    type: Literal["setsuperflat"]
    superflatid: Signed = Field(description="a negative id unlinks")


class Validate(ById):
    """Flip `isvalid`."""

    type: Literal["validate"]


class SetStatus(ById):
    """Set the status: 0 to do, 1 done."""

    type: Literal["setstatus"]
    status: BlockStatus


class SetSubStatus(ById):
    """Set the status of all frames below, raw and processed, so that those steps run again."""

    type: Literal["setsubstatus"]
    status: FrameStatus


class SetComment(ById):
    """Set the comment; an empty one clears it."""

    type: Literal["setcomment"]
    comment: Comment


class Add(ById):
    """Put a frame, or a part, into the block."""

    type: Literal["add"]
    objid: Whole = Field(description="id of the frame or part")


class Remove(ById):
    """Take a frame, or a part, out of the block."""

    type: Literal["remove"]
    objid: Whole = Field(description="id of the frame or part")


class Delete(ById):
    """Delete a block that was never processed."""

    type: Literal["delete"]


class Register(Body):
    """Take in a master made earlier."""

    type: Literal["register"]
    filepath: FilePath = Field(description="path below the data root")


class History(ById):
    """All changes of one row, newest first: who, when, what, before and after."""

    type: Literal["history"]


Call = Callable[[str, Any, str], Outcome]  # kind of row, body, who asks

EDITS: dict[type[Body], Call] = {
    Validate: lambda kind, body, who: requests.validate(kind, body.id, asked_by=who),
    SetStatus: lambda kind, body, who: requests.setstatus(kind, body.id, body.status, asked_by=who),
    SetSubStatus: lambda kind, body, who: requests.setsubstatus(kind, body.id, body.status, asked_by=who),
    SetComment: lambda kind, body, who: requests.setcomment(kind, body.id, body.comment, asked_by=who),
    Add: lambda kind, body, who: requests.add(kind, body.id, body.objid, asked_by=who),
    Remove: lambda kind, body, who: requests.remove(kind, body.id, body.objid, asked_by=who),
    Delete: lambda kind, body, who: requests.delete(kind, body.id, asked_by=who),
    SetSuperflat: lambda kind, body, who: requests.setsuperflat(
        kind, body.id, body.superflatid, asked_by=who
    ),
}


def edits(resource: Resource, *bodies: type[Body]) -> None:
    """Register changes that mean the same for every kind of row."""
    for body in bodies:
        change(resource, body, EDITS[body])


def change(resource: Resource, body: type[Body], call: Call) -> None:
    """Register one change: the call gets the kind of row, the body and the name of the one who asks."""
    resource.takes(body)(lambda request, asked: outcome(call(resource.kind, asked, request.auth.username)))


def gets(resource: Resource, body: type[Listed]) -> None:
    """Register the `get` of a resource, and the `history` of its rows."""

    @resource.takes(sorted_by_key(resource.kind, body), Role.VIEWER, gives=rows_of(resource.kind))
    def get(request: HttpRequest, asked: Listed) -> HttpResponseBase | dict[str, Any]:
        found = requests.get(resource.kind, asked.find())
        if asked.id is None and asked.limit is None:
            return stream_rows(found)
        rows = list(found)
        if asked.id is not None and not rows and not asked.offset:
            requests.known(resource.kind, asked.id)
        return {"msg": rows}

    @resource.takes(History, Role.VIEWER, gives=Changes)
    def history(request: HttpRequest, asked: History) -> dict[str, Any]:
        return {"msg": requests.history(resource.kind, asked.id)}


def sorted_by_key(kind: str, body: type[Listed]) -> type[Listed]:
    """The body of a `get`, its `order` any key of these rows."""
    return create_model(
        f"Get{kind.capitalize()}",
        __base__=body,
        __doc__=body.__doc__,
        order=(Annotated[str, key_of(kind)], ""),
    )


def creates(resource: Resource, body: type[Create]) -> None:
    """Register the `create` of a block."""

    @resource.takes(body)
    def create(request: Asked, asked: Create) -> dict[str, Any]:
        made = requests.create(
            resource.kind,
            asked.start,
            asked.end,
            band=asked.band,
            contains=asked.contains,
            asked_by=request.auth.username,
        )
        return outcome(made)
