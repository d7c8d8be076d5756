"""The process of one statement: it bounds itself, carries the statement out, says how it went, and ends.

`python -m marserver.sandbox.child` reads a Task as JSON and answers one JSON object. It knows neither Django
nor the server's settings. Whatever a statement does to it, the server goes on.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marserver.sandbox import sheets
from marserver.sandbox.cells import cell
from marserver.sandbox.task import Bounds, Stopped, Task, TooLong, TooMuch

GRACE_S = 2.0
MODULES = {"sqlite": "marserver.sandbox.sqlite", "postgresql": "marserver.sandbox.postgres"}


def main() -> None:
    """Read the task, carry it out, and answer."""
    told = json.load(sys.stdin.buffer)
    task = Task(
        **{**told, "bounds": Bounds(**told["bounds"]), "reads": [(one, two) for one, two in told["reads"]]}
    )
    bind(task.bounds)
    sys.stdout.write(json.dumps(outcome(task)))


def bind(bounds: Bounds) -> None:
    """Limits that the statement cannot lift: memory, files, processor time, and an alarm that kills.

    The alarm also ends what no database looks up from, as a pattern that takes for ever to match.
    """
    signal.setitimer(signal.ITIMER_REAL, bounds.seconds + GRACE_S)
    processor_s = int(bounds.seconds + GRACE_S) + 1
    set_limit(resource.RLIMIT_CPU, processor_s)
    set_limit(resource.RLIMIT_AS, bounds.memory)
    set_limit(resource.RLIMIT_FSIZE, max(bounds.scratch, 2 * bounds.bytes))
    set_limit(resource.RLIMIT_NOFILE, 32)
    set_limit(resource.RLIMIT_CORE, 0)


def set_limit(kind: int, most: int) -> None:
    """Lower one limit of this process for good."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def outcome(task: Task) -> dict[str, Any]:
    """What came of the task."""
    try:
        return carry_out(task)
    except Stopped as stopped:
        return {"stopped": stopped.kind, "message": str(stopped)}
    except (MemoryError, OSError):
        return {"stopped": TooMuch.kind, "message": ""}


def carry_out(task: Task) -> dict[str, Any]:
    """Ask the database and write its rows. Raises one of the kinds of Stopped."""
    door = importlib.import_module(MODULES[task.vendor])
    deadline = time.monotonic() + task.bounds.seconds
    with door.answering(task) as (columns, rows), Path(task.file).open("wb") as file:
        most = sheets.Most(task.bounds.rows, task.bounds.bytes)
        written = sheets.save(file, task.form, columns, until(deadline, rows), most)
        file.flush()
        os.fsync(file.fileno())
    return {"columns": columns, "rows": written.rows, "truncated": written.truncated}


def until(deadline: float, rows: Iterator[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """The rows as they are written, as long as there is time."""
    for row in rows:
        if time.monotonic() > deadline:
            raise TooLong
        yield [cell(value) for value in row]


if __name__ == "__main__":
    main()
