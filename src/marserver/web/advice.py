"""Failures grouped by their cause, and what to do about each."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count

from marserver.archive.models import IndividualFile
from marserver.jobs import log
from marserver.jobs.models import Job, Status
from marserver.kept import Kept

NEWEST = 200  # failed operations that are looked at
MOST_CAUSES = 10
MOST_LINES = 8  # of a log
SHORTLY_S = 3.0
KEPT_S = 15.0  # all failed frames are read: not for each of many whose pages ask by themselves
NUMBERS = re.compile(r"\d+([.:T-]\d+)*Z?")

# The first whose words are in the cause is shown. The error says what is wrong; this says where it is mended.
SKY = (
    "Look at the frame: clouds, trails, a wrong position in its header? Invalidate it, or process it with am."
)
ADVICE = (
    ("master", "Create the missing block in the calendar at that date, process it, and process this again."),
    ("not enough", "Valid frames are missing in the block: validate or add some, then process it again."),
    (
        "reference",
        "Check the reference catalogues of the site (mar refcat list), then process again with am.",
    ),
    ("astrometr", SKY),
    ("solv", SKY),
    ("truncated", "Copy the file again from the telescope and scan its folder."),
    ("header", "Correct the header of the raw file, and scan its folder again."),
    ("worker", "The machine may have run out of memory: look at its log, then queue it again."),
    ("space", "Free space on the disk of the data root, then queue it again."),
)
OTHERWISE = "Read the log; when the reason is gone, queue it again."


@dataclass(frozen=True)
class Cause:
    """One cause and what failed of it."""

    words: str
    advice: str
    number: int
    newest: list[Job]
    step: str = ""
    log: list[str] = field(default_factory=list)  #: how the log of the newest operation begins


def causes_of_operations() -> list[Cause]:
    """The newest failed operations by their cause, the most frequent first; some seconds old."""
    return kept_causes_of_operations()


def count_causes_of_operations() -> list[Cause]:
    """The same, found now."""
    found: dict[str, list[Job]] = defaultdict(list)
    for job in Job.objects.filter(status=Status.FAILED).order_by("-ended_at", "-id")[:NEWEST]:
        found[cause(job.error or job.outcome)].append(job)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))[:MOST_CAUSES]
    return [of_jobs(words, jobs) for words, jobs in ordered]


kept_causes_of_operations = Kept(count_causes_of_operations, lambda: SHORTLY_S)


def of_jobs(words: str, jobs: list[Job]) -> Cause:
    """The cause that operations share, the newest one first."""
    newest = jobs[0]
    begin = log.first_lines(newest, MOST_LINES)
    return Cause(newest.error or newest.outcome, advice(words), len(jobs), jobs[:5], log=begin)


def causes_of_frames() -> list[Cause]:
    """The frames whose last step failed, by step and reason, the most frequent first; some seconds old."""
    return kept_causes_of_frames()


def count_causes_of_frames() -> list[Cause]:
    """The same, counted now."""
    failed = IndividualFile.objects.exclude(failed_step="").filter(isvalid=True)
    counted = failed.values_list("failed_step", "error").annotate(count=Count("id")).order_by("-count")
    groups: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for step, error, count in counted[:NEWEST]:
        groups[step, cause(error)].append((error, count))
    causes = [
        Cause(errors[0][0], advice(words), sum(count for _, count in errors), [], step)
        for (step, words), errors in groups.items()
    ]
    return sorted(causes, key=lambda one: -one.number)[:MOST_CAUSES]


kept_causes_of_frames = Kept(count_causes_of_frames, lambda: KEPT_S)


def cause(error: str) -> str:
    """An error without the numbers, names and dates that differ from one failure to the next."""
    first = error.strip().partition("\n")[0]
    return NUMBERS.sub("#", re.sub(r"\S*/\S+", "/", first)) or "no reason was told"


def advice(words: str) -> str:
    """What to do about a cause."""
    lower = words.lower()
    return next((what for word, what in ADVICE if word in lower), OTHERWISE)
