"""A throw-away PostgreSQL server for tests: a folder of its own, a Unix socket, no network."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from parts import need

USER = "mar"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a fresh server; gives the URL of its database `postgres`. Skips or fails without PostgreSQL."""
    programs = need("postgresql").parent
    # below /tmp: the path of a Unix socket may only be 107 characters long
    folder = Path(tempfile.mkdtemp(prefix="mar-pg-", dir="/tmp"))
    try:
        _give_to_postgres(folder)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        _run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", settings, "-w", "start")
        try:
            yield f"postgresql://{USER}@/postgres?host={quote(str(folder))}"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _run(*words: object) -> None:
    """Run a program of PostgreSQL, which refuses to work for root."""
    command = [str(word) for word in words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # not captured by pipes: the server inherits them and would keep them open
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, cwd="/tmp")
        output.seek(0)
        assert done.returncode == 0, f"{command}: {output.read()}"


def _give_to_postgres(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
