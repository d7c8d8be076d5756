"""What a client calls a path becomes a file or folder below the data root here, and nowhere else.

Two steps: `below_root` follows the links and checks where they lead; `open_inside` opens what was found
without following any link, so that a link put in its place in between leads nowhere.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path, PurePath
from typing import BinaryIO

from django.conf import settings

from marserver.errors import Invalid, NotFound
from marserver.reduction import site

OLD_SPELLING = "/reductionmedia"
HIDDEN = ("CONFIG", "TMP")
SQLITE = "mar.sqlite3"
LONGEST = 500  # characters of a path in the database
ON_THE_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
AT_THE_END = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def folder_below(text: str, parameter: str = "path") -> str:
    """A folder as a path relative to the data root, links followed; "." is the root itself.

    Raises Invalid for a path outside the root, NotFound where there is no such folder.
    """
    found = below_root(text, parameter)
    if not stat.S_ISDIR(mode_of(found)):
        raise NotFound(f"no folder {text} below the data root")
    return found


def file_below(text: str, parameter: str) -> str:
    """A file as a path relative to the data root, links followed.

    Raises Invalid for what is outside the root or no file, NotFound where there is nothing.
    """
    found = below_root(text, parameter)
    mode = mode_of(found)
    if not mode:
        raise NotFound(f"no file {text} below the data root")
    if not stat.S_ISREG(mode):
        raise Invalid(f"{parameter}: {text} is not a file; give the path of a FITS file below the data root")
    return found


def mode_of(found: str) -> int:
    """What stands at a path below the data root, as the file system says it; 0 where nothing does."""
    try:
        return (site.root() / found).lstat().st_mode
    except OSError:
        return 0


def below_root(text: str, parameter: str = "path") -> str:
    """A path relative to the data root, links followed, whether or not there is anything; raises Invalid."""
    asked = text.strip()
    if asked == OLD_SPELLING or asked.startswith(OLD_SPELLING + "/"):
        asked = asked.removeprefix(OLD_SPELLING).lstrip("/")
    found = inside(site.root(), asked)
    if found is None:
        raise Invalid(f"{parameter}: {text!r} is outside the data root; give a path below it")
    if len(found) > LONGEST:
        raise Invalid(f"{parameter}: the path has more than {LONGEST} characters")
    return found


def inside(root: Path, path: str | PurePath) -> str | None:
    """A path relative to a folder, links followed; None where it leads out of it or cannot be a path."""
    try:
        real = Path(os.path.realpath(root / path))
        real.as_posix().encode()
    except ValueError:  # NUL, or what no text of a file system has
        return None
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def open_below(root: Path, path: str) -> BinaryIO:
    """A file of the data root open for reading, links followed that stay in it; raises OSError."""
    with suppress(OSError):
        return open_inside(root, path)  # most paths hold no link, and need not be looked at twice
    found = inside(root, path)
    if found is None:
        raise PermissionError(errno.EACCES, "it leads out of the data root")
    return open_inside(root, found)


def open_inside(root: Path, path: str) -> BinaryIO:
    """A file below a folder open for reading; no link is followed on the way.

    Raises OSError, also for everything that is no file below it. Pipes are not waited for, devices not
    touched.
    """
    *folders, name = PurePath(path).parts or ("",)
    if ".." in (*folders, name) or PurePath(path).is_absolute():
        raise OSError(errno.EACCES, "it is not a path below the folder")
    place = os.open(root, ON_THE_WAY)
    try:
        for folder in folders:
            below = os.open(folder, ON_THE_WAY, dir_fd=place)
            os.close(place)
            place = below
        check_regular(os.stat(name, dir_fd=place, follow_symlinks=False))
        file = os.fdopen(os.open(name, AT_THE_END, dir_fd=place), "rb")
    finally:
        os.close(place)
    try:
        check_regular(os.fstat(file.fileno()))
    except OSError:
        file.close()
        raise
    return file


def check_regular(status: os.stat_result) -> None:
    """Raise OSError unless it is a file."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a link, a folder, a pipe or a device, not a file")


def is_kept_back(path: str) -> bool:
    """Whether a file of the data root, its links followed, is for the server alone.

    These are CONFIG, TMP, what has a name that begins with a dot, and the database with its journals.
    """
    parts = PurePath(path).parts
    if not parts or parts[0] in HIDDEN or any(part.startswith(".") for part in parts):
        return True
    return parts[-1].startswith(SQLITE) or is_database(site.root() / path)


def is_database(path: Path) -> bool:
    """Whether it is the SQLite database in use, or its journal, wherever the settings put it."""
    described = settings.DATABASES["default"]
    if not described["ENGINE"].endswith("sqlite3"):
        return False
    database = os.path.realpath(str(described["NAME"]))
    return str(path) == database or str(path).startswith(f"{database}-")
