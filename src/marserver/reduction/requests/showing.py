"""What waits, what runs, what ended, and what the log says."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.timezone import now

from marserver.archive.rows import plain
from marserver.jobs import leases, log, queue, steering
from marserver.jobs.models import ALIVE, Job, Status
from marserver.prepared import Prepared

MOST_WAITING = 10**9  # that a limit may ask for
WAITING = ("id", "function", "block", "band", "code", "user", "priority", "queued_at", "not_before", "status")


def get_queue(limit: int | None = None) -> list[dict[str, Any]]:
    """The operations that wait, in order; scalars all."""
    return queue_now(limit)[0]


def queue_now(limit: int | None = None) -> tuple[list[dict[str, Any]], list[int]]:
    """The operations that wait, in order, and the ids of those that run, at one and the same moment."""
    leases.recover()
    if limit is None:
        found = ALL_ALIVE()
    else:
        found = alive()[: min(limit, MOST_WAITING) + queue.running().count() + queue.jobs_at_once()]
    jobs = [dict(zip(WAITING, values, strict=True)) for values in found]
    waits = [waiting(job) for job in jobs if job["status"] == Status.TODO]
    return waits[:limit], sorted(job["id"] for job in jobs if job["status"] == Status.DOING)


def alive() -> Any:
    """The operations that run, which are few, and behind them those that wait: as the index has them."""
    return Job.objects.filter(status__in=ALIVE).order_by("status", "-priority", "id").values_list(*WAITING)


ALL_ALIVE = Prepared(alive)


def waiting(job: dict[str, Any]) -> dict[str, Any]:
    """An operation that waits."""
    return {
        "id": job["id"],
        "function": job["function"],
        "block": " ".join(word for word in (job["block"], job["band"]) if word),
        "code": job["code"],
        "user": job["user"],
        "priority": job["priority"],
        "queued_at": plain(job["queued_at"]),
        "not_before": plain(job["not_before"]),
    }


def get_process() -> tuple[str, list[dict[str, Any]]]:
    """One sentence on what runs now, `Available` where nothing does, and the running operations."""
    leases.recover()
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
    operation: int | None = None,
    since: datetime | None = None,
    level: str = "",
    limit: int | None = 1000,
    text: str = "",
) -> dict[str, list[str]]:
    """The log, newest line first; of one operation (raises NotFound) or the live one."""
    return {"main": list(lines(operation, since, level, limit, text))}


def lines(
    operation: int | None, since: datetime | None, level: str, limit: int | None, text: str
) -> Iterator[str]:
    """Lines of the table, or of the file that an operation left when it ended."""
    job = steering.known(operation) if operation is not None else None
    kept = log.kept(job, since, level, limit, text) if job is not None else None
    return kept if kept is not None else log.lines(operation, since, level, limit, text)


def get_operations(nums: int = 50) -> list[dict[str, Any]]:
    """Finished operations, newest first."""
    leases.recover()
    over = Job.objects.filter(ended_at__isnull=False).exclude(status__in=ALIVE)  # along the index of ends
    return [finished(job) for job in over.order_by("-ended_at", "-id")[:nums]]


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
