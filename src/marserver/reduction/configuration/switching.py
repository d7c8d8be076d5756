"""Putting another configuration file in force; inside `alone`."""

from pathlib import Path

from mar.config import given_to_toml
from mar.config.legacy import Imported, import_config
from mar.errors import BadConfig
from marserver.errors import Conflict, Invalid
from marserver.reduction.configuration import change, names, versions
from marserver.reduction.configuration.present import Present, present
from marserver.reduction.configuration.stamp import taken_apart

MOST_NOTED = 100  # names that mean nothing here, in the audit


def switch(name: str, imported: Imported | None, user: str) -> Present:
    """Put a file in force, stored as TOML first where it came from YAML; gives it as it stands.

    Raises Invalid where it is no configuration; then nothing has changed.
    """
    if imported is not None:
        name = converted(name, imported, user)
    check(name)
    now = change.settled(name)
    change.choose(name, user)
    return now


def check(name: str) -> None:
    """Raise Invalid where a file is no configuration."""
    try:
        present(name).config  # noqa: B018 - reads it
    except BadConfig as error:
        raise Invalid(f"config_name: {error}") from error


def imported_from(name: str) -> Imported:
    """What a YAML file says; raises Invalid."""
    try:
        return import_config(names.folder() / name)
    except BadConfig as error:
        raise Invalid(f"config_name: {str(error).removeprefix(f'{names.folder()}/')}") from error


def converted(name: str, imported: Imported, user: str) -> str:
    """Store a YAML file as TOML beside it, unless that was done before; gives the name of the TOML file.

    Items set since then stay, as they do in any file that one comes back to; a YAML file that was edited
    since is converted again, as a new version. Raises Conflict where the TOML file is another one.
    """
    target = Path(name).with_suffix(".toml").name
    body = given_to_toml(imported.config)
    earlier = conversion(target, name)
    if earlier is None and (names.folder() / target).exists():
        raise Conflict(
            f"config_name: {target} is there and was not made from {name}; choose it, or rename one"
        )
    if earlier != body or not (names.folder() / target).exists():
        noted = {"converted": name, "unknown": list(imported.unknown[:MOST_NOTED])}
        change.renew(change.settled(target), body, user, "set_conf", name, **noted)
    return target


def conversion(target: str, name: str) -> str | None:
    """What the last conversion of a YAML file gave, None where there was none."""
    for number in reversed(versions.numbers(target)):
        stamp, body = taken_apart(target, change.kept(target, number))
        if stamp is not None and (stamp.action, stamp.detail) == ("set_conf", name):
            return body
    return None
