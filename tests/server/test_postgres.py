"""The same server on PostgreSQL: migrations, commands, and the tests of archive, queue and API once more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postgres import postgres_server

ROOT = Path(__file__).parents[2]
# the tests that ask the database most; the others do not depend on its kind
AGAIN = (
    "test_archive.py",
    "test_connection.py",
    "test_contains.py",
    "test_fill.py",
    "test_query_counts.py",
    "test_same_rows.py",
    "test_queue.py",
    "test_ingest.py",
)


@pytest.fixture(scope="module")
def url():
    with postgres_server() as address:
        yield address


@pytest.fixture
def run_with(url, tmp_path):
    """Run python with the database of that server; gives what it printed."""

    def run(*words, typed=""):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAR_", "PYTEST_"))}
        done = subprocess.run(
            [sys.executable, *words],
            input=typed,
            cwd=ROOT,
            env={**kept, "MAR_DATABASE_URL": url, "MAR_ROOT": str(tmp_path / "root")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    return run


def test_a_command_migrates_an_empty_database_and_uses_it(run_with, tmp_path):
    add = ("-m", "marserver.cli", "user", "add", "alice", "--role", "operator", "--password-stdin")
    run_with(*add, typed="correct horse battery\n")
    assert "alice operator" in run_with("-m", "marserver.cli", "user", "list")
    assert not (tmp_path / "root" / "mar.sqlite3").exists()


def test_models_and_migrations_agree(run_with):
    program = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('makemigrations', check=True, dry_run=True)"
    )
    environ = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'marserver.settings';"
    assert "No changes" in run_with("-c", environ + program)


def test_archive_queue_and_scan_once_more(run_with):
    files = [f"tests/server/{name}" for name in AGAIN]
    assert "passed" in run_with("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files)
