"""Walking a folder of raw frames."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mar.io.fits import stem
from mar.io.names import PRODUCT_FOLDERS

ENDINGS = (".fits", ".fits.fz")
TRUTH = "TRUTH"  # what the simulator leaves beside its frames


@dataclass(frozen=True)
class Found:
    """A FITS file, and whether it may be read."""

    path: str  # relative to the root
    refused: str = ""


def walk(root: Path, folder: str, contains: str = "") -> Iterator[Found]:
    """The FITS files below a folder of the data root, sorted; links that lead out of the root are refused.

    `.fits` and `.fits.fz` of one name in one folder are one frame: the first is given.
    """
    for place, folders, files in os.walk(root / folder, followlinks=False):
        folders[:] = sorted(name for name in folders if wanted(root, Path(place), name))
        seen: set[str] = set()
        for name in sorted(files):
            path = Path(place, name)
            relative = path.relative_to(root).as_posix()
            if (
                name.startswith(".")
                or not name.endswith(ENDINGS)
                or contains not in relative
                or stem(path) in seen
            ):
                continue
            seen.add(stem(path))
            yield Found(relative, leads_out(root, path))


def wanted(root: Path, place: Path, name: str) -> bool:
    """Whether a scan enters a folder."""
    product = place == root and name in PRODUCT_FOLDERS
    return not (product or name == TRUTH or name.startswith("."))


def leads_out(root: Path, path: Path) -> str:
    """Why a file is refused, or nothing: a link must stay below the root."""
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return f"{path.relative_to(root)} is a link out of the data root"
    return ""
