"""The queue: one table, changed by conditional updates only, so that no two workers ever run the same job.

A job waits (todo), is claimed with a lease (doing), and ends (done, failed, cancelled). A worker renews its
lease while it lives; a job whose lease ran out is put back into the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.timezone import now

from marserver.errors import Conflict, NotFound
from marserver.jobs.models import ALIVE, Job, QueueState, Status

ENDED = (Status.DONE, Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True)
class Order:
    """What is asked for: a task function and what it acts on."""

    function: str  # as operators name it: "biasblock process"
    kind: str
    block: str  # id, field or path
    band: str = ""
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    user: str = ""
    priority: int = 0

    @property
    def target(self) -> str:
        """What must not be in the queue twice."""
        return " ".join(word for word in (self.kind, self.block, self.band) if word)


def lease() -> timedelta:
    """How long a silent worker keeps its job."""
    return timedelta(seconds=settings.MAR_LEASE_S)


def jobs_at_once() -> int:
    """How many jobs run at the same time, over all workers."""
    return int(settings.MAR_JOBS)


def max_attempts() -> int:
    """How often a job may lose its worker before it counts as failed."""
    return int(settings.MAR_ATTEMPTS)


def enqueue(order: Order) -> Job:
    """Put an operation into the queue.

    Raises Conflict where the same target already waits or runs: the database itself guards that.
    """
    try:
        with transaction.atomic():
            return Job.objects.create(
                function=order.function,
                kind=order.kind,
                target=order.target,
                block=order.block,
                band=order.band,
                code=order.code,
                params=order.params,
                user=order.user,
                priority=order.priority,
                queued_at=now(),
            )
    except IntegrityError as error:
        other = Job.objects.filter(target=order.target, status__in=ALIVE).first()
        if other is None:
            raise
        raise Conflict(already(other)) from error


def already(job: Job) -> str:
    """Why a second job on the same target is refused."""
    if job.status == Status.DOING:
        return f"{job} is running now as operation {job.pk}; wait for it or cancel it"
    return (
        f"{job} is already queued as operation {job.pk}; remove it from the queue to ask for something else"
    )


def claim(worker: str) -> Job | None:
    """Take the next job for this worker, or None where nothing may start now."""
    recover()
    if not Job.objects.filter(status=Status.TODO).exists() or full():
        return None  # told without writing: idle workers ask several times a second
    with transaction.atomic():
        if lock_queue().paused or full():
            return None
        job = Job.objects.filter(status=Status.TODO).order_by("-priority", "id").first()
        return job if job is not None and take(job, worker) else None


def full() -> bool:
    """Whether as many jobs run as may."""
    return bool(Job.objects.filter(status=Status.DOING).count() >= jobs_at_once())


def lock_queue() -> QueueState:
    """Hold the queue's one row until the transaction ends, so that claims are decided one after another."""
    if not QueueState.objects.filter(pk=1).update(touched=now()):
        QueueState.objects.get_or_create(pk=1)
    return QueueState.objects.get(pk=1)


def take(job: Job, worker: str) -> bool:
    """Claim one job if it still waits; False where another worker or an operator was first."""
    moment = now()
    taken = Job.objects.filter(pk=job.pk, status=Status.TODO).update(
        status=Status.DOING,
        worker=worker,
        lease_until=moment + lease(),
        attempts=F("attempts") + 1,
        started_at=moment,
        cancel_wanted=False,
        step="",
        step_band="",
        done=0,
        total=0,
    )
    job.refresh_from_db()
    return taken == 1


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


def note(job: Job, step: str, done: int, total: int, band: str = "") -> None:
    """Record how far a running job is."""
    held(job).update(step=step[:100], step_band=band, done=max(done, 0), total=max(total, 0))


def finish(
    job: Job,
    status: str,
    outcome: str = "",
    error: str = "",
    result: dict[str, Any] | None = None,
    log_path: str = "",
) -> bool:
    """Record the end of a job; False where it no longer was ours, so the record is another worker's."""
    ended = held(job).update(
        status=status,
        ended_at=now(),
        lease_until=None,
        outcome=outcome[:500],
        error=error,
        result=result or {},
        log_path=log_path,
    )
    return ended == 1


def hand_back(job: Job) -> bool:
    """Put a job back in its place in the queue, its worker being asked to stop; not counted as an attempt."""
    back = held(job).update(
        status=Status.TODO, worker="", lease_until=None, started_at=None, attempts=F("attempts") - 1
    )
    return back == 1


def recover(moment: datetime | None = None) -> int:
    """Take the jobs of silent workers back into the queue; gives how many changed.

    One that an operator wanted stopped is cancelled; one that lost its worker too often is failed.
    """
    silent = Job.objects.filter(status=Status.DOING, lease_until__lt=moment or now())
    return sum(release(job) for job in silent)


def recover_of_dead(own: str, is_alive: Callable[[str, str], bool]) -> int:
    """Take back at once the jobs of workers that are known to be dead, without waiting for their leases."""
    orphans = [job for job in Job.objects.filter(status=Status.DOING) if not is_alive(job.worker, own)]
    return sum(release(job) for job in orphans)


def release(job: Job) -> int:
    """Take one job from a worker that is gone, if nobody did before and the worker did not come back."""
    mine = held(job).filter(lease_until=job.lease_until)
    if job.cancel_wanted:
        return int(
            mine.update(status=Status.CANCELLED, ended_at=now(), lease_until=None, outcome="cancelled")
        )
    if job.attempts >= max_attempts():
        words = f"its worker died {job.attempts} times while it ran; see the log, then queue it again"
        return int(
            mine.update(status=Status.FAILED, ended_at=now(), lease_until=None, outcome="failed", error=words)
        )
    return int(mine.update(status=Status.TODO, worker="", lease_until=None, started_at=None))


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
    moment = now()
    gone = Job.objects.filter(pk=job_id, status=Status.TODO).update(
        status=Status.CANCELLED, ended_at=moment, outcome="removed from the queue"
    )
    if gone != 1:
        job.refresh_from_db()
        if job.status == Status.DOING:
            raise Conflict(f"operation {job_id} is running; use cancel to stop it")
        raise Conflict(f"operation {job_id} does not wait in the queue: it is {job.status}")
    return job


def cancel(job_id: int) -> Job:
    """Ask a running job to stop; a waiting one is taken out of the queue.

    Raises NotFound for an unknown id and Conflict where it has ended.
    """
    job = known(job_id)
    if Job.objects.filter(pk=job_id, status=Status.DOING).update(cancel_wanted=True) != 1:
        if job.status in ENDED:
            raise Conflict(f"operation {job_id} has ended: it is {job.status}")
        remove(job_id)
    job.refresh_from_db()
    return job


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


def set_paused(paused: bool) -> None:
    """Stop or allow the start of further jobs; what runs goes on."""
    with transaction.atomic():
        lock_queue()
        QueueState.objects.filter(pk=1).update(paused=paused)


def waiting() -> Any:
    """The jobs that wait, in the order in which they will start."""
    return Job.objects.filter(status=Status.TODO).order_by("-priority", "id")


def running() -> Any:
    """The jobs that run now."""
    return Job.objects.filter(status=Status.DOING).order_by("started_at", "id")
