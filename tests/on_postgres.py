"""Run pytest on a throw-away PostgreSQL server.

python tests/on_postgres.py -n 2                            # all that asks the database
python tests/on_postgres.py -x tests/server/test_queue.py
"""

import os
import subprocess
import sys
from pathlib import Path

from postgres import postgres_server

ROOT = Path(__file__).parents[1]
# tests that start servers of their own, or ask no database, or check paths and texts only
ELSEWHERE = "cli client engine fuzz live media night openapi paths postgres security settings slow_clients"


def chosen(words: list[str]) -> list[str]:
    """The arguments of pytest: with all tests of the server that ask the database where none is named."""
    if any(word.endswith(".py") or Path(word.partition("::")[0]).is_dir() for word in words):
        return words
    left_out = {f"test_{name}.py" for name in ELSEWHERE.split()}
    files = sorted((ROOT / "tests" / "server").glob("test_*.py"))
    return [*words, *(str(file) for file in files if file.name not in left_out)]


def main() -> int:
    """Start the server, run pytest with its address, and stop it; gives pytest's exit code."""
    with postgres_server() as url:
        command = [sys.executable, "-m", "pytest", *chosen(sys.argv[1:])]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, "MAR_DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
