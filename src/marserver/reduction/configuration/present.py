"""A configuration file as it stands now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from mar.config import Config, config_from_toml
from mar.errors import BadConfig
from mar.plain_yaml import read_small
from marserver.reduction.configuration import names, versions
from marserver.reduction.configuration.stamp import Stamp, taken_apart


@dataclass(frozen=True)
class Present:
    """A file, its version, and whether it was edited by hand since the server wrote it."""

    name: str
    text: str
    body: str  # the text without its stamp
    stamp: Stamp  # of an edit by hand: the one that it will be noted with
    edited: bool

    @property
    def version(self) -> int:
        """The number of this version; 0 is the state before there was a file: all defaults."""
        return self.stamp.version

    @property
    def config(self) -> Config:
        """What the file says; raises BadConfig."""
        return parsed(self.text, self.name)


def present(name: str) -> Present:
    """A file as it stands; raises BadConfig where it cannot be read at all."""
    text = read(name)
    last = max(versions.numbers(name), default=0)
    if text is None and last == 0:
        return Present(name, "", "", Stamp(0, "", "", "defaults"), edited=False)
    stamp, body = taken_apart(name, text or "")
    if stamp is not None and stamp.version >= last:
        return Present(name, text or "", body, stamp, edited=False)
    by_hand = Stamp(last + 1, changed_at(names.folder() / name), "", "edited by hand")
    return Present(name, text or "", body, by_hand, edited=True)


def read(name: str) -> str | None:
    """The text of a file of CONFIG, None where it is not there; raises BadConfig."""
    try:
        return read_small(names.folder() / name).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadConfig(f"{name} cannot be read: {error}") from error


def changed_at(path: Path) -> str:
    """When a file was changed last, or now where it is gone."""
    try:
        return as_text(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except FileNotFoundError:
        return as_text(datetime.now(UTC))


def as_text(time: datetime) -> str:
    """A time as stamps have it."""
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=16)
def parsed(text: str, name: str) -> Config:
    """The configuration of a text: parsed once, and never older than the text itself."""
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise BadConfig(f"{name} cannot be read as TOML: it is not UTF-8")
    return config_from_toml(text, name)


def config_in_force() -> Config:
    """What counts now; raises BadConfig."""
    name = names.in_force()
    return parsed(read(name) or "", name)
