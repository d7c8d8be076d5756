"""Walking a folder of raw frames."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from mar.io.names import PRODUCT_FOLDERS
from marserver.reduction.paths import LONGEST, inside

ENDINGS = (".fits", ".fits.fz")
TRUTH = "TRUTH"  # what the simulator leaves beside its frames
LONGEST_NAME = 200  # products add words of their own to it, and a file system takes 255


@dataclass(frozen=True)
class Found:
    """A FITS file, and why it may not be read, where it may not."""

    path: str  # relative to the root
    refused: str = ""


def walk(root: Path, folder: str, contains: str = "") -> Iterator[Found]:
    """The FITS files below a folder of the data root, sorted; what is no file of the root is refused.

    `.fits` and `.fits.fz` of one name in one folder are one frame: the first is given.
    """
    waiting = ["" if folder == "." else f"{folder}/"]
    while waiting:
        place = waiting.pop()
        try:
            entries = sorted(os.scandir(root / place), key=lambda entry: entry.name)
        except OSError as error:
            yield Found(printable(place), f"{printable(place)}: cannot be read: {error.strerror}")
            continue
        folders = [f"{place}{entry.name}/" for entry in entries if is_entered(entry, place)]
        waiting.extend(reversed(folders))
        yield from frames(root, place, entries, contains)


def is_entered(entry: os.DirEntry[str], place: str) -> bool:
    """Whether a scan enters what it finds: folders but those of products, truth and hidden ones."""
    product = place == "" and entry.name in PRODUCT_FOLDERS
    passed = product or entry.name == TRUTH or entry.name.startswith(".")
    return not passed and entry.is_dir(follow_symlinks=False)


def frames(root: Path, place: str, entries: list[os.DirEntry[str]], contains: str) -> Iterator[Found]:
    """The frames of one folder, each name once."""
    seen: set[str] = set()
    for entry in entries:
        path, name = place + entry.name, frame_name(entry.name)
        if (
            not entry.name.endswith(ENDINGS)
            or entry.name.startswith(".")
            or contains not in path
            or name in seen
            or entry.is_dir()
        ):
            continue
        reason = misnamed(path, name) or misplaced(root, path, entry)
        if reason:
            yield Found(printable(path), f"{printable(path)}: {reason}")
        else:
            seen.add(name)
            yield Found(path)


def misnamed(path: str, name: str) -> str:
    """Why the path of a file cannot be kept, or nothing: its name goes into headers and names of products."""
    if len(name) > LONGEST_NAME or len(path) > LONGEST:
        return f"its name has more than {LONGEST_NAME} characters, or its path more than {LONGEST}; rename it"
    if not (name.isascii() and path.isprintable()):
        return "its name holds characters that a FITS header cannot; rename it with plain letters"
    return ""


def frame_name(name: str) -> str:
    """The name of a frame, compressed or not."""
    return name.removesuffix(".fz").removesuffix(".fits")


def misplaced(root: Path, path: str, entry: os.DirEntry[str]) -> str:
    """Why what stands there is not read, or nothing: links stay below the root, outside products."""
    if not entry.is_symlink():
        return "" if entry.is_file(follow_symlinks=False) else "it is a pipe or a device, not a file"
    target = inside(root, path)
    if target is None:
        return "it is a link out of the data root"
    if PurePath(target).parts[:1] and PurePath(target).parts[0] in PRODUCT_FOLDERS:
        return f"it is a link into {PurePath(target).parts[0]}, which a scan passes by"
    if entry.is_file() or not (root / target).exists():
        return ""
    return "it is a link to a pipe or a device, not to a file"


def printable(path: str) -> str:
    """A path as it can be written into a log and a database."""
    return path if path.isprintable() else path.encode("unicode_escape", "backslashreplace").decode()
