"""Asking for the reduction of a block: checked that there is something to do, then queued as one job."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from marserver.archive.kinds import named
from marserver.archive.models import IndividualFile
from marserver.audit.record import Changed, note_all
from marserver.errors import Conflict, Invalid
from marserver.jobs import queue
from marserver.jobs.models import Job
from marserver.reduction import code as execution
from marserver.reduction.requests.blocks import FRAMES, PART_KIND, PARTS
from marserver.reduction.requests.finding import held
from marserver.reduction.requests.outcome import Outcome


def queued(job: Job, **values: Any) -> Outcome:
    """The answer to everything that queues work."""
    return Outcome(f"{job} queued as operation {job.pk}", {"job": job.pk, **values})


def enqueue(order: queue.Order, action: str, kind: str, targets: Iterable[object]) -> Job:
    """Queue a job and note it beside the rows that it is about, or as an operation where there is none yet.

    Call it in a transaction. Raises Conflict where the same is queued or runs.
    """
    job = queue.enqueue(order)
    about = [Changed(target, {}, {"job": job.pk}) for target in targets]
    if about:
        note_all(order.user, action, kind, about)
    else:
        note_all(order.user, action, "operation", [Changed(job.pk, {}, {"operation": str(job)})])
    return job


@transaction.atomic
def process(kind: str, row_id: int, *, code: str = "", only: str = "", asked_by: str = "") -> Outcome:
    """Queue the reduction of a block.

    Raises NotFound; Conflict where it is done, invalid or has no valid frame, where no frame failed though
    only those are asked for, or where it is already queued or running; Invalid for an unknown code.
    """
    order = order_of(kind, row_id, code, only, asked_by)
    check_ready(order.kind, held(order.kind, row_id), only)
    return queued(enqueue(order, "process", order.kind, [row_id]), id=row_id)


def order_of(kind: str, row_id: int, code: str, only: str, asked_by: str) -> queue.Order:
    """The operation that a `process` of a block asks for; raises Invalid."""
    kind = named(kind).name
    if only not in ("", "failed"):
        raise Invalid(f"only: {only!r} is not accepted; it is failed, or left out")
    words, params = execution.spell(code), {"id": row_id, "only": only}
    return queue.Order(f"process_{kind}", kind, str(row_id), code=words, params=params, user=asked_by)


def check_ready(kind: str, block: Any, only: str = "") -> None:
    """Raises Conflict where there is nothing to do for a block."""
    name = f"{kind} {block.pk}"
    if not block.isvalid:
        raise Conflict(f"{name} is invalid; validate it to process it")
    if block.status == 1:
        raise Conflict(
            f"{name} is already done (status 1); to run it again set its status to 0 first (setstatus)"
        )
    valid = frames_in(kind, block, only).filter(isvalid=True)
    if not valid.exists():
        raise Conflict(f"{name} has no valid frame; validate some or add others, then process it")
    if only == "failed" and not valid.exclude(failed_step="").exists():
        raise Conflict(f"no frame failed in {name}; leave out only to run all that is still to be done")


def frames_in(kind: str, block: Any, only: str) -> Any:
    """The frames of a block, or of its valid parts; where only failed ones count, of parts not done."""
    if kind not in PARTS:
        return getattr(block, FRAMES[kind])
    parts = getattr(block, PARTS[kind]).filter(isvalid=True)
    wanted = parts.filter(status=0) if only else parts
    return IndividualFile.objects.filter(**{f"{PART_KIND[kind]}s__in": wanted})
