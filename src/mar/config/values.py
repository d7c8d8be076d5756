"""Values of items as people and clients send them: text, numbers, lists joined by commas."""

import json
import math
from collections.abc import Mapping
from typing import Any

from mar.config import config_from_dict, config_to_dict
from mar.config.naming import item_name, items, section_name
from mar.errors import BadConfig

Rule = Mapping[str, Any]

YES, NO = {"true", "t", "yes", "y", "on", "1"}, {"false", "f", "no", "n", "off", "0"}
KINDS = {
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "boolean": ("true or false", "true or false"),
    "string": ("text", "words"),
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def read_item(section: str, item: str, value: Any) -> Any:
    """A value as JSON has it, checked; raises BadConfig, which names section, item and what is accepted."""
    section = section_name(section)
    item = item_name(section, item)
    rule = items()[section][item]["accepted"]
    try:
        values = {section: {item: shaped(value, rule)}}
    except (ValueError, OverflowError, RecursionError) as error:
        said = f"{section}.{item}: {shown(value)} is not accepted; it takes {accepted(rule)}"
        raise BadConfig(said) from error
    try:
        return config_to_dict(config_from_dict(values, ""))[section][item]
    except BadConfig as error:
        raise BadConfig(f"{str(error).removeprefix(': ')}; it takes {accepted(rule)}") from error


def shaped(value: Any, rule: Rule) -> Any:
    """A value in the shape of its item, from text where it is text; raises ValueError."""
    if rule.get("type") == "array":
        inside = rule["prefixItems"][0] if "prefixItems" in rule else rule["items"]
        return [shaped(one, inside) for one in members(value, inside)]
    return SCALARS[rule.get("type", "string")](value)


def members(value: Any, inside: Rule) -> list[Any]:
    """The members of a list, of JSON text, or of text with commas; a flat list is one row of a grid."""
    grid = inside.get("type") == "array"
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json.loads(value)
    elif isinstance(value, str) and not grid:
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) and grid:
        raise ValueError("not a list")
    if not isinstance(value, list) or (grid and value and not isinstance(value[0], list)):
        return [value]
    return value


def whole(value: Any) -> int:
    """A whole number, also as text."""
    if isinstance(value, str):
        word = value.strip()
        value = int(word) if word.lstrip("+-").isdecimal() else number(word)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError("not a whole number")
    return int(value)


def number(value: Any) -> float:
    """A finite number, also as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    if not math.isfinite(float(value)):
        raise ValueError("not finite")
    return float(value)


def truth(value: Any) -> bool:
    """True or false, also as text in any case."""
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in YES | NO:
        raise ValueError("neither true nor false")
    return word in YES


def words(value: Any) -> str:
    """Text, blanks around it dropped."""
    if not isinstance(value, str):
        raise ValueError("not text")
    return value.strip()


SCALARS = {"integer": whole, "number": number, "boolean": truth, "string": words}


def shown(value: Any) -> str:
    """A value in a sentence: short, on one line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits, lists too deep
        return "the value"
    return text if len(text) <= 60 else text[:57] + "..."


def accepted(rule: Rule) -> str:
    """What an item takes, in words."""
    if "enum" in rule:
        return "one of " + ", ".join(rule["enum"])
    if rule.get("type") != "array":
        return ", ".join([KINDS[rule.get("type", "string")][0], *bounds(rule)])
    if "prefixItems" in rule:
        return f"{len(rule['prefixItems'])} {KINDS[rule['prefixItems'][0]['type']][1]} joined by commas"
    inside = rule["items"]
    if inside.get("type") == "array":
        return f"lists of {KINDS[inside['items']['type']][1]} as JSON, like [[1, 2], [3, 4]]"
    return f"{KINDS[inside['type']][1]} joined by commas"


def bounds(rule: Rule) -> list[str]:
    """`at least 0` and the like."""
    return [f"{said} {rule[key]:g}" for key, said in BOUNDS.items() if key in rule]
