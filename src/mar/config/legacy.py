"""Configurations of the existing system: its YAML, converted item by item."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mar.config import Config, config_from_dict
from mar.config.naming import OTHER_SPELLINGS, READ_ONLY, items
from mar.config.values import read_item
from mar.errors import BadConfig
from mar.plain_yaml import read_yaml


@dataclass(frozen=True)
class Imported:
    """A configuration that came from YAML, and what in the file means nothing here."""

    config: Config
    unknown: tuple[str, ...]  # `Section.ITEM`, or a section
    with_camera: bool  # the file describes a camera too, which `mar camera import` reads


def import_config(path: Path) -> Imported:
    """The configuration that a YAML file holds; raises BadYaml, or BadConfig naming section and item."""
    values: dict[str, dict[str, Any]] = {}
    unknown: list[str] = []
    found = read_yaml(path)
    for name, section in found.items():
        if name in items():
            values[name] = _section(path, name, section, unknown)
        elif name != READ_ONLY:
            unknown.append(_printable(name))
    return Imported(config_from_dict(values, str(path)), tuple(unknown), READ_ONLY in found)


def _section(path: Path, name: str, section: Any, unknown: list[str]) -> dict[str, Any]:
    if section is not None and not isinstance(section, dict):
        raise BadConfig(f"{path}: {name} should hold `item: value` lines")
    values = {}
    for item, value in (section or {}).items():
        own = OTHER_SPELLINGS.get((name, str(item)), str(item))
        if own not in items()[name]:
            unknown.append(f"{name}.{_printable(item)}")
        elif value not in (None, ""):
            values[own] = _value(path, name, own, value)
    return values


def _printable(name: Any) -> str:
    text = repr(name) if not isinstance(name, str) else name
    return "".join(one if one.isprintable() else "?" for one in text[:100])


def _value(path: Path, section: str, item: str, value: Any) -> Any:
    try:
        return read_item(section, item, value)
    except BadConfig as error:
        raise BadConfig(f"{path}: {error}") from error
