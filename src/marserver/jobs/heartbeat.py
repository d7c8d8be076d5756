"""The thread that renews a worker's lease and listens for a cancel while a job runs."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connections

from marserver.jobs import leases, presence
from marserver.jobs.models import Job
from marserver.jobs.work import Stop, Work

logger = logging.getLogger(__name__)
LISTEN_EVERY_S = 0.5
GRACE_S = 10.0  # how long a job may take to stop by itself

GiveUp = Callable[[Work], None]


@contextmanager
def heartbeat(work: Work, give_up: GiveUp) -> Iterator[None]:
    """Keep the lease of a job for as long as the block runs; sets `work.stop` where the job should end.

    Where it then goes on for longer than a grace time, `give_up` is called.
    """
    ended = threading.Event()
    thread = threading.Thread(
        target=keep, args=(work, ended, give_up), name=f"heartbeat {work.job.pk}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def keep(work: Work, ended: threading.Event, give_up: GiveUp) -> None:
    """Renew and listen until the job has ended."""
    lease_s = leases.lease().total_seconds()
    renewed = time.monotonic()
    asked: float | None = None  # since when it should stop
    try:
        while not ended.wait(min(LISTEN_EVERY_S, lease_s / 6)):
            try:
                if time.monotonic() - renewed > lease_s / 3 and work.stop is not Stop.LOST:
                    renew(work)
                    renewed = time.monotonic()
                elif wants_cancel(work.job):
                    work.stop = work.stop or Stop.CANCELLED
                asked = asked or (time.monotonic() if work.stop in (Stop.CANCELLED, Stop.LOST) else None)
                if asked is not None and time.monotonic() - asked > GRACE_S:
                    give_up(work)
            except DatabaseError as error:  # busy or restarting: the lease tells when it is too late
                logger.warning("heartbeat of operation %s: %s", work.job.pk, error)
                if time.monotonic() - renewed > lease_s:
                    work.stop = Stop.LOST
    finally:
        connections.close_all()


def renew(work: Work) -> None:
    """Renew the lease once."""
    presence.beat(work.job.worker)
    beat = leases.beat(work.job)
    if not beat.held:
        work.stop = Stop.LOST
    elif beat.cancel_wanted:
        work.stop = work.stop or Stop.CANCELLED


def wants_cancel(job: Job) -> bool:
    """Whether an operator asked for this job to stop."""
    return Job.objects.filter(pk=job.pk, cancel_wanted=True).exists()
