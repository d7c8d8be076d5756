"""The versions of a configuration file, kept for ever: CONFIG/versions/mar.toml.0007."""

import re
from pathlib import Path

from mar.io.atomic import write_bytes
from mar.plain_yaml import read_small
from marserver.reduction.configuration.names import folder

MOST_BYTES = 1024 * 1024


def path_of(name: str, number: int) -> Path:
    """Where a version stands."""
    return folder() / "versions" / f"{name}.{number:04d}"


def numbers(name: str) -> list[int]:
    """The versions that are kept, in order."""
    wanted = re.compile(re.escape(name) + r"\.([0-9]{4,9})")
    place = folder() / "versions"
    found = (wanted.fullmatch(one.name) for one in place.iterdir()) if place.is_dir() else ()
    return sorted(int(match[1]) for match in found if match)


def keep(name: str, number: int, text: str) -> None:
    """Keep the text of a version; one that is there already stays as it is."""
    if not path_of(name, number).exists():
        write_bytes(path_of(name, number), text.encode("utf-8", "surrogateescape"))


def text_of(name: str, number: int) -> str:
    """The text of a version; raises OSError."""
    return read_small(path_of(name, number), MOST_BYTES).decode("utf-8", "surrogateescape")
