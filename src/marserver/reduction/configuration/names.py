"""Which files of CONFIG are configurations, and which one is in force."""

import re
from pathlib import Path

from django.conf import settings

from mar.errors import BadConfig
from mar.io.atomic import write_bytes
from mar.plain_yaml import read_small

DEFAULT = "mar.toml"  # in force where nothing else was chosen; without the file all items have their defaults
ENDINGS = (".toml", ".yaml", ".yml")
NAME = re.compile(r"[^./\\][^/\\]*\.(toml|yaml|yml)")


def folder() -> Path:
    """The folder of all configuration files."""
    return Path(settings.MAR_ROOT) / "CONFIG"


def is_name(name: str) -> bool:
    """Whether a text can name a configuration file: no path, nothing hidden, one of the endings."""
    return name.isprintable() and NAME.fullmatch(name) is not None and len(name.encode()) <= 200


def there_are() -> list[str]:
    """The names that set_conf accepts."""
    found = {DEFAULT}
    if folder().is_dir():
        found |= {one.name for one in folder().iterdir() if is_name(one.name) and is_plain(one)}
    return sorted(found)


def is_plain(path: Path) -> bool:
    """Whether this is a regular file, no link."""
    return path.is_file() and not path.is_symlink()


def in_force() -> str:
    """The name of the file in force; raises BadConfig where the choice cannot be read."""
    try:
        name = read_small(folder() / "in_force", 1000).decode().strip()
    except (FileNotFoundError, NotADirectoryError):
        return DEFAULT
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"CONFIG/in_force cannot be read: {error}") from error
    if not is_name(name) or not name.endswith(".toml"):
        raise BadConfig(f"CONFIG/in_force names {name!r}, which is no configuration; choose one by set_conf")
    if name != DEFAULT and not (folder() / name).exists():
        raise BadConfig(
            f"{name} is not in CONFIG any more; choose another by set_conf: {', '.join(there_are())}"
        )
    return name


def choose(name: str) -> None:
    """Put another file in force."""
    write_bytes(folder() / "in_force", f"{name}\n".encode())
