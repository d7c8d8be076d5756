"""finaltiles: coadded images, one per field and band."""

from datetime import date
from typing import Any, ClassVar, Literal

from django.http.response import HttpResponseBase
from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.answers import Objects
from marserver.api.bodies import Body, Sets
from marserver.api.common import (
    CONTAINS,
    ById,
    Dated,
    Listed,
    SetComment,
    SetSubStatus,
    Validate,
    change,
    edits,
    gets,
    outcome,
)
from marserver.api.fields import (
    Band,
    BlockStatus,
    FieldName,
    Flag,
    Patterns,
    Signed,
    Whole,
)
from marserver.api.guard import Asked
from marserver.api.processing import ProcessField, ProcessTile, plan_or_queue
from marserver.api.resources import Resource
from marserver.api.streams import stream_rows
from marserver.errors import Invalid
from marserver.reduction import requests

resource = Resource("finaltiles", about="Coadded images, one per field and band: the survey's product")


class GetTiles(Listed):
    """Tiles by id, dates, field, or field and band."""

    sets: ClassVar[Sets] = (("id",), ("startDate", "endDate"), ("field",), ("field", "band"), ("contains",))
    free: ClassVar[frozenset[str]] = frozenset({"contains"})

    field: FieldName = ""
    band: Band = ""
    contains: Patterns = CONTAINS
    flag: Flag | None = Field(
        None, description="rows whose flag has all these bits; unreviewed ones excluded"
    )


class GetFields(Body):
    """Field, band and centre of all tiles."""

    type: Literal["getfields"]


class GetShort(Body):
    """Id, field, paths and thumbnails of one tile."""

    type: Literal["getshort"]
    field: FieldName
    band: Band


class SetTileStatus(Dated):
    """Set the status of one tile, or of all that match."""

    sets: ClassVar[Sets] = (("id",), ("startDate", "endDate", "contains", "flag"))

    type: Literal["setstatus"]
    id: Whole | None = None
    contains: Patterns = CONTAINS
    flag: Flag | None = Field(None, description="rows with all these bits; -1 unreviewed ones")
    status: BlockStatus


class SetTileSuperflat(Body):
    """Link a superflat to every frame of a field and band."""

    type: Literal["setsuperflat"]
    field: FieldName
    band: Band
    superflatid: Signed = Field(description="a negative id unlinks")


class SetFlag(ById):
    """Review a tile: 0 good, bits for what is wrong, -1 not reviewed."""

    type: Literal["setflag"]
    flag: Flag


gets(resource, GetTiles)
edits(resource, SetSubStatus, Validate, SetComment)
change(resource, SetFlag, lambda kind, body, who: requests.setflag(kind, body.id, body.flag, asked_by=who))


@resource.takes(GetFields, Role.VIEWER, gives=Objects)
def getfields(request: Asked, body: GetFields) -> HttpResponseBase:
    return stream_rows(requests.getfields())


@resource.takes(GetShort, Role.VIEWER, gives=Objects)
def getshort(request: Asked, body: GetShort) -> dict[str, Any]:
    return {"msg": requests.getshort(body.field, body.band)}


@resource.takes(ProcessTile, Role.VIEWER)
def process(request: Asked, body: ProcessTile) -> dict[str, Any]:
    tile: dict[str, Any] = {"tile_id": body.id, "field": body.field, "band": body.band}
    tile |= {"code": body.code, "status": body.status}
    return plan_or_queue(
        request,
        body.plan,
        lambda: requests.plan_tile(**tile),
        lambda by: requests.process_tile(**tile, asked_by=by),
    )


@resource.takes(ProcessField, Role.VIEWER)
def processfield(request: Asked, body: ProcessField) -> dict[str, Any]:
    return plan_or_queue(
        request,
        body.plan,
        lambda: requests.plan_field(body.field, code=body.code, status=body.status),
        lambda by: requests.process_field(body.field, code=body.code, status=body.status, asked_by=by),
    )


@resource.takes(SetTileStatus)
def setstatus(request: Asked, body: SetTileStatus) -> dict[str, Any]:
    who = request.auth.username
    match body:
        case SetTileStatus(start=date() as start, end=date() as end, flag=int(flag)):
            tiles = start, end, body.contains, flag
            return outcome(requests.setstatus_tiles(*tiles, body.status, asked_by=who))
        case SetTileStatus(id=int(tile)):
            return outcome(requests.setstatus("finaltiles", tile, body.status, asked_by=who))
    raise Invalid("give an id, or startDate, endDate, contains and flag")


@resource.takes(SetTileSuperflat)
def setsuperflat(request: Asked, body: SetTileSuperflat) -> dict[str, Any]:
    who = request.auth.username
    return outcome(requests.setsuperflat_tile(body.field, body.band, body.superflatid, asked_by=who))
