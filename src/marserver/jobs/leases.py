"""Leases: a running job belongs to its worker for as long as that renews its lease; then it is taken back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from marserver.jobs import log
from marserver.jobs.models import Job, Level, Status
from marserver.prepared import Prepared, Slot

logger = logging.getLogger(__name__)


def lease() -> timedelta:
    """How long a silent worker keeps its job."""
    return timedelta(seconds=settings.MAR_LEASE_S)


def max_attempts() -> int:
    """How often a job may lose its worker before it counts as failed."""
    return int(settings.MAR_ATTEMPTS)


def held(job: Job) -> Any:
    """The job's row as long as this very claim of it stands."""
    return Job.objects.filter(pk=job.pk, status=Status.DOING, worker=job.worker, attempts=job.attempts)


@dataclass(frozen=True)
class Beat:
    """What a heartbeat tells the worker."""

    held: bool  # the lease still is this worker's
    cancel_wanted: bool


def beat(job: Job) -> Beat:
    """Renew the lease; tells whether the job still is ours and whether an operator wants it to stop."""
    if held(job).update(lease_until=now() + lease()) != 1:
        return Beat(held=False, cancel_wanted=False)
    wanted = Job.objects.filter(pk=job.pk, cancel_wanted=True).exists()
    return Beat(held=True, cancel_wanted=wanted)


def recover(moment: datetime | None = None) -> int:
    """Take the jobs of silent workers back into the queue; gives how many changed.

    One that an operator wanted stopped is cancelled; one that lost its worker too often is failed.
    """
    moment = moment or now()
    if not SILENT(moment=moment):
        return 0
    return sum(release(job) for job in silent(moment))


def silent(moment: Any) -> Any:
    """The jobs whose worker did not renew its lease."""
    return Job.objects.filter(status=Status.DOING, lease_until__lt=moment)


SILENT = Prepared(lambda: silent(Slot("moment")).values_list("pk"))


def recover_of_dead(own: str, is_alive: Callable[[str, str], bool]) -> int:
    """Take back at once the jobs of workers that are known to be dead, without waiting for their leases."""
    orphans = [job for job in Job.objects.filter(status=Status.DOING) if not is_alive(job.worker, own)]
    return sum(release(job) for job in orphans)


def release(job: Job) -> int:
    """Take one job from a worker that is gone, if nobody did before and the worker did not come back."""
    if job.cancel_wanted:
        return close(job, Status.CANCELLED, "cancelled", "")
    if job.attempts >= max_attempts():
        words = f"its worker died {job.attempts} times while it ran; see the log, then queue it again"
        return close(job, Status.FAILED, "failed", words)
    return int(as_known(job).update(status=Status.TODO, worker="", lease_until=None, started_at=None))


def as_known(job: Job) -> Any:
    """The job's row if its lease was not renewed since we looked."""
    return held(job).filter(lease_until=job.lease_until)


@transaction.atomic
def close(job: Job, status: Status, outcome: str, error: str) -> int:
    """End a job whose worker is gone, with its log; 0 where the worker came back."""
    values = {"status": status, "outcome": outcome, "error": error, "ended_at": now(), "lease_until": None}
    if not as_known(job).update(**values):
        return 0
    log.write(Level.CRITICAL, f"{job}: {error or outcome}; its worker is gone", job)
    try:
        path = log.keep(job)
    except OSError as problem:  # a full disk: the job has ended all the same
        logger.error("the log of operation %s cannot be written: %s", job.pk, problem)
    else:
        Job.objects.filter(pk=job.pk).update(log_path=path)
    return 1
