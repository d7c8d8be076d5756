"""Numbers, paths and states in words."""

import json
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.safestring import SafeString, mark_safe

from marserver.archive.models import FrameStatus

register = template.Library()

FRAME_STATES = {
    FrameStatus.RAW: "raw",
    FrameStatus.FLATTENED: "flattened",
    FrameStatus.DEFRINGED: "defringed",
    FrameStatus.MASKED: "masked",
    FrameStatus.SOLVED: "solved",
    FrameStatus.READY: "ready to coadd",
}


@register.filter
def media(path: str) -> str:
    """The address of a file of the data root."""
    return "/media/" + quote(path)


@register.filter
def file_name(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


@register.filter
def frame_state(status: int) -> str:
    """How far a frame is, in a word."""
    return FRAME_STATES[FrameStatus(status)]


@register.filter
def digits(value: Any) -> str:
    """A number with five significant digits; a dash where it is unknown."""
    if value is None or value == "":
        return "–"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


@register.filter
def moment(text: str | None) -> str:
    """A time of an answer, to the second."""
    return "–" if not text else str(text)[:19].replace("T", " ")


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """One value of a mapping."""
    return mapping.get(key)


@register.filter
def flag_words(flag: int, names: list[str]) -> str:
    """A flag in the words of the configuration."""
    if flag < 0:
        return "not reviewed"
    found = [name for bit, name in enumerate(names) if flag >> bit & 1]
    return ", ".join(found) or "good"


@register.filter
def has_bit(flag: int, bit: int) -> bool:
    """Whether a flag holds a bit; one that was not reviewed holds none."""
    return flag >= 0 and bool(flag >> bit & 1)


@register.filter
def bit_value(bit: int) -> str:
    """The number of a bit of a flag, as an address has it."""
    return str(1 << bit)


@register.filter
def mas(arcsec: float | None) -> str:
    """An angle in milliarcseconds."""
    return "–" if arcsec is None else f"{1000 * arcsec:.0f}"


@register.filter
def as_json(value: Any) -> SafeString:
    """Plain values for a script element; what could end it is written otherwise."""
    text = json.dumps(value)
    return mark_safe(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
