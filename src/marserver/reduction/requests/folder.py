"""Asking for a scan of a folder."""

from pathlib import Path

from marserver.errors import Invalid, NotFound
from marserver.jobs import queue
from marserver.reduction import site
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import queued

OLD_SPELLING = "/reductionmedia"


def scan_folder(path: str = "", *, contains: str = "", asked_by: str = "") -> Outcome:
    """Queue the scan of a folder below the data root; `contains` is a part of the path of files.

    Raises Invalid for a path outside the root, NotFound where there is no such folder, Conflict where
    it is queued already.
    """
    folder = below_root(path)
    params = {"path": folder, "contains": contains}
    order = queue.Order("scan_folder", "folder", folder, params=params, user=asked_by)
    return queued(queue.enqueue(order), path=folder)


def below_root(path: str) -> str:
    """A folder as a path relative to the data root; "." is the root itself."""
    root = site.root()
    text = path.strip()
    if "\0" in text:
        raise Invalid("path: not a path")
    if text == OLD_SPELLING or text.startswith(OLD_SPELLING + "/"):
        text = text.removeprefix(OLD_SPELLING).lstrip("/")
    folder = (root / Path(text)).resolve()
    if not folder.is_relative_to(root):
        raise Invalid(f"path: {path} is outside the data root; give a folder below it")
    if not folder.is_dir():
        raise NotFound(f"no folder {path} below the data root")
    return folder.relative_to(root).as_posix()
