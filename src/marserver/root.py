"""The data root of a command: which one it is, and that its folders and database are there and up to date."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mar.errors import BadConfig

MARKS = ("CONFIG/secret_key", "mar.sqlite3")


def choose_root(given: Path | None) -> Path:
    """`--root`, else MAR_ROOT, else the working folder if it already is a data root. Raises BadConfig."""
    text = os.environ.get("MAR_ROOT", "").strip()
    if given is not None or text:
        return (given or Path(text)).expanduser().resolve()
    here = Path.cwd()
    if any((here / mark).exists() for mark in MARKS):
        return here
    raise BadConfig(f"which data root? {here} holds none: give --root DIR or set MAR_ROOT")


def enter(root: Path) -> None:
    """Make the root if needed and set Django up for it. Raises BadConfig where it cannot be used."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"{root} cannot be a data root: {error.strerror}") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise BadConfig(f"{root} cannot be a data root: it may not be written by this user")
    os.environ["MAR_ROOT"] = str(root)
    set_up_django()


def set_up_django() -> None:
    """Load the settings and the applications. Raises BadConfig for a bad variable of the environment."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "marserver.settings"
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise BadConfig(str(error)) from error


def prepare(root: Path) -> None:
    """Enter the root, make its folders and bring its database up to date, also an empty one."""
    enter(root)
    from django.core.management import call_command

    from mar.io.names import Layout

    Layout(root).make_folders()
    with one_at_a_time(root / "CONFIG" / ".migrating"):
        make_private(root / "mar.sqlite3")
        call_command("migrate", verbosity=0, interactive=False)


def make_private(database: Path) -> None:
    """A database in the root is readable by its owner only: it holds the hashes of passwords."""
    from django.conf import settings

    if str(settings.DATABASES["default"]["NAME"]) == str(database):
        database.touch(mode=0o600)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Commands that start together on one root wait for each other here."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
