"""The worker: claim a job, run its task, record the end, again and again.

It may be killed at any moment: its lease runs out and the job is queued again. SIGTERM makes it hand the job
back at the next point where nothing is half done. Where a reset wants so it starts again as a new process.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from mar.errors import MarError, ReferenceUnreachable
from marserver.errors import Refused
from marserver.jobs import leases, log, presence, queue
from marserver.jobs.engine import close_shared_engine
from marserver.jobs.heartbeat import heartbeat
from marserver.jobs.models import Job, Level, Status
from marserver.jobs.names import is_alive, own_name
from marserver.jobs.work import Report, Stop, Stopped, Tasks, Work
from marserver.settled import settle

logger = logging.getLogger(__name__)
POLL_S = 0.3


class Worker:
    """One worker process: runs one job at a time.

    `start_again` replaces a process whose job cannot be stopped in another way.
    """

    def __init__(self, tasks: Tasks, name: str = "", start_again: Callable[[], None] | None = None) -> None:
        self.tasks = tasks
        self.name = name or own_name()
        self.start_again = start_again
        self.leaving = threading.Event()
        self.reset = False  # leaving in order to start again
        self.generation: int | None = None
        self.seen = 0.0
        self.work: Work | None = None

    def leave(self) -> None:
        """End after the present step; the job that runs goes back into the queue."""
        self.leaving.set()
        work = self.work
        if work is not None:
            work.stop = work.stop or Stop.LEAVING

    def run(self) -> None:
        """Work until asked to leave, or to start again."""
        self.generation = presence.sign_in(self.name)
        leases.recover_of_dead(self.name, is_alive)
        while not self.leaving.is_set():
            close_old_connections()
            try:
                worked = self.run_one()
                self.listen()
            except DatabaseError as error:  # busy or restarting: nothing is lost, the lease sees to that
                logger.warning("the database cannot be used now: %s", error)
                worked = False
            if not worked:
                self.leaving.wait(POLL_S)
        self.sign_out()

    def listen(self) -> None:
        """Show that this worker lives, and leave where the workers are asked to start again."""
        if time.monotonic() - self.seen > leases.lease().total_seconds() / 3:
            self.seen = time.monotonic()
            presence.beat(self.name)
        if presence.generation() != self.generation:
            self.reset = True
            self.leaving.set()

    def sign_out(self) -> None:
        """Say that this worker ends."""
        try:
            presence.sign_out(self.name)
        except DatabaseError as error:  # it will be missed within a lease
            logger.warning("the database cannot be used now: %s", error)

    def run_one(self) -> bool:
        """Run the next job; False where there is none."""
        job = queue.claim(self.name, self.generation)
        if job is None:
            return False
        self.work = Work(job)
        if self.leaving.is_set():
            self.work.stop = Stop.LEAVING
        try:
            with heartbeat(self.work, self.give_up), log.following(job):
                end(self.work, attempt(self.work, self.tasks))
        finally:
            self.work = None
        return True

    def give_up(self, work: Work) -> None:
        """End a job that was asked to stop and does not, and with it this process."""
        if end(work, (Status.CANCELLED, Report("cancelled"), "")) and self.start_again is not None:
            self.sign_out()
            self.start_again()


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
    except ReferenceUnreachable as error:
        return Status.FAILED, Report("failed", later=str(error)), str(error)
    except (MarError, Refused) as error:
        return Status.FAILED, Report("failed"), str(error)
    except Exception as error:
        logger.exception("operation %s", job.pk)
        log.write(Level.CRITICAL, traceback.format_exc(), job)
        return Status.FAILED, Report("failed"), f"{type(error).__name__}: {error}"


def end(work: Work, ended: tuple[Status, Report, str]) -> bool:
    """Record how a job ended, once; False where its heartbeat or its own thread is before us."""
    if not work.ending.acquire(blocking=False):
        return False
    try:
        record(work.job, work, *ended)
    except DatabaseError:
        work.ending.release()  # so that the other one may try
        raise
    return True


def record(job: Job, work: Work, status: Status, report: Report, error: str) -> None:
    """Record how a job ended, after its log is on disk; a lost job is another worker's to record."""
    if status == Status.TODO:
        work.warn(f"{job} stops here: its worker is {report.outcome}")
        if work.stop is not Stop.LOST:
            queue.hand_back(job)
        return
    if report.later and status != Status.CANCELLED and queue.may_be_put_off(job):
        put_off(job, work, report.later)
        return
    words = f"{job}: {error or report.outcome}"
    log.write(Level.CRITICAL if status == Status.FAILED else Level.INFO, words, job)
    if not queue.finish(job, status, report.outcome, error, report.result, log.keep(job)):
        work.warn(f"{job} had been given to another worker; this end does not count")


def put_off(job: Job, work: Work, why: str) -> None:
    """Leave what could not be done for later, and say when."""
    until = queue.put_off(job, why)
    if until is None:
        work.warn(f"{job} had been given to another worker; this end does not count")
    else:
        again = f"try {job.retries + 1} of {settings.MAR_RETRIES} not before {until:%Y-%m-%dT%H:%M:%SZ}"
        work.warn(f"{job} is put off: {why}; {again}")


def main(tasks: Tasks) -> None:
    """Run a worker in this process until SIGTERM or SIGINT; a reset replaces it by a fresh one."""
    worker = Worker(tasks, start_again=start_again)

    def leave(number: int, frame: FrameType | None) -> Any:
        worker.leave()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    settle()
    try:
        worker.run()
    finally:
        close_shared_engine()
    if worker.reset:
        start_again()


def start_again() -> None:
    """Replace this process by a fresh one of the same command; what hangs in it or below it is killed."""
    logger.warning("the worker starts again")
    for child in multiprocessing.active_children():
        child.kill()
    logging.shutdown()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
