"""The survey's progress, the configuration in force, free queries, and the old paths of the colour image."""

from typing import Any

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.bodies import Body, Nothing
from marserver.api.fields import FieldName, FileName, Setting, Sql, Word, YesNo
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests


class SetItem(Body):
    """One item of the configuration; an empty value restores the default."""

    section: Word
    item: Word
    value: Setting


class SetConf(Body):
    """Another file of CONFIG."""

    config_name: FileName


class Query(Body):
    """One reading statement."""

    query: Sql = Field(description="one statement starting with SELECT or WITH")


class Colour(Body):
    """The colour image of a field."""

    field: FieldName
    request_order: YesNo = Field(False, description="also ask for it where there is none")


class Twelve(Body):
    """A field."""

    field: FieldName


get_conf = Resource("getConf", about="The configuration in force")
get_operation = Resource("getOperation", "getOperationsStats", about="Progress of the survey")
set_item = Resource("setItemConf", about="Set one item of the configuration")
set_conf = Resource("set_conf", about="Switch to another configuration file")
raw_query = Resource("rawQuery", about="One read-only statement; the answer is the path of a CSV file")
colour = Resource("get_trilogy_image", about="Path of the colour image of a field")
twelve = Resource("request_twelve_im", about="Queue the colour image of a field")

set_item.not_yet(SetItem, role=Role.ADMINISTRATOR)
set_conf.not_yet(SetConf, role=Role.ADMINISTRATOR)
raw_query.not_yet(Query, role=Role.VIEWER)
colour.not_yet(Colour, role=Role.VIEWER)
twelve.not_yet(Twelve)

resources = (get_conf, get_operation, set_item, set_conf, raw_query, colour, twelve)


@get_conf.takes(Nothing, Role.VIEWER)
def configuration(request: Asked, body: Nothing) -> dict[str, Any]:
    values, schema = requests.get_conf()
    return {"msg": values, "schema": schema}


@get_operation.takes(Nothing, Role.VIEWER)
def progress(request: Asked, body: Nothing) -> dict[str, Any]:
    numbers, more = requests.get_operation()
    return {"msg": numbers, "progress": more}
