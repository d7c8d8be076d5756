"""A server of its own for a benchmark: its root, its database, its people, its processor time and memory."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from light import Line, post
from processes import family

TESTS = Path(__file__).parents[1] / "tests"
MAR = [sys.executable, "-c", "from mar.main import main; main()"]
PASSWORD = secrets.token_urlsafe(16)
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Place:
    """A data root and the environment of its commands."""

    root: Path
    environment: dict[str, str]

    def mar(self, *words: str, text: str = "") -> None:
        """Run a command of this root to its end."""
        command = [*MAR, *words, "--root", str(self.root)]
        subprocess.run(command, env=self.environment, input=text, text=True, check=True)

    def add_user(self, name: str, role: str) -> None:
        """Somebody who may log in."""
        self.mar("user", "add", name, "--role", role, "--password-stdin", text=PASSWORD + "\n")

    def give_password(self, name: str) -> None:
        """Somebody of an earlier benchmark."""
        self.mar("user", "password", name, "--password-stdin", text=PASSWORD + "\n")


@dataclass(frozen=True)
class Service:
    """A server that answers."""

    place: Place
    url: str
    pid: int
    started_s: float  # from its start to its first answer

    def token(self, name: str) -> str:
        """A login."""
        line = Line(self.url)
        reply = line.ask(post("auth/login", username=name, password=PASSWORD))
        line.close()
        return str(json.loads(reply.content)["token"])

    def processor_s(self) -> float:
        """Processor time of the server and its processes until now, without the worker's."""
        return sum(processor_s(pid) for pid in self.servers())

    def resident_mb(self) -> float:
        """Memory of the server and its processes, without the worker's."""
        return sum(resident_mb(pid) for pid in self.servers())

    def servers(self) -> list[int]:
        """The processes that answer."""
        return [pid for pid in family(self.pid) if "worker" not in command_of(pid)]


def database(name: str) -> Any:
    """A context with the URL of a database: empty for `sqlite`, a throw-away server for `postgresql`."""
    if name == "sqlite":
        return nullcontext("")
    sys.path.insert(0, str(TESTS))
    from postgres import postgres_server

    return postgres_server()


def place(root: Path, url: str) -> Place:
    """A root on this database."""
    environment = {**os.environ, "MAR_ROOT": str(root), "MAR_ENGINE": "inline", "MAR_LOG_LEVEL": "WARNING"}
    environment.pop("MAR_DATABASE_URL", None)
    return Place(root, environment | ({"MAR_DATABASE_URL": url} if url else {}))


@contextmanager
def running(here: Place, command: str = "serve", *words: str) -> Iterator[Service]:
    """`mar serve` or `mar up` on a free port until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    began = time.perf_counter()
    process = subprocess.Popen(
        [*MAR, command, "--root", str(here.root), "--port", str(port), *words],
        env=here.environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        await_answer(url, process)
        yield Service(here, url, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def await_answer(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait for the first answer, a 401."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            line = Line(url)
            line.ask(post("get_queue"))
            line.close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"no answer from {url}")


def command_of(pid: int) -> str:
    """How a process was called; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def processor_s(pid: int) -> float:
    """Processor time of one process, its threads included; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK_S


def resident_mb(pid: int) -> float:
    """Memory of one process that is in use now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
