"""Fifty clients from one address against a server with a worker: nothing is lost, nothing fails.

    python benchmarks/bench_load.py                              # five minutes on each database
    python benchmarks/bench_load.py --minutes 1 --clients 20 --only postgresql

They look, comment, queue scans, take them back and log in, each as fast as it is answered. At the end the
database is looked up: the last comment of each frame, every operation once, one line of the audit for each
change.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "server"))

from mixed import Accepted, Crowd, lost, mix

from conventions import Bar, Figures, main
from service import PASSWORD, Place, database, place, running

FRAMES_OF_EACH = 20
FILL = """
from datetime import UTC, datetime, timedelta
from pathlib import Path
from marserver.root import enter
enter(Path({root!r}))
from marserver.archive.models import IndividualFile
begin = datetime(2024, 3, 1, tzinfo=UTC)
frames = IndividualFile.objects.bulk_create(
    IndividualFile(obs_date=begin + timedelta(seconds=n), night=begin.date(), file_type="SCI",
                   file_name=f"frame-{{n:06d}}", file_path=f"raw/frame-{{n:06d}}.fits")
    for n in range({count}))
print(*[frame.pk for frame in frames])
"""


def fill(here: Place, count: int) -> list[int]:
    """Frames that the clients change; gives their ids."""
    words = [sys.executable, "-W", "ignore", "-c", FILL.format(root=str(here.root), count=count)]
    done = subprocess.run(words, env=here.environment, check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def load(here: Place, clients: int, seconds: float) -> tuple[Accepted, list[int]]:
    """Let the clients loose; gives what they were told, and the frames."""
    here.add_user("bench-operator", "operator")
    frames = fill(here, clients * FRAMES_OF_EACH)
    with running(here, "up") as service:
        crowd = Crowd(service.url, "bench-operator", PASSWORD, here.root, frames)
        before, began = service.processor_s(), time.monotonic()
        accepted = mix(crowd, clients, seconds)
        taken, wall = service.processor_s() - before, time.monotonic() - began
    count = sum(accepted.statuses.values())
    print(f"{count} answers in {wall:.0f} s ({count / wall:.0f}/s), {taken / count * 1e3:.2f} ms of it each")
    return accepted, frames


def look_up(here: Place, accepted: Accepted, frames: list[int]) -> list[str]:
    """What was lost, by the database itself."""
    from marserver.root import enter

    enter(here.root)
    return lost(accepted, frames)


def bench(name: str, arguments: argparse.Namespace) -> Figures:
    """One database."""
    clients, seconds = arguments.clients, arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="mar-load-") as folder, database(name) as url:
        here = place(Path(folder).resolve(), url)
        os.environ.update(here.environment)
        accepted, frames = load(here, clients, seconds)
        missing = look_up(here, accepted, frames)
    faults = sum(count for status, count in accepted.statuses.items() if status >= 500)
    made = f"{accepted.changes} comments, {len(accepted.queued)} operations queued, {len(accepted.removed)}"
    slowest = ", ".join(f"{path} {took:.2f} s" for path, took in accepted.slowest_s.items())
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(accepted.statuses.items()))
    return Figures(
        name,
        bars=[
            Bar("answers of 500 and above", faults, 1),
            Bar("connections and answers that broke", len(accepted.broken), 1),
            Bar("promises that the database does not keep", len(missing), 1),
        ],
        remarks=[
            f"{clients} clients for {seconds:.0f} s: {made} taken back",
            f"answers: {statuses}",
            f"slowest: {slowest}",
            *accepted.broken[:10],
            *missing[:10],
        ],
    )


def sqlite(arguments: argparse.Namespace) -> Figures:
    """The clients on SQLite."""
    return bench("sqlite", arguments)


def postgresql(arguments: argparse.Namespace) -> Figures:
    """The clients on a throw-away PostgreSQL server."""
    return bench("postgresql", arguments)


def more(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--clients", type=int, default=50)


if __name__ == "__main__":
    works = {"sqlite": sqlite, "postgresql": postgresql}
    if "--only" not in sys.argv and not {"-h", "--help"} & set(sys.argv):
        # each in a process of its own: the settings are read once
        codes = [subprocess.call([sys.executable, *sys.argv, "--only", name]) for name in works]
        raise SystemExit(max(codes))
    raise SystemExit(main(__doc__ or "", works, scale=1, extra=more))
