"""How long an operation may take, from how long past ones took."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from marserver.jobs.models import Job, Status

LAST = 50  # operations that an estimate rests on at most
SCIENCE = ("process_scibyfilter", "process_sciblock", "process_finaltiles", "process_field")
NEVER = "no operation of this kind has run yet"


def estimate(function: str, code: str, amounts: Mapping[str, int]) -> dict[str, Any]:
    """The seconds expected for so many frames, tiles or images, and in words what they rest on.

    Past operations of the same function and code count, else those of the function, else others that
    reduce science frames.
    """
    wanted = {what: count for what, count in amounts.items() if count}
    if not wanted:
        return {"seconds": 0.0, "each": {}, "rests_on": "there is nothing to do"}
    family = SCIENCE if function in SCIENCE else (function,)
    for past in (
        Job.objects.filter(function=function, code=code),
        Job.objects.filter(function=function),
        Job.objects.filter(function__in=family),
    ):
        paces = paces_of(past)
        if set(wanted) <= set(paces):
            return told(wanted, {what: paces[what] for what in wanted})
    return {"seconds": None, "each": {}, "rests_on": NEVER}


def paces_of(past: Any) -> dict[str, list[float]]:
    """Seconds for one frame, tile or image in each of the last operations that are done."""
    last = (
        past.filter(status=Status.DONE).order_by("-ended_at", "-id").values_list("result", flat=True)[:LAST]
    )
    found: dict[str, list[float]] = {}
    for result in last:
        for what, (count, seconds) in result.get("pace", {}).items():
            if count:
                found.setdefault(what, []).append(seconds / count)
    return found


def told(wanted: Mapping[str, int], paces: Mapping[str, list[float]]) -> dict[str, Any]:
    """The sum of the medians, and what they are."""
    each = {what: round(median(some), 3) for what, some in paces.items()}
    seconds = sum(median(paces[what]) * count for what, count in wanted.items())
    words = ", ".join(
        f"{each[what]:g} s for each of {count} {what} (median of {len(paces[what])} past operations)"
        for what, count in wanted.items()
    )
    return {"seconds": round(seconds, 1), "each": each, "rests_on": words}
