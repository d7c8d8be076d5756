"""The commands of the server and of the client."""

import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from typer.testing import CliRunner

import marclient.cli
from marserver.keeper import Keeper
from marserver.serving import bind

# As the one command does: a named error becomes a line and exit code 2
AS_MAR = """
import sys
from mar.errors import MarError
from marserver.cli import app
try:
    app()
except MarError as error:
    sys.exit(print(error, file=sys.stderr) or 2)
"""


@pytest.fixture
def environ(tmp_path):
    """An environment without a root."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAR_", "DJANGO_"))}
    return clean | {"MAR_CAMERA": "t80cam-mini", "MAR_ENGINE": "inline"}


@pytest.fixture
def mar(environ, tmp_path):
    """Runs a command of the server in a process of its own; gives what it wrote."""
    tmp_path.joinpath("here").mkdir()

    def run(*words: str, code: int = 0, typed: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-c", AS_MAR, *words],
            env=environ,
            cwd=tmp_path / "here",
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Runs a command of the client; gives what it wrote."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(*words: str, code: int = 0, typed: str = "") -> str:
        done = CliRunner().invoke(marclient.cli.app, words, input=typed)
        assert done.exit_code == code, done.output
        return done.output

    return run


def add_user(mar, name: str, role: str, root: Path, typed: str, code: int = 0) -> str:
    words = ("user", "add", name, "--role", role, "--password-stdin", "--root", str(root))
    return mar(*words, typed=typed, code=code)


def test_a_user_is_added_to_an_empty_root_with_a_password_of_one_line(mar, tmp_path):
    root = tmp_path / "new" / "root"
    assert "alice" in add_user(mar, "alice", "operator", root, "se cret word \nx\n")
    database = sqlite3.connect(root / "mar.sqlite3")
    rows = database.execute("SELECT username, role, password FROM accounts_user").fetchall()
    database.close()
    assert [row[:2] for row in rows] == [("alice", "operator")]
    assert PBKDF2PasswordHasher().verify("se cret word ", rows[0][2])
    assert (root / "TILES").is_dir()
    assert stat.S_IMODE((root / "mar.sqlite3").stat().st_mode) == 0o600


def test_a_name_in_use_and_an_empty_password_are_refused(mar, tmp_path):
    add_user(mar, "alice", "operator", tmp_path, "one two three\n")
    told = add_user(mar, "alice", "viewer", tmp_path, "other than that\n", code=2)
    assert "in use" in told
    assert "Traceback" not in told
    assert "no password" in add_user(mar, "bob", "viewer", tmp_path, "\n", code=2)
    assert mar("user", "list", "--root", str(tmp_path)) == "alice operator\n"


def test_a_weak_password_is_refused_with_its_reasons(mar, tmp_path):
    told = add_user(mar, "alice", "administrator", tmp_path, "12345\n", code=2)
    assert "too short" in told
    assert "too common" in told
    assert "entirely numeric" in told
    assert mar("user", "list", "--root", str(tmp_path)) == ""
    add_user(mar, "alice", "administrator", tmp_path, "one two three\n")
    words = ("user", "password", "alice", "--password-stdin", "--root", str(tmp_path))
    assert "too similar" in mar(*words, typed="alice123\n", code=2)


def test_accounts_are_given_roles_closed_and_opened(mar, tmp_path):
    for name, role in (("alice", "viewer"), ("carol", "administrator")):
        add_user(mar, name, role, tmp_path, "one two three\n")
    root = ("--root", str(tmp_path))
    mar("user", "role", "alice", "operator", *root)
    mar("user", "disable", "alice", *root)
    assert mar("user", "list", *root) == "alice operator (may not log in)\ncarol administrator\n"
    mar("user", "enable", "alice", *root)
    assert "last active administrator" in mar("user", "disable", "carol", *root, code=2)
    assert "no account" in mar("user", "enable", "nobody", *root, code=2)
    database = sqlite3.connect(tmp_path / "mar.sqlite3")
    rows = database.execute("SELECT action, target, user FROM files_changes ORDER BY id").fetchall()
    database.close()
    assert [row[:2] for row in rows] == [
        ("register", "alice"),
        ("register", "carol"),
        ("setrole", "alice"),
        ("setactive", "alice"),
        ("setactive", "alice"),
    ]
    assert {row[2] for row in rows} == {"command line"}


def test_the_working_folder_is_the_root_only_where_it_is_one(mar, tmp_path):
    told = mar("serve", code=2)
    assert "--root" in told
    assert "MAR_ROOT" in told
    assert list((tmp_path / "here").iterdir()) == []
    mar("user", "list", "--root", str(tmp_path / "here"))
    assert mar("user", "list") == ""


def test_a_root_that_cannot_be_one_is_a_clear_error(mar, tmp_path):
    (tmp_path / "file").write_text("")
    told = mar("worker", "--root", str(tmp_path / "file"), code=2)
    assert "cannot be a data root" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "value"), [("MAR_PROXIES", "two"), ("MAR_TOKEN_HOURS", "0"), ("MAR_DATABASE_URL", "mysql://x/y")]
)
def test_a_bad_variable_of_the_environment_is_named(mar, environ, tmp_path, name, value):
    environ[name] = value
    told = mar("user", "list", "--root", str(tmp_path), code=2)
    assert name in told
    assert "Traceback" not in told


def test_a_port_in_use_is_a_clear_error_and_makes_nothing(mar, tmp_path):
    with bind("127.0.0.1", 0) as taken:
        told = mar("up", "--root", str(tmp_path / "root"), "--port", str(taken.getsockname()[1]), code=2)
    assert "--port" in told
    assert not (tmp_path / "root").exists()


def test_openapi_is_printed_without_a_root(mar):
    assert json.loads(mar("openapi"))["openapi"] == "3.1.0"


def test_help_does_not_wait_for_what_the_commands_need():
    slow = "{'django', 'httpx', 'ninja', 'numpy', 'pydantic'}"
    program = f"import sys, marserver.cli, marclient.cli; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.fixture
def up(environ, tmp_path):
    """A running `mar up` on a free port: its process, its URL and its root."""
    words = ["up", "--root", str(tmp_path / "root"), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "marserver.cli", *words], env=environ, stdout=subprocess.PIPE, text=True
    )
    yield process, re.search(r"http://\S+", process.stdout.readline())[0], tmp_path / "root"
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def ended(pid: int) -> bool:
    """Whether a process is gone, or only its entry is left."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children_of(pid: int) -> list[int]:
    """The child processes of a process."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, check=False)
    return [int(word) for word in listed.stdout.split()]


def until(true, within_s: float = 120.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_up_serves_works_and_ends_with_its_worker(up, mar, client):
    process, url, root = up
    assert httpx.get(f"{url}reduction/openapi.json").status_code == 200
    add_user(mar, "alice", "operator", root, "one two three\n")
    assert "wrong" in client("login", url, "--user", "alice", "--password-stdin", typed="guess\n", code=1)
    client("login", url, "--user", "alice", "--password-stdin", typed="one two three\n")
    assert '"job": 1' in client("call", "scan_folder", "path=")
    until(lambda: '"id": 1' in client("call", "getOperations", "nums=1"))
    assert "accepted types" in client("call", "biasblock", "type=x", code=1)
    workers = children_of(process.pid)
    assert len(workers) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert all(ended(pid) for pid in workers)


def test_the_worker_does_not_outlive_a_killed_server(up):
    process, _, _ = up
    until(lambda: children_of(process.pid))
    workers = children_of(process.pid)
    process.kill()
    until(lambda: all(ended(pid) for pid in workers))


def test_a_worker_that_dies_is_started_again_and_one_that_is_stopped_is_not(tmp_path):
    starts = tmp_path / "starts"
    starts.touch()
    program = f"import time; open({str(starts)!r}, 'a').write('x'); time.sleep(60)"
    keeper = Keeper([sys.executable, "-c", program], pause_s=0.01)
    keeper.start()
    until(lambda: starts.read_text() == "x")
    first = keeper.child
    first.kill()
    until(lambda: starts.read_text() == "xx")
    keeper.stop()
    assert keeper.child.returncode == -signal.SIGTERM
    assert starts.read_text() == "xx"


def test_the_clients_login_is_kept_for_its_user_only(client, tmp_path, monkeypatch):
    monkeypatch.setattr("marclient.Client.login", lambda self, name, password: setattr(self, "token", "abc"))
    client("login", "http://127.0.0.1:9", "--user", "bob", "--password-stdin", typed="one two three\n")
    kept = tmp_path / "config" / "mar" / "login.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == {"url": "http://127.0.0.1:9", "token": "abc"}
    assert "no answer" in client("call", "get_queue", code=1)
    assert "name=value" in client("call", "get_queue", "type", code=2)


def test_a_call_without_login_says_so(client):
    assert "mar login" in client("call", "get_queue", code=1)
