"""How far an operation is, from what the server tells of its queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One look at an operation."""

    state: str  # waiting, running or ended
    step: str = ""
    band: str = ""
    done: int = 0
    total: int = 0
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    outcome: str = ""
    error: str = ""
    log_path: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state == "ended"


def find(operations: Sequence[Mapping[str, Any]], job: int) -> Mapping[str, Any] | None:
    """The one operation of a list."""
    return next((one for one in operations if one["id"] == job), None)


def running(operations: Sequence[Mapping[str, Any]], job: int) -> Progress | None:
    """Progress from the `operations` of get_process."""
    one = find(operations, job)
    if one is None:
        return None
    return Progress(
        "running",
        one["step"],
        one["band"],
        one["done"],
        one["total"],
        one["elapsed"],
        one["remaining"],
    )


def waiting(operations: Sequence[Mapping[str, Any]], job: int) -> Progress | None:
    """Progress from get_queue."""
    return Progress("waiting") if find(operations, job) else None


def ended(operations: Sequence[Mapping[str, Any]], job: int) -> Progress | None:
    """Progress from getOperations."""
    one = find(operations, job)
    if one is None:
        return None
    return Progress(
        "ended",
        elapsed_s=one["seconds"] or 0.0,
        outcome=one["outcome"],
        error=one["error"],
        log_path=one["logPath"],
    )
