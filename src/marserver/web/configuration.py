"""The configuration in force: every item with its sentence, unit, default and limits; history and undo."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from mar.config.values import accepted as in_words
from mar.errors import BadConfig
from marserver.accounts.models import Role
from marserver.reduction import requests
from marserver.web.pages import page, show

MOST_CHANGES = 50
CAMERA = "Instrument"  # read only


class Item(NamedTuple):
    """One item as the page shows it."""

    name: str
    about: dict[str, Any]  #: of the schema: sentence, unit, default, accepted
    value: str  #: as it is typed
    default: str
    kind: str  #: boolean, choice, number, text
    choices: list[str]
    step: str
    takes: str  #: what it accepts, in words

    @property
    def changed(self) -> bool:
        """Whether it is not the default."""
        return self.value != self.default


class Section(NamedTuple):
    """The items of one section."""

    name: str
    items: list[Item]

    @property
    def changed(self) -> int:
        """How many of them differ from their defaults."""
        return sum(one.changed for one in self.items)


@page
def configuration(request: HttpRequest) -> HttpResponse:
    """GET /configuration."""
    try:
        now = requests.get_conf()
    except BadConfig as error:
        return show(request, "configuration", "web/configuration/page.html", broken=str(error))
    sections = [
        Section(section, [item(name, about, now["msg"][section][name]) for name, about in items.items()])
        for section, items in now["schema"].items()
        if section != CAMERA
    ]
    content = {
        "sections": sections,
        "camera": now["msg"].get(CAMERA, {}),
        "now": now,
        "history": [with_values(one) for one in requests.conf_history(MOST_CHANGES)],
        "may_change": request.user.may(Role.ADMINISTRATOR),  # type: ignore[union-attr]
    }
    return show(request, "configuration", "web/configuration/page.html", **content)


def item(name: str, about: dict[str, Any], value: Any) -> Item:
    """An item of the schema with its value."""
    accepted = about["accepted"]
    choices = [str(one) for one in accepted.get("enum", [])]
    kinds = {"boolean": "boolean", "integer": "number", "number": "number"}
    kind = "choice" if choices else kinds.get(about["type"], "text")
    step = "1" if about["type"] == "integer" else "any"
    shown, usual = typed(value), typed(about["default"])
    return Item(name, about, shown, usual, kind, choices, step, in_words(accepted))


def typed(value: Any) -> str:
    """A value as one types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(typed(one) for one in value)
    return "" if value is None else str(value)


def with_values(change: dict[str, Any]) -> dict[str, Any]:
    """A change of the history, with each item that it touched: name, before, after."""
    before, after = change["before"], change["after"]
    names = sorted({*before, *after})
    return {**change, "changed": [(name, typed(before.get(name)), typed(after.get(name))) for name in names]}
