"""Files of the data root that a picture is made of, and whether they are still the same."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from marserver.errors import NotFound
from marserver.reduction import site
from marserver.reduction.paths import inside, is_kept_back, open_inside


@dataclass(frozen=True)
class Stamp:
    """A file as it was found: another one in its place has another stamp."""

    path: str
    changed_ns: int
    size: int


def opened(path: str | None) -> tuple[BinaryIO, Stamp]:
    """A file open for reading. Raises NotFound in a sentence where there is none below the data root."""
    if not path:
        raise NotFound("there is no file yet: it has not been made")
    found = inside(site.root(), path)
    if found is None or is_kept_back(found):
        raise NotFound(f"{path} is outside what may be shown of the data root")
    try:
        file = open_inside(site.root(), found)
    except OSError as error:
        raise NotFound(f"{path} is missing below the data root ({error.strerror})") from error
    status = os.fstat(file.fileno())
    return file, Stamp(path, status.st_mtime_ns, status.st_size)


def stamp_of(path: str | None) -> Stamp:
    """The stamp of a file; raises NotFound."""
    file, stamp = opened(path)
    file.close()
    return stamp


def is_there(path: str | None) -> bool:
    """Whether there is such a file that may be shown."""
    try:
        stamp_of(path)
    except NotFound:
        return False
    return True
