"""Which calibration belongs to a day: all are judged by the same rules, the best that fits is taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from mar.errors import MissingMaster

RULES = ("valid", "processed", "band", "dates", "within MAX_DAYS")


class Judged(NamedTuple):
    """One candidate: how far its dates are from the day, how many they span, and the rules it keeps."""

    days_away: int  # 0 where its dates hold the day
    width: int  # days
    place: int  # smaller for newer
    keeps: tuple[bool, ...]  # in the order of RULES
    block: Any

    @property
    def fits(self) -> bool:
        """Whether it may be taken: its dates need not hold the day where MAX_DAYS reaches it."""
        valid, processed, band, _, near = self.keeps
        return valid and processed and band and near


def judge(block: Any, day: date, band: str, max_days: int) -> Judged:
    """One candidate for a day, and a band where it has any."""
    away = days_away(block, day)
    done = block.status == 1 and path_of(block) is not None
    right_band = getattr(block, "band", band) == band
    keeps = (block.isvalid, done, right_band, away == 0, away <= max_days)
    return Judged(away, width(block), -block.pk, keeps, block)


def path_of(block: Any) -> str | None:
    """The file of a master, where it is made."""
    path: str | None = block.super_flat_path if hasattr(block, "super_flat_path") else block.master_path
    return path


def pick(judged: Iterable[Judged]) -> Judged | None:
    """The best of those that fit: its dates hold the day or are the nearest; the narrowest; the newest."""
    return min((one for one in judged if one.fits), default=None)


def days_away(block: Any, day: date) -> int:
    """Days between a day and the dates of a block; 0 where they hold it."""
    return max((block.block_start_date - day).days, (day - block.block_end_date).days, 0)


def width(block: Any) -> int:
    """Days that a block spans."""
    days: int = (block.block_end_date - block.block_start_date).days
    return days


@dataclass(frozen=True)
class Choice:
    """What was chosen for a day, and everything that it was chosen from."""

    kind: str  # of the block: biasblock, flatbyfilter, superflat
    band: str  # empty for bias
    day: date
    judged: list[Judged] = field(repr=False)
    linked: bool = False  # an operator has said so: no rule counts, only that it is made

    @cached_property
    def best(self) -> Judged | None:
        """The candidate that is taken."""
        if self.linked:
            return next((one for one in self.judged if path_of(one.block)), None)
        return pick(self.judged)

    @property
    def block(self) -> Any:
        """The block that is taken, or None."""
        return self.best.block if self.best else None

    def needed(self) -> Any:
        """The block that is taken; raises MissingMaster, which names the date and what there is instead."""
        if self.best is None:
            raise MissingMaster(self.missing)
        return self.best.block

    @property
    def what(self) -> str:
        """What is looked for, in words."""
        words = {"biasblock": "bias block", "flatbyfilter": "flat block", "superflat": "superflat"}
        return f"{self.band} {words[self.kind]}".strip()

    @cached_property
    def missing(self) -> str:
        """Why there is none, and what to do."""
        good = [one for one in self.judged if all(one.keeps[:3])]
        if not good:
            sentence = f"make and process a {self.what} of those dates first"
        else:
            block = min(good).block
            sentence = (
                f"the nearest is {block.pk} of {block.block_start_date} to {block.block_end_date}, "
                f"{min(good).days_away} days away; make one of those dates or raise config.MAX_DAYS"
            )
        return f"no valid, processed {self.what} for {self.day}: {sentence}"

    def nearest_miss(self) -> Judged | None:
        """Of those that do not fit the one that breaks the fewest rules, then the nearest."""
        misses = (one for one in self.judged if not one.fits)
        return min(misses, key=lambda one: (one.keeps.count(False), one), default=None)
