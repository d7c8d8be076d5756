"""The worker: claim a job, run its task, record the end, again and again.

It may be killed at any moment: its lease runs out and the job is queued again. SIGTERM makes it hand the job
back at the next point where nothing is half done.
"""

import logging
import os
import signal
import socket
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from mar.errors import MarError
from marserver.errors import Refused
from marserver.jobs import log, queue
from marserver.jobs.engine import close_shared_engine
from marserver.jobs.heartbeat import heartbeat
from marserver.jobs.models import Level, Status
from marserver.jobs.work import Report, Stop, Stopped, Tasks, Work

logger = logging.getLogger(__name__)
POLL_S = 0.3


class Worker:
    """One worker process: runs one job at a time."""

    def __init__(self, tasks: Tasks, name: str = "") -> None:
        self.tasks = tasks
        self.name = name or own_name()
        self.leaving = threading.Event()
        self.work: Work | None = None

    def leave(self) -> None:
        """End after the present step; the job that runs goes back into the queue."""
        self.leaving.set()
        work = self.work
        if work is not None:
            work.stop = work.stop or Stop.LEAVING

    def run(self) -> None:
        """Work until asked to leave."""
        queue.recover_of_dead(self.name, is_alive)
        while not self.leaving.is_set():
            close_old_connections()
            try:
                worked = self.run_one()
            except DatabaseError as error:  # busy or restarting: nothing is lost, the lease sees to that
                logger.warning("the database cannot be used now: %s", error)
                worked = False
            if not worked:
                self.leaving.wait(POLL_S)

    def run_one(self) -> bool:
        """Run the next job; False where there is none."""
        job = queue.claim(self.name)
        if job is None:
            return False
        self.work = Work(job)
        if self.leaving.is_set():
            self.work.stop = Stop.LEAVING
        try:
            with heartbeat(self.work), log.following(job):
                end(self.work, attempt(self.work, self.tasks))
        finally:
            self.work = None
        return True


def own_name() -> str:
    """Host, process namespace and process of this worker: tells whether it still lives."""
    return f"{socket.gethostname()}:{namespace()}:{os.getpid()}:{birth(os.getpid())}"


def namespace() -> str:
    """The space in which process numbers count; containers may share a host's name."""
    link = Path("/proc/self/ns/pid")
    return str(link.readlink()) if link.exists() else ""


def birth(pid: int) -> str:
    """When a process began, in the kernel's count; process numbers are used again. Empty where unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def is_alive(name: str, own: str) -> bool:
    """Whether another worker may still live; one on another machine always may."""
    host, space, pid, born = name.rsplit(":", 3) if name.count(":") > 2 else (name, "", "", "")
    mine = own.rsplit(":", 3)
    if [host, space] != mine[:2] or not space or not born:
        return True
    return birth(int(pid)) == born


def attempt(work: Work, tasks: Tasks) -> tuple[Status, Report, str]:
    """Run the task of a job; gives its status, report and error."""
    job = work.job
    try:
        if job.function not in tasks:
            raise Refused(f"no task {job.function!r}; the queue was filled by another version")
        work.check()
        work.info(f"{job} begins (operation {job.pk}, attempt {job.attempts})")
        with work.timed(str(job)):
            report = tasks[job.function](work)
        return Status.FAILED if report.error else Status.DONE, report, report.error
    except Stopped as stop:
        status = Status.CANCELLED if stop.why is Stop.CANCELLED else Status.TODO
        return status, Report(str(stop.why)), ""
    except (MarError, Refused) as error:
        return Status.FAILED, Report("failed"), str(error)
    except Exception as error:
        logger.exception("operation %s", job.pk)
        log.write(Level.CRITICAL, traceback.format_exc(), job)
        return Status.FAILED, Report("failed"), f"{type(error).__name__}: {error}"


def end(work: Work, ended: tuple[Status, Report, str]) -> None:
    """Record how a job ended, after its log is on disk; a lost job is another worker's to record."""
    status, report, error = ended
    job = work.job
    if status == Status.TODO:
        work.warn(f"{job} stops here: its worker is {report.outcome}")
        if work.stop is not Stop.LOST:
            queue.hand_back(job)
        return
    words = f"{job}: {error or report.outcome}"
    log.write(Level.CRITICAL if status == Status.FAILED else Level.INFO, words, job)
    path = log.save(job, Path(settings.MAR_ROOT) / "LOGS")
    kept = path.relative_to(settings.MAR_ROOT).as_posix()
    if not queue.finish(job, status, report.outcome, error, report.result, kept):
        work.warn(f"{job} had been given to another worker; this end does not count")


def main(tasks: Tasks) -> None:
    """Run a worker in this process until SIGTERM or SIGINT."""
    worker = Worker(tasks)

    def leave(number: int, frame: FrameType | None) -> Any:
        worker.leave()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        worker.run()
    finally:
        close_shared_engine()
