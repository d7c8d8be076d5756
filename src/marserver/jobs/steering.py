"""What an operator may do to the queue: remove, cancel, queue again, move, pause, reset."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from marserver.errors import Conflict, NotFound
from marserver.jobs import presence
from marserver.jobs.leases import recover
from marserver.jobs.models import ALIVE, Job, QueueState, Status
from marserver.jobs.queue import Order, already, enqueue, lock_queue


def known(job_id: int) -> Job:
    """The job of this id; raises NotFound."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"no operation {job_id}")
    return job


def remove(job_id: int) -> Job:
    """Take a waiting job out of the queue.

    Raises NotFound for an unknown id and Conflict where it runs or has ended.
    """
    job = known(job_id)
    if not take_out(job_id):
        job.refresh_from_db()
        if job.status == Status.DOING:
            raise Conflict(f"operation {job_id} is running; use cancel to stop it")
        raise Conflict(f"operation {job_id} does not wait in the queue: it is {job.status}")
    return job


def take_out(job_id: int) -> bool:
    """End a job that waits; False where it does not."""
    waits = Job.objects.filter(pk=job_id, status=Status.TODO)
    return waits.update(status=Status.CANCELLED, ended_at=now(), outcome="removed from the queue") == 1


def cancel(job_id: int) -> Job:
    """Ask a running job to stop; a waiting one is taken out of the queue.

    Raises NotFound for an unknown id and Conflict where it has ended.
    """
    job = known(job_id)
    while job.status in ALIVE:  # once more where it moved on while we looked
        if Job.objects.filter(pk=job_id, status=Status.DOING).update(cancel_wanted=True):
            job.refresh_from_db()
            return job
        if take_out(job_id):
            job.refresh_from_db()
            return job
        job.refresh_from_db()
    raise Conflict(f"operation {job_id} has ended: it is {job.status}")


def requeue(job_id: int, user: str = "") -> Job:
    """Queue an ended operation again, as a new one.

    Raises NotFound for an unknown id and Conflict where it, or another one on the same target, waits or runs.
    """
    job = known(job_id)
    if job.status in ALIVE:
        raise Conflict(already(job))
    return enqueue(
        Order(
            job.function, job.kind, job.block, job.band, job.code, job.params, user or job.user, job.priority
        )
    )


def set_priority(job_id: int, priority: int) -> Job:
    """Move a waiting job: higher goes first. Raises NotFound, and Conflict where it does not wait."""
    job = known(job_id)
    if Job.objects.filter(pk=job_id, status=Status.TODO).update(priority=priority) != 1:
        raise Conflict(f"operation {job_id} does not wait in the queue: it is {job.status}")
    job.refresh_from_db()
    return job


def set_paused(paused: bool) -> bool:
    """Stop or allow the start of further jobs; what runs goes on. Tells whether that is new."""
    with transaction.atomic():
        before = lock_queue().paused
        QueueState.objects.filter(pk=1).update(paused=paused)
    return before != paused


@dataclass(frozen=True)
class Reset:
    """What a reset stops."""

    stopped: list[Job]
    workers: int  # that live, and are told to start again


@transaction.atomic
def reset() -> Reset:
    """Ask all workers to start again, and what runs to stop; what waits stays in its place."""
    lock_queue()
    QueueState.objects.filter(pk=1).update(generation=F("generation") + 1, reset_at=now())
    running = Job.objects.select_for_update(no_key=True).filter(status=Status.DOING).order_by("id")
    stopped = list(running)
    Job.objects.filter(pk__in=[job.pk for job in stopped], status=Status.DOING).update(cancel_wanted=True)
    recover()  # what is left of workers that died or hang ends now
    return Reset(stopped, len(presence.living()))
