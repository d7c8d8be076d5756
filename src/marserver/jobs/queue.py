"""The queue: one table, changed by conditional updates only, so that no two workers ever run the same job.

A job waits (todo), is claimed with a lease (doing), and ends (done, failed, cancelled). Each of these moves
is one update of one row: a job is always seen in exactly one of these states.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.timezone import now

from marserver.errors import Conflict
from marserver.jobs.leases import held, lease, recover
from marserver.jobs.models import ALIVE, Job, QueueState, Status
from marserver.prepared import Prepared, Slot

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


def jobs_at_once() -> int:
    """How many jobs run at the same time, over all workers."""
    return int(settings.MAR_JOBS)


TRIES = 5  # the operation that stood in the way may end before it is looked at


def enqueue(order: Order) -> Job:
    """Put an operation into the queue.

    Raises Conflict where the same target already waits or runs: the database itself guards that.
    """
    for _ in range(TRIES):
        try:
            return put(order)
        except IntegrityError as error:
            other = on_target(order.target)
            if other is not None:
                raise Conflict(already(other)) from error
    return put(order)


def put(order: Order) -> Job:
    """A row of the queue. Raises IntegrityError where the same target is there."""
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


def on_target(target: str) -> Job | None:
    """The operation on this very target that waits or runs, if there is one."""
    return Job.objects.filter(target=target, ended_at=None).first()


def alive(kind: str, block: str) -> Job | None:
    """The operation on a target that waits or runs, if there is one."""
    return Job.objects.filter(kind=kind, block=block, status__in=ALIVE).order_by("id").first()


def already(job: Job) -> str:
    """Why a second job on the same target is refused."""
    if job.status == Status.DOING:
        return f"{job} is running now as operation {job.pk}; wait for it or cancel it"
    return (
        f"{job} is already queued as operation {job.pk}; remove it from the queue to ask for something else"
    )


def claim(worker: str, generation: int | None = None) -> Job | None:
    """Take the next job for this worker, or None where nothing may start now.

    A worker that tells its generation gets nothing once the workers were asked to start again.
    """
    leases = LEASES()
    if any(until is not None and until < now() for (until,) in leases):
        recover()
    elif len(leases) >= jobs_at_once():
        return None
    while (job := next_due()) is not None:  # asked without writing: idle workers do several times a second
        with transaction.atomic():
            state = lock_queue()
            if state.paused or full() or generation not in (None, state.generation):
                return None
            if take(job, worker):
                return job
    return None


def next_due() -> Job | None:
    """The job that will start next, if one may start now."""
    for row in NEXT(moment=now()):
        return Job.from_db("default", JOB_COLUMNS, row)
    return None


def due(moment: Any) -> Any:
    """The jobs that wait and are not put off, in the order in which they will start."""
    return waiting().filter(Q(not_before=None) | Q(not_before__lte=moment))


def full() -> bool:
    """Whether as many jobs run as may."""
    return len(LEASES()) >= jobs_at_once()


def lock_queue() -> QueueState:
    """Hold the queue's one row until the transaction ends, so that claims are decided one after another."""
    for row in STATE():
        return QueueState.from_db("default", STATE_COLUMNS, row)
    return QueueState.objects.get_or_create(pk=1)[0]


def take(job: Job, worker: str) -> bool:
    """Claim one job if it waits as it was read; False where another worker or an operator was first."""
    moment = now()
    values = {
        "status": Status.DOING,
        "worker": worker,
        "lease_until": moment + lease(),
        "attempts": job.attempts + 1,
        "started_at": moment,
        "cancel_wanted": False,
        "step": "",
        "step_band": "",
        "done": 0,
        "total": 0,
    }
    seen = {"attempts": job.attempts, "retries": job.retries}  # put off meanwhile, it has one more retry
    waits = Job.objects.filter(pk=job.pk, status=Status.TODO, **seen)
    for name, value in values.items():
        setattr(job, name, value)
    return waits.update(**values) == 1


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


def may_be_put_off(job: Job) -> bool:
    """Whether a job whose rest may go well later is tried once more."""
    return job.retries < settings.MAR_RETRIES


def put_off(job: Job, why: str) -> datetime | None:
    """Put a job back into the queue, to begin again after a while that doubles each time; gives until when.

    None where it no longer was ours.
    """
    until = now() + timedelta(seconds=settings.MAR_RETRY_S) * 2**job.retries
    back = held(job).update(
        status=Status.TODO,
        worker="",
        lease_until=None,
        started_at=None,
        attempts=F("attempts") - 1,
        retries=F("retries") + 1,
        not_before=until,
        error=why,
    )
    return until if back == 1 else None


def waiting() -> Any:
    """The jobs that wait, in the order in which they will start."""
    return in_order(Status.TODO)


def in_order(status: Status) -> Any:
    """The jobs of one status, along the index of the order: databases that count them wrongly take it too."""
    return Job.objects.filter(status=status).order_by("-priority", "id")


def running() -> Any:
    """The jobs that run now."""
    return Job.objects.filter(status=Status.DOING).order_by("started_at", "id")


JOB_COLUMNS = [column.attname for column in Job._meta.concrete_fields]
STATE_COLUMNS = [column.attname for column in QueueState._meta.concrete_fields]
STATE = Prepared(
    lambda: QueueState.objects.select_for_update().filter(pk=1).order_by("pk").values_list(*STATE_COLUMNS)
)
LEASES = Prepared(lambda: in_order(Status.DOING).values_list("lease_until"))
NEXT = Prepared(lambda: due(Slot("moment")).values_list(*JOB_COLUMNS)[:1])
