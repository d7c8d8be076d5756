"""Which workers live: each gives a sign of life as often as it renews a lease."""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils.timezone import now

from marserver.jobs.leases import lease
from marserver.jobs.models import QueueState, WorkerBeat
from marserver.jobs.names import beginning

FORGOTTEN = timedelta(days=1)
START_AGAIN_WITHIN = timedelta(seconds=20)


def generation() -> int:
    """How often the workers were asked to start again."""
    return QueueState.objects.filter(pk=1).values_list("generation", flat=True).first() or 0


def sign_in(name: str) -> int:
    """A worker begins; gives the generation it belongs to."""
    mine, moment = generation(), now()
    WorkerBeat.objects.filter(seen_at__lt=moment - FORGOTTEN).delete()
    WorkerBeat.objects.update_or_create(
        name=name, defaults={"generation": mine, "started_at": moment, "seen_at": moment}
    )
    return mine


def beat(name: str) -> None:
    """A worker lives."""
    WorkerBeat.objects.filter(name=name).update(seen_at=now())


def sign_out(name: str) -> None:
    """A worker ends."""
    WorkerBeat.objects.filter(name=name).delete()


def living() -> Any:
    """The workers that gave a sign of life within a lease."""
    return WorkerBeat.objects.filter(seen_at__gte=now() - lease())


def is_late(pid: int) -> bool:
    """Whether a worker process of this machine should have started again by now, and did not."""
    close_old_connections()
    try:
        return has_not_begun_again(pid)
    except DatabaseError:  # busy or restarting: asked again soon
        return False


def has_not_begun_again(pid: int) -> bool:
    """Whether the last reset is some time ago and a worker process still is of the time before."""
    state = QueueState.objects.filter(pk=1).first()
    if state is None or state.reset_at is None or now() - state.reset_at < START_AGAIN_WITHIN:
        return False
    return WorkerBeat.objects.filter(
        name__startswith=beginning(pid), generation__lt=state.generation
    ).exists()
