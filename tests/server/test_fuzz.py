"""schemathesis asks a running server all that the published contract allows, and much that it does not.

It finds no fault of the server and no answer that is not documented, on both databases. With
MAR_TEST_REQUIRE=all, as in continuous integration, it also goes through the bounds of every parameter on
SQLite, which takes some minutes; bounds are checked before any database is asked.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from marclient import Client
from postgres import postgres_server

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
PASSWORD = "the moon is bright tonight"
PHASES = ["examples", "fuzzing", "stateful"]
ALL_PHASES = ["examples", "coverage", "fuzzing", "stateful"]
START_WITHIN_S = 120


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request, tmp_path):
    """The environment of a server with a root of its own, and one of the databases."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAR_", "PYTEST_"))}
    kept |= {"MAR_ROOT": str(tmp_path / "root"), "MAR_CAMERA": "t80cam-mini"}
    with ExitStack() as stack:
        if request.param == "postgresql":
            kept["MAR_DATABASE_URL"] = stack.enter_context(postgres_server())
        yield kept


def mar(environment, *words, typed=""):
    command = [sys.executable, "-m", "marserver.cli", *words]
    subprocess.run(command, input=typed, text=True, env=environment, check=True, capture_output=True)


@contextmanager
def server(environment, log):
    """The URL of a server."""
    command = [sys.executable, "-m", "marserver.cli", "serve", "--port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield url_in(log, process)
    finally:
        process.terminate()
        process.wait()


def url_in(log, process):
    until = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        found = [word for word in log.read_text().split() if word.startswith("http://")]
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.timeout(900)
def test_the_server_keeps_what_it_publishes(environment, tmp_path):
    mar(environment, "admin", "fill", "--rows", "300")
    mar(environment, "user", "add", "carol", "--role", "administrator", "--password-stdin", typed=PASSWORD)
    everything = os.environ.get("MAR_TEST_REQUIRE") == "all" and "MAR_DATABASE_URL" not in environment
    with server(environment, tmp_path / "log") as url, Client(url) as client:
        client.login("carol", PASSWORD)
        command = [
            SCHEMATHESIS, "--config-file", HERE / "fuzz.toml", "run", f"{url}reduction/openapi.json",
            "--phases", ",".join(ALL_PHASES if everything else PHASES), "--max-examples", "10", "--seed", "1",
            "--workers", "2", "--header", f"Authorization: Bearer {client.token}",
        ]  # fmt: skip
        hooks = {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE)}
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
    assert "passed" in done.stdout or "No issues" in done.stdout, done.stdout[-3000:]
    assert "Traceback" not in (tmp_path / "log").read_text()
