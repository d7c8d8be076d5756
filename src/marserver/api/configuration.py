"""The configuration in force, changing it, its history, and the way back."""

from typing import Any

from pydantic import Field

from marserver.accounts.models import Role
from marserver.api.answers import Objects, Values
from marserver.api.bodies import Body, Nothing
from marserver.api.common import outcome
from marserver.api.fields import FileName, SectionName, Setting, Whole, Word
from marserver.api.guard import Asked
from marserver.api.resources import Resource
from marserver.reduction import requests

MOST_CHANGES = 10_000


class SetItem(Body):
    """One item of the configuration."""

    section: SectionName = Field(description="a section of getConf, but Instrument")
    item: Word = Field(description="an item of the section")
    value: Setting = Field(description="checked against the schema; an empty text restores the default")


class SetConf(Body):
    """Another file of CONFIG."""

    config_name: FileName = Field(description="one of `files` of getConf: TOML, or YAML, which is converted")


class ConfHistory(Body):
    """How many changes."""

    limit: Whole = Field(100, description="at most so many changes")


class UndoConf(Body):
    """Back to an earlier version."""

    version: Whole | None = Field(
        None, description="of the file in force; without it the one before; 0 restores all defaults"
    )


get_conf = Resource("getConf", about="The configuration in force, with its schema")
set_item = Resource("setItemConf", about="Set one item of the configuration")
set_conf = Resource("set_conf", about="Switch to another configuration file")
history = Resource("getConfHistory", about="Who changed the configuration and how, newest first")
undo = Resource("undoConf", about="Bring an earlier version of the configuration back")

resources = (get_conf, set_item, set_conf, history, undo)


@get_conf.takes(Nothing, Role.VIEWER, gives=Values)
def configuration(request: Asked, body: Nothing) -> dict[str, Any]:
    return requests.get_conf()


@set_item.takes(SetItem, Role.ADMINISTRATOR)
def set_one(request: Asked, body: SetItem) -> dict[str, Any]:
    done = requests.set_item(body.section, body.item, body.value, asked_by=request.auth.username)
    return outcome(done)


@set_conf.takes(SetConf, Role.ADMINISTRATOR)
def switch(request: Asked, body: SetConf) -> dict[str, Any]:
    return outcome(requests.set_conf(body.config_name, asked_by=request.auth.username))


@history.takes(ConfHistory, Role.VIEWER, gives=Objects)
def changes(request: Asked, body: ConfHistory) -> dict[str, Any]:
    return {"msg": requests.conf_history(min(body.limit, MOST_CHANGES))}


@undo.takes(UndoConf, Role.ADMINISTRATOR)
def back(request: Asked, body: UndoConf) -> dict[str, Any]:
    return outcome(requests.undo_conf(body.version, asked_by=request.auth.username))
