"""What an operator may do to the queue, the workers and the log."""

from django.db import transaction

from marserver.archive.kinds import KINDS
from marserver.audit.record import note
from marserver.errors import Conflict, NotFound
from marserver.jobs import log, presence, steering
from marserver.jobs.models import Job, Level, QueueState
from marserver.jobs.steering import Reset
from marserver.reduction.requests.finding import known
from marserver.reduction.requests.outcome import Outcome

QUEUE = "queue"  # as the audit names it: there is one


@transaction.atomic
def remove_queue(job_id: int, *, asked_by: str = "") -> Outcome:
    """Take a waiting operation out of the queue; raises NotFound, Conflict where it runs or has ended."""
    job = steering.remove(job_id)
    note_status(job, "removeQueue", asked_by)
    return Outcome(f"{job} removed from the queue", {"id": job_id, "newstatus": "cancelled"})


def note_status(before: Job, action: str, asked_by: str) -> None:
    """Write down that an operation has another status than before."""
    after = Job.objects.get(pk=before.pk)
    note(asked_by, action, "operation", before.pk, {"status": before.status}, {"status": after.status})


@transaction.atomic
def cancel(job_id: int, *, asked_by: str = "") -> Outcome:
    """Stop an operation: a running one between or within frames, a waiting one at once.

    Raises NotFound, and Conflict where it has ended.
    """
    job = steering.cancel(job_id)
    after = {"cancel": True} if job.cancel_wanted else {"status": job.status}
    note(asked_by, "cancel", "operation", job_id, after=after)
    words = "will stop" if job.cancel_wanted else "removed from the queue"
    return Outcome(f"{job} {words}", {"id": job_id, "newstatus": job.status})


@transaction.atomic
def requeue(job_id: int, *, asked_by: str = "") -> Outcome:
    """Queue an ended operation again; raises NotFound, and Conflict where it cannot run again now."""
    check_target(steering.known(job_id))
    job = steering.requeue(job_id, asked_by)
    note(asked_by, "requeue", "operation", job_id, after={"job": job.pk})
    return Outcome(f"{job} queued as operation {job.pk}", {"id": job_id, "job": job.pk})


def check_target(job: Job) -> None:
    """Raises Conflict where the block of an operation has been deleted."""
    row_id = job.params.get("id")
    if job.kind not in KINDS or row_id is None:
        return
    try:
        known(job.kind, row_id)
    except NotFound as error:
        raise Conflict(f"operation {job.pk} cannot run again: there is {error}") from error


@transaction.atomic
def set_priority(job_id: int, priority: int, *, asked_by: str = "") -> Outcome:
    """Move a waiting operation: higher goes first. Raises NotFound, and Conflict where it does not wait."""
    before = steering.known(job_id).priority
    job = steering.set_priority(job_id, priority)
    if before != priority:
        note(asked_by, "setpriority", "operation", job_id, {"priority": before}, {"priority": priority})
    return Outcome(f"{job} has priority {priority}", {"id": job_id, "priority": priority})


def pause(*, asked_by: str = "") -> Outcome:
    """Start no further operation; what runs goes on."""
    set_paused(True, "pause", asked_by)
    return Outcome("the queue is paused; what runs goes on", {"paused": True})


def resume(*, asked_by: str = "") -> Outcome:
    """Start operations again."""
    set_paused(False, "resume", asked_by)
    return Outcome("the queue is open", {"paused": False})


@transaction.atomic
def set_paused(paused: bool, action: str, asked_by: str) -> None:
    """Close or open the queue."""
    if steering.set_paused(paused):
        note(asked_by, action, QUEUE, QUEUE, {"paused": not paused}, {"paused": paused})


@transaction.atomic
def reset(*, asked_by: str = "") -> Outcome:
    """Stop what runs and start all workers again; what waits stays in the queue."""
    done = steering.reset()
    ids = [job.pk for job in done.stopped]
    note(asked_by, "reset_thread", QUEUE, QUEUE, after={"stopped": ids, "workers": done.workers})
    for job in done.stopped:
        note(asked_by, "reset_thread", "operation", job.pk, after={"cancel": True})
        log.write(Level.WARN, f"{job}: stopped, as {asked_by or 'somebody'} resets the workers", job)
    return Outcome(reset_words(done), {"stopped": ids, "workers": done.workers})


def reset_words(done: Reset) -> str:
    """What a reset does, in a sentence."""
    names = ", ".join(f"{job} (operation {job.pk})" for job in done.stopped)
    stops = f"{names} will be cancelled" if names else "nothing was running"
    if not done.workers:
        return f"{stops}; no worker is alive: start one with mar worker"
    one = done.workers == 1
    return f"{stops}; {done.workers} worker{'' if one else 's'} start{'s' if one else ''} again"


@transaction.atomic
def clear_logs(*, asked_by: str = "") -> Outcome:
    """Clear the live log; operations keep their lines."""
    count = log.clear()
    if count:
        note(asked_by, "clear_logs", "log", "live", {"lines": count}, {"lines": 0})
    return Outcome(f"live log cleared, {count} lines", {"count": count})


def state() -> dict[str, object]:
    """Whether the queue is open, and how many workers live."""
    paused = QueueState.objects.filter(pk=1, paused=True).exists()
    return {"paused": paused, "workers": presence.living().count()}
