"""The configuration in force, and changing it."""

from typing import Any

from marserver.accounts.models import Role
from marserver.api.bodies import Body, Nothing
from marserver.api.fields import FileName, Setting, Word
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


get_conf = Resource("getConf", about="The configuration in force")
set_item = Resource("setItemConf", about="Set one item of the configuration")
set_conf = Resource("set_conf", about="Switch to another configuration file")
set_item.not_yet(SetItem, role=Role.ADMINISTRATOR)
set_conf.not_yet(SetConf, role=Role.ADMINISTRATOR)

resources = (get_conf, set_item, set_conf)


@get_conf.takes(Nothing, Role.VIEWER)
def configuration(request: Asked, body: Nothing) -> dict[str, Any]:
    values, schema = requests.get_conf()
    return {"msg": values, "schema": schema}
