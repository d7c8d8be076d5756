"""The thread that renews a worker's lease and listens for a cancel while a job runs."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connections

from marserver.jobs import queue
from marserver.jobs.models import Job
from marserver.jobs.work import Stop, Work

logger = logging.getLogger(__name__)
LISTEN_EVERY_S = 0.5


@contextmanager
def heartbeat(work: Work) -> Iterator[None]:
    """Keep the lease of a job for as long as the block runs; sets `work.stop` where the job should end."""
    ended = threading.Event()
    thread = threading.Thread(target=keep, args=(work, ended), name=f"heartbeat {work.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def keep(work: Work, ended: threading.Event) -> None:
    """Renew and listen until the job has ended or is lost."""
    lease_s = queue.lease().total_seconds()
    renewed = time.monotonic()
    try:
        while not ended.wait(min(LISTEN_EVERY_S, lease_s / 6)) and work.stop is not Stop.LOST:
            try:
                if time.monotonic() - renewed > lease_s / 3:
                    renew(work)
                    renewed = time.monotonic()
                elif wants_cancel(work.job):
                    work.stop = work.stop or Stop.CANCELLED
            except (
                DatabaseError
            ) as error:  # a busy or restarting database: the lease tells when it is too late
                logger.warning("heartbeat of operation %s: %s", work.job.pk, error)
                if time.monotonic() - renewed > lease_s:
                    work.stop = Stop.LOST
    finally:
        connections.close_all()


def renew(work: Work) -> None:
    """Renew the lease once."""
    beat = queue.beat(work.job)
    if not beat.held:
        work.stop = Stop.LOST
    elif beat.cancel_wanted:
        work.stop = work.stop or Stop.CANCELLED


def wants_cancel(job: Job) -> bool:
    """Whether an operator asked for this job to stop."""
    return Job.objects.filter(pk=job.pk, cancel_wanted=True).exists()
