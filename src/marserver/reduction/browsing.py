"""Looking into the folders below the data root, to choose one for a scan."""

import os
from typing import NamedTuple

from marserver.reduction import site
from marserver.reduction.folders import ENDINGS, is_entered
from marserver.reduction.paths import folder_below

MOST = 500  # folders that are shown


class Folder(NamedTuple):
    """A folder below the data root."""

    path: str  #: "" is the root itself
    above: list[tuple[str, str]]  #: the folders that hold it, name and path, the root first
    folders: list[tuple[str, str]]  #: those in it that a scan enters
    frames: int  #: FITS files in it, not in those below
    more: bool  #: whether it has more folders than these


def browse(path: str = "") -> Folder:
    """What a folder holds. Raises Invalid for a path outside the root, NotFound where there is nothing."""
    here = folder_below(path).removeprefix(".")
    place = f"{here}/" if here else ""
    with os.scandir(site.root() / here) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    below = [(entry.name, place + entry.name) for entry in found if is_entered(entry, place)]
    frames = sum(entry.name.endswith(ENDINGS) and not entry.name.startswith(".") for entry in found)
    return Folder(here, above(here), below[:MOST], frames, len(below) > MOST)


def above(path: str) -> list[tuple[str, str]]:
    """The folders on the way to a path, the root first."""
    parts = path.split("/")[:-1] if path else []
    return [("data root", "")] * bool(path) + [
        (name, "/".join(parts[: n + 1])) for n, name in enumerate(parts)
    ]
