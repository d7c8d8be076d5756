"""What the settings read from the environment: database URL, lists, the secret key kept in the root."""

import contextlib
import os
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from mar.errors import BadConfig

LOCAL_HOSTS = f"localhost,127.0.0.1,[::1],{socket.gethostname()}"
CONNECTION_AGE_S = 300
SQLITE_OPTIONS = {
    # Seconds that a writer waits for another one before "database is locked"
    "timeout": 30,
    # A transaction that reads first and writes later must not fail in the middle: take the write lock at once
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
}


def root_from_environment() -> Path | None:
    """The data root of MAR_ROOT, absolute, or None where it is not set."""
    text = os.environ.get("MAR_ROOT", "").strip()
    return Path(text).expanduser().resolve() if text else None


def words(name: str, default: str = "") -> list[str]:
    """A comma list of the environment, blanks dropped."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def whole(name: str, default: int, most: int) -> int:
    """A whole number of the environment, from 0 to `most`."""
    text = os.environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from 0 to {most}, not {text!r}")
    return int(text or default)


def natural(name: str, default: int, most: int) -> int:
    """A whole number of the environment, from 1 to `most`."""
    number = whole(name, default, most)
    if number < 1:
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 to {most}, not 0")
    return number


def query_url() -> str:
    """MAR_QUERY_URL, the login of rawQuery on PostgreSQL; empty where it is not set."""
    url = os.environ.get("MAR_QUERY_URL", "").strip()
    if url and urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("MAR_QUERY_URL must start with postgresql://")
    return url


def yes(name: str) -> bool:
    """0 or 1 of the environment; 0 where it is not set."""
    return whole(name, 0, 1) == 1


def hours(name: str, default: float) -> timedelta:
    """A time in hours of the environment, from a minute to a year."""
    text = os.environ.get(name, "").strip() or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 / 60 <= number <= 365 * 24:
        raise ImproperlyConfigured(f"{name} must be a number of hours from 1/60 to 8760, not {text!r}")
    return timedelta(hours=number)


def token_lifetimes() -> tuple[timedelta, timedelta]:
    """How long a token lives from its last use, and at most: MAR_TOKEN_HOURS, MAR_TOKEN_MAX_HOURS."""
    unused, most = hours("MAR_TOKEN_HOURS", 10), hours("MAR_TOKEN_MAX_HOURS", 168)
    if most < unused:
        raise ImproperlyConfigured("MAR_TOKEN_MAX_HOURS must not be less than MAR_TOKEN_HOURS")
    return unused, most


def accel_prefix() -> str:
    """MAR_ACCEL: the internal location of a web server that sends files for us, with its slashes."""
    text = os.environ.get("MAR_ACCEL", "").strip()
    if text and (not text.startswith("/") or text.strip("/") == "" or not text.isprintable()):
        raise ImproperlyConfigured(f"MAR_ACCEL must be a location like /protected/, not {text!r}")
    return f"/{text.strip('/')}/" if text else ""


def check_client() -> None:
    """Raise BadConfig where MAR_CLIENT_DIR names no built client; only what serves it has to have it."""
    text = os.environ.get("MAR_CLIENT_DIR", "").strip()
    if text and not (Path(text) / "index.html").is_file():
        raise BadConfig(
            f"MAR_CLIENT_DIR: {text} holds no index.html; name the folder of a built client, or leave it out"
        )


def database(root: Path | None) -> dict[str, Any]:
    """Django's description of the database of MAR_DATABASE_URL; SQLite in the root where it is not set."""
    url = os.environ.get("MAR_DATABASE_URL", "").strip()
    if not url:
        return sqlite(":memory:" if root is None else str(root / "mar.sqlite3"))
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # sqlite:///name is relative to the working folder, sqlite:////name absolute, as everywhere
        return sqlite(unquote(parts.path)[1:] or ":memory:")
    if parts.scheme in ("postgresql", "postgres"):
        return postgresql(url)
    raise ImproperlyConfigured("MAR_DATABASE_URL must start with sqlite:/// or postgresql://")


def sqlite(name: str) -> dict[str, Any]:
    """A SQLite file in WAL mode: many readers beside one writer."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "CONN_MAX_AGE": CONNECTION_AGE_S,
        "OPTIONS": dict(SQLITE_OPTIONS),
    }


def postgresql(url: str) -> dict[str, Any]:
    """PostgreSQL by psycopg 3 (marserver.postgres); what follows `?` in the URL goes to libpq."""
    parts = urlsplit(url)
    return {
        "ENGINE": "marserver.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": CONNECTION_AGE_S,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def secret_key(root: Path | None) -> str:
    """MAR_SECRET_KEY, else the key kept in the root (mode 0600), else one for this process only."""
    given = os.environ.get("MAR_SECRET_KEY", "")
    if given:
        return given
    if root is None:
        return secrets.token_urlsafe(50)
    return kept_key(root / "CONFIG" / "secret_key")


def kept_key(path: Path) -> str:
    """The key in a file; processes that start together all get the first one written."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().strip()
