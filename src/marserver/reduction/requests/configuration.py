"""The configuration in force, its items, its versions, and who changed what."""

from typing import Any

from mar.config import config_to_dict
from mar.config.legacy import Imported
from mar.config.naming import item_name, items, section_name
from mar.config.values import read_item, shown
from mar.errors import BadConfig
from marserver.archive.rows import plain
from marserver.audit.models import Change
from marserver.errors import Conflict, Invalid, NotFound
from marserver.reduction import site
from marserver.reduction.configuration import change, names, versions
from marserver.reduction.configuration.items import with_item
from marserver.reduction.configuration.lock import alone
from marserver.reduction.configuration.present import Present, parsed, present
from marserver.reduction.configuration.switching import imported_from, switch
from marserver.reduction.requests.outcome import Outcome

MOST_NAMED = 20  # in a sentence


def get_conf() -> dict[str, Any]:
    """What is in force: `msg` {section: {item: value}}, `schema`, the file and its version, other files."""
    now = present(names.in_force())
    values = config_to_dict(now.config)
    values["Instrument"] = site.camera().model_dump(mode="json", by_alias=True)
    return {
        "msg": values,
        "schema": items(),
        "config_name": now.name,
        "version": now.version,
        "files": names.there_are(),
    }


def set_item(section: str, item: str, value: Any, *, asked_by: str = "") -> Outcome:
    """Set one item of the file in force; an empty value restores the default.

    Raises Invalid naming the parameter, and BadConfig where the file in force cannot be read.
    """
    section, item = checked_names(section, item)
    wanted = None if value == "" else checked_value(section, item, value)
    with alone():
        now = change.settled_in_force()
        old = config_to_dict(now.config)[section][item]
        body = with_item(now.config, section, item, wanted)
        new = config_to_dict(parsed(body, now.name))[section][item]
        stamp = now.stamp
        if new != old:
            stamp = change.renew(now, body, asked_by, "setItemConf", f"{section}.{item}")
    words = f"{section}.{item} is {shown(new)} {'now' if new != old else 'already'}"
    values = {"section": section, "item": item, "value": new, "version": stamp.version}
    return Outcome(f"{words} ({now.name} version {stamp.version})", values)


def checked_names(section: str, item: str) -> tuple[str, str]:
    """The names of an item that can be set; raises Invalid."""
    try:
        section = section_name(section)
    except BadConfig as error:
        raise Invalid(f"section: {error}") from error
    try:
        return section, item_name(section, item)
    except BadConfig as error:
        raise Invalid(f"item: {error}") from error


def checked_value(section: str, item: str, value: Any) -> Any:
    """A value as the item takes it; raises Invalid."""
    try:
        return read_item(section, item, value)
    except BadConfig as error:
        raise Invalid(f"value: {error}") from error


def set_conf(config_name: str, *, asked_by: str = "") -> Outcome:
    """Put another file of CONFIG in force; YAML of the existing system is converted to a TOML file beside it.

    Raises Invalid for a path or a file that is no configuration, NotFound with the files there are, Conflict
    where the TOML file would replace another one.
    """
    if not names.is_name(config_name):
        raise Invalid(
            f"config_name: {config_name[:60]!r} is not the name of a configuration file: "
            f"no path, one of {', '.join(names.ENDINGS)}"
        )
    check_file(config_name)
    imported = None if config_name.endswith(".toml") else imported_from(config_name)
    with alone():
        now = switch(config_name, imported, asked_by)
    values: dict[str, Any] = {"config_name": now.name, "version": now.version}
    words = f"{now.name} version {now.version} is in force"
    if imported is None:
        return Outcome(words, values)
    said = f"{words}, converted from {config_name}{left_out(imported)}"
    return Outcome(said, {**values, "unknown": list(imported.unknown)})


def check_file(config_name: str) -> None:
    """Raise NotFound where there is no such file, Invalid where it is a link or no file."""
    path = names.folder() / config_name
    if not path.exists() and config_name != names.DEFAULT:
        raise NotFound(f"no {config_name} in CONFIG; there are {', '.join(names.there_are())}")
    if path.exists() and not names.is_plain(path):
        raise Invalid(f"config_name: {config_name} is a link or no file; put the file itself into CONFIG")


def left_out(imported: Imported) -> str:
    """What of a YAML file is not in the configuration made from it, in words."""
    words = "; Instrument stays as the camera says" if imported.with_camera else ""
    if imported.unknown:
        named, more = imported.unknown[:MOST_NAMED], len(imported.unknown) - MOST_NAMED
        words += f"; not known here, left out: {', '.join(named)}" + (f" and {more} more" if more > 0 else "")
    return words


def undo_conf(version: int | None = None, *, asked_by: str = "") -> Outcome:
    """Bring an earlier version of the file in force back, as a new version; by default the one before.

    Raises NotFound with the versions there are, Conflict where there is nothing to undo.
    """
    with alone():
        now = change.settled_in_force()
        wanted = now.version - 1 if version is None else version
        if wanted == now.version or wanted < 0:
            raise Conflict(f"{now.name} is at version {now.version}: there is nothing to undo")
        check_version(now, wanted)
        body = change.body_of(now.name, wanted)
        check_body(now, wanted, body)
        stamp = change.renew(now, body, asked_by, "undoConf", f"version {wanted}")
    values = {"config_name": now.name, "version": stamp.version}
    return Outcome(f"{now.name} is as in version {wanted} again, as version {stamp.version}", values)


def check_version(now: Present, wanted: int) -> None:
    """Raise NotFound where a version is not kept; 0 is the state before the first one."""
    there = [0, *versions.numbers(now.name)]
    if wanted not in there:
        raise NotFound(f"no version {wanted} of {now.name}; there are {ranges(there)}")


def check_body(now: Present, wanted: int, body: str) -> None:
    """Raise Conflict where a version was no configuration."""
    try:
        parsed(body, f"version {wanted} of {now.name}")
    except BadConfig as error:
        raise Conflict(f"{error}; choose another version") from error


def ranges(numbers: list[int]) -> str:
    """`0 to 7, 9`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join(" to ".join(map(str, part)) for part in parts)


def conf_history(limit: int = 100) -> list[dict[str, Any]]:
    """Who changed the configuration and how, newest first; also an edit by hand that is not noted yet."""
    rows = Change.objects.filter(kind=change.KIND).order_by("-id")[:limit]
    return [*edit_by_hand(), *map(told, rows)][:limit]


def told(row: Change) -> dict[str, Any]:
    """One change of the configuration."""
    before, after = dict(row.before), dict(row.after)
    before.pop("version", None)
    version = after.pop("version", None)
    return {
        "id": row.pk,
        "time": plain(row.time),
        "user": row.user,
        "action": row.action,
        "config_name": row.target,
        "version": version,
        "before": before,
        "after": after,
    }


def edit_by_hand() -> list[dict[str, Any]]:
    """The edit of the file in force that the next change will note, if there is one."""
    try:
        now = present(names.in_force())
    except BadConfig:
        return []
    if not now.edited:
        return []
    before, after = change.differences(change.kept(now.name, now.version - 1), now.text)
    row = {"id": None, "time": now.stamp.time, "user": "", "action": now.stamp.action}
    return [{**row, "config_name": now.name, "version": now.version, "before": before, "after": after}]
