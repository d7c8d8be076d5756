"""A job as its task sees it: parameters, progress, log, and whether it should stop."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marserver.jobs import log, queue
from marserver.jobs.engine import Engine, shared_engine
from marserver.jobs.models import Job, Level

NOTE_EVERY_S = 0.5


class Stop(StrEnum):
    """Why a job should stop."""

    CANCELLED = "cancelled"  #: an operator wants so
    LOST = "lost"  #: the lease ran out, another worker may have the job
    LEAVING = "leaving"  #: the worker is asked to end; the job goes back into the queue


class Stopped(Exception):
    """Raised inside a task that should stop; only the worker catches it."""

    def __init__(self, why: Stop) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class Report:
    """What a task has done: one sentence, and numbers and reasons beside it."""

    outcome: str
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""  # why the job counts as failed, though what it could do is done and recorded
    later: str = ""  # why the rest should be tried again later; what is done stays done


class Work:
    """What a task gets: its job, and the ways to tell how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.params: dict[str, Any] = job.params
        self.stop: Stop | None = None
        self.ending = threading.Lock()  # held by the one who records the end
        self.band = ""
        self._noted = ("", 0.0)

    def engine(self, processes: int = 0) -> Engine:
        """What runs frames side by side; started when first used, then kept."""
        return shared_engine(processes)

    def check(self) -> None:
        """Raises Stopped where the job should stop."""
        if self.stop is not None:
            raise Stopped(self.stop)

    def progress(self, step: str, done: int, total: int) -> None:
        """Tell how far the job is; stops it where it should stop. Has the library's `Progress` signature."""
        self.check()
        moment = time.monotonic()
        known, noted = self._noted
        if step != known or done >= total or moment - noted > NOTE_EVERY_S:
            self._noted = (step, moment)
            queue.note(self.job, step, done, total, self.band)

    def info(self, text: str) -> None:
        """Log a line."""
        log.write(Level.INFO, text, self.job)

    def warn(self, text: str) -> None:
        """Log something that an operator should look at."""
        log.write(Level.WARN, text, self.job)

    def critical(self, text: str) -> None:
        """Log a failure."""
        log.write(Level.CRITICAL, text, self.job)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Log how long something took, in seconds."""
        begun = time.monotonic()
        yield
        log.write(Level.TIME, f"{what}: {time.monotonic() - begun:.2f} s", self.job)


Task = Callable[[Work], Report]
Tasks = Mapping[str, Task]
