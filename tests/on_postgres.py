"""Run pytest on a throw-away PostgreSQL server: `python tests/on_postgres.py tests/server -n 2`."""

import os
import subprocess
import sys
from pathlib import Path

from postgres import postgres_server

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Start the server, run pytest with its address, and stop it; gives pytest's exit code."""
    with postgres_server() as url:
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, "MAR_DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
