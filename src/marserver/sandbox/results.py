"""The files of answers: each user's own folder below TMP/queries, random names, kept for a while."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

ENDINGS = {"csv": "csv", "json": "json", "votable": "vot"}
FOLDER = "TMP/queries"
# A user's files together hold at most so many times what one may
FILES_WORTH = 4


def folder_of(root: Path, user_id: int) -> Path:
    """The user's own folder; made where it is not there yet."""
    folder = root / FOLDER / str(user_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def new_file(folder: Path, form: str) -> Path:
    """A name that nobody guesses."""
    return folder / f"{secrets.token_hex(16)}.{ENDINGS[form]}"


def forget_old(root: Path, keep_s: float) -> None:
    """Remove every answer older than this, and what a killed process left."""
    for age, path in aged(root / FOLDER, "*/*"):
        if age > keep_s and not path.name.startswith(".turn-"):
            path.unlink(missing_ok=True)


def make_room(folder: Path, most_bytes: int) -> None:
    """Remove the oldest answers of a user until one more finds room."""
    kept = 0
    for _, path in sorted(aged(folder, "[!.]*")):
        kept += size_of(path)
        if kept > (FILES_WORTH - 1) * most_bytes:
            path.unlink(missing_ok=True)


def aged(folder: Path, pattern: str) -> Iterator[tuple[float, Path]]:
    """The files of a folder with their age in seconds."""
    now = time.time()
    for path in folder.glob(pattern):
        try:
            yield now - path.stat().st_mtime, path
        except FileNotFoundError:
            continue  # another query removed it


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where it went away."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
