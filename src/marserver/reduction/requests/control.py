"""What the queue, the worker and the log show, and what an operator may do to them."""

from datetime import datetime
from typing import Any

from django.utils.timezone import now

from marserver.archive.rows import plain
from marserver.jobs import log, queue
from marserver.jobs.models import Job
from marserver.reduction.requests.outcome import Outcome


def get_queue() -> list[dict[str, Any]]:
    """The operations that wait, in order; scalars all."""
    return [
        {
            "id": job.pk,
            "function": job.function,
            "block": " ".join(word for word in (job.block, job.band) if word),
            "code": job.code,
            "user": job.user,
            "priority": job.priority,
            "queued_at": plain(job.queued_at),
        }
        for job in queue.waiting()
    ]


def get_process() -> tuple[str, list[dict[str, Any]]]:
    """One sentence on what runs now, `Available` where nothing does, and the running operations."""
    operations = [running(job) for job in queue.running()]
    return "; ".join(sentence(one) for one in operations) or "Available", operations


def running(job: Job) -> dict[str, Any]:
    """A running operation: how far it is, and how long it took and will take in seconds."""
    elapsed = max((now() - job.started_at).total_seconds(), 0.0) if job.started_at else 0.0
    remaining = elapsed * (job.total - job.done) / job.done if 0 < job.done <= job.total else None
    return {
        "id": job.pk,
        "function": job.function,
        "target": " ".join(word for word in (job.block, job.band) if word),
        "step": job.step,
        "band": job.step_band or job.band,
        "done": job.done,
        "total": job.total,
        "elapsed": round(elapsed, 1),
        "remaining": None if remaining is None else round(remaining, 1),
    }


def sentence(one: dict[str, Any]) -> str:
    """A running operation in words."""
    count = f" {one['done']} of {one['total']}" if one["total"] else ""
    band = f" {one['band']}" if one["band"] and one["band"] not in one["target"].split() else ""
    return f"{one['function']} {one['target']}{band}: {one['step'] or 'starting'}{count}"


def get_logs(
    operation: int | None = None, since: datetime | None = None, level: str = "", limit: int | None = 1000
) -> dict[str, list[str]]:
    """The log, newest line first; of one operation (raises NotFound) or the live one."""
    if operation is not None:
        queue.known(operation)
    return {"main": list(log.lines(operation, since, level, limit))}


def clear_logs() -> Outcome:
    """Clear the live log; operations keep their lines."""
    count = log.clear()
    return Outcome(f"live log cleared, {count} lines", {"count": count})


def get_operations(nums: int = 50) -> list[dict[str, Any]]:
    """Finished operations, newest first."""
    ended = Job.objects.filter(status__in=queue.ENDED).order_by("-ended_at", "-id")[:nums]
    return [finished(job) for job in ended]


def finished(job: Job) -> dict[str, Any]:
    """A finished operation."""
    seconds = (job.ended_at - job.started_at).total_seconds() if job.ended_at and job.started_at else None
    return {
        "id": job.pk,
        "operation": str(job),
        "endDate": plain(job.ended_at),
        "logPath": job.log_path or None,
        "started": plain(job.started_at),
        "seconds": None if seconds is None else round(seconds, 3),
        "outcome": job.outcome,
        "user": job.user,
        "error": job.error,
    }


def remove_queue(job_id: int) -> Outcome:
    """Take a waiting operation out of the queue; raises NotFound, Conflict where it runs or has ended."""
    job = queue.remove(job_id)
    return Outcome(f"{job} removed from the queue", {"id": job_id})


def cancel(job_id: int) -> Outcome:
    """Stop an operation: a running one between or within frames, a waiting one at once."""
    job = queue.cancel(job_id)
    words = "will stop" if job.cancel_wanted else "removed from the queue"
    return Outcome(f"{job} {words}", {"id": job_id, "status": job.status})


def requeue(job_id: int, asked_by: str = "") -> Outcome:
    """Queue an ended operation again."""
    job = queue.requeue(job_id, asked_by)
    return Outcome(f"{job} queued as operation {job.pk}", {"id": job_id, "job": job.pk})


def set_priority(job_id: int, priority: int) -> Outcome:
    """Move a waiting operation: higher goes first."""
    job = queue.set_priority(job_id, priority)
    return Outcome(f"{job} has priority {priority}", {"id": job_id, "priority": priority})


def pause() -> Outcome:
    """Start no further operation; what runs goes on."""
    queue.set_paused(True)
    return Outcome("the queue is paused; what runs goes on", {"paused": True})


def resume() -> Outcome:
    """Start operations again."""
    queue.set_paused(False)
    return Outcome("the queue is open", {"paused": False})
