"""What an operation would do with each science frame: the steps, the masters, or why nothing is done.

The task that reduces frames and the plan that only tells of it both take their answer from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mar.config import Config
from mar.errors import MissingMaster
from marserver.archive.models import FrameStatus, IndividualFile
from marserver.reduction.code import COADD, steps_from
from marserver.reduction.plan.judging import Choice
from marserver.reduction.plan.masters import Shelf, day_of
from marserver.reduction.plan.scope import Entry


@dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    code: frozenset[str]
    config: Config
    only: str = ""  # failed: only the frames that failed
    set_back: int | None = None  # the frames are first set back to this status


@dataclass(frozen=True)
class Outlook:
    """What becomes of one frame."""

    frame: IndividualFile
    status: int  # how far it came
    steps: tuple[str, ...] = ()  # those that are to be run
    dropped: str = ""  # why nothing is done with it
    done_before: bool = False
    fails: str = ""  # why it fails before the first step
    bias: Choice | None = None
    flat: Choice | None = None
    superflat: Choice | None = None

    @property
    def runs(self) -> bool:
        """Whether it is reduced."""
        return not self.dropped and not self.fails

    @property
    def defringed(self) -> bool:
        """Whether fringes are subtracted from it now."""
        return "sf" in self.steps and self.superflat is not None and self.superflat.block is not None

    @property
    def coadded(self) -> bool:
        """Whether the tile of its field and band is wanted."""
        return not self.dropped or self.done_before


def outlooks(entries: Iterable[Entry], wanted: Wanted) -> list[Outlook]:
    """What becomes of each frame, in their order."""
    some = list(entries)
    shelf = Shelf(wanted.config.config.max_days, (day_of(one.frame) for one in some if not one.dropped))
    return [outlook(one, wanted, shelf) for one in some]


def outlook(entry: Entry, wanted: Wanted, shelf: Shelf) -> Outlook:
    """What becomes of one frame."""
    frame = entry.frame
    status = status_of(frame, wanted.set_back)
    if entry.dropped:
        return Outlook(frame, status, dropped=entry.dropped)
    if wanted.only == "failed" and not frame.failed_step:
        return Outlook(frame, status, dropped="it did not fail")
    steps = steps_from(wanted.code, status)
    if not steps:
        reason = f"it has status {status} already" if wanted.code - {COADD} else "only coadds are asked for"
        return Outlook(frame, status, dropped=reason, done_before=True)
    return calibrated(Outlook(frame, status, steps), wanted, shelf)


def status_of(frame: IndividualFile, set_back: int | None = None) -> int:
    """How far a frame came: an operator may have set back the raw or the processed row."""
    reached = min(frame.status, frame.processed.status) if frame.processed else frame.status
    return reached if set_back is None else min(reached, set_back)


def calibrated(one: Outlook, wanted: Wanted, shelf: Shelf) -> Outlook:
    """The same with its masters, or with the reason why it fails.

    A frame that has its flat behind it gets them too: its pixels may have to be made again from the raw ones.
    """
    frame, raw = one.frame, one.status < FrameStatus.FLATTENED
    bias, flat = shelf.bias(day_of(frame)), shelf.flat(frame.band or "", day_of(frame))
    superflat = shelf.superflat(frame) if fringed(one, wanted) else None
    return Outlook(
        frame,
        one.status,
        one.steps,
        fails=failing(one, bias, flat) if raw else "",
        bias=bias,
        flat=flat,
        superflat=superflat,
    )


def fringed(one: Outlook, wanted: Wanted) -> bool:
    """Whether fringes are subtracted from a frame now, or were and may have to be again."""
    config = wanted.config
    switched_on = config.superflat.cf_superflat_correction and one.frame.band in config.fringe.filters
    return switched_on and ("sf" in one.steps or one.status >= FrameStatus.DEFRINGED)


def failing(one: Outlook, bias: Choice, flat: Choice) -> str:
    """Why a raw frame cannot even be begun; empty where it can."""
    if "ov" not in one.steps:
        return f"{one.frame.file_name}: {' '.join(one.steps)} needs ov first; ask for it too"
    try:
        bias.needed()
        flat.needed()
    except MissingMaster as error:
        return str(error)
    return ""
