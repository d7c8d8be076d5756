"""The masters of the archive, read once for all frames of an operation."""

from collections import defaultdict
from datetime import date
from functools import cached_property
from typing import Any

from marserver.archive.models import BiasBlock, FlatByFilter, IndividualFile, Superflat
from marserver.reduction.plan.judging import Choice, judge

COLUMNS = ("block_start_date", "block_end_date", "status", "isvalid")


class Shelf:
    """All blocks that may calibrate a frame; each kind is read at its first use, each choice is made once."""

    def __init__(self, max_days: int = 0) -> None:
        self.max_days = max_days
        self._chosen: dict[tuple[str, str, date], Choice] = {}

    @cached_property
    def biases(self) -> list[BiasBlock]:
        """All bias blocks."""
        return list(BiasBlock.objects.only(*COLUMNS, "master_path", "mask_path"))

    @cached_property
    def flats(self) -> dict[str, list[FlatByFilter]]:
        """All flat blocks by band."""
        return by_band(FlatByFilter.objects.only(*COLUMNS, "band", "master_path", "mask_path"))

    @cached_property
    def superflats(self) -> dict[str, list[Superflat]]:
        """All fringe frames by band."""
        return by_band(Superflat.objects.only(*COLUMNS, "band", "super_flat_path"))

    def bias(self, day: date) -> Choice:
        """The bias block of a day."""
        return self.choose("biasblock", "", day)

    def flat(self, band: str, day: date) -> Choice:
        """The flat block of a band and day."""
        return self.choose("flatbyfilter", band, day)

    def superflat(self, frame: IndividualFile) -> Choice:
        """The fringe frame linked to a frame, else the one of its date and band."""
        band, day = frame.band or "", day_of(frame)
        if frame.superflat is not None:
            return Choice(
                "superflat", band, day, [judge(frame.superflat, day, band, self.max_days)], linked=True
            )
        return self.choose("superflat", band, day)

    def choose(self, kind: str, band: str, day: date) -> Choice:
        """Judge all of a band for a day; where none fits, also those of other bands that hold it."""
        key = kind, band, day
        if key not in self._chosen:
            choice = Choice(kind, band, day, self.judged(self.candidates(kind, band), band, day))
            if choice.best is None and band:
                others = self.judged(self.of_other_bands(kind, band), band, day)
                choice.judged.extend(one for one in others if one.days_away == 0)
            self._chosen[key] = choice
        return self._chosen[key]

    def judged(self, blocks: list[Any], band: str, day: date) -> list[Any]:
        """Each of some blocks by the rules."""
        return [judge(block, day, band, self.max_days) for block in blocks]

    def candidates(self, kind: str, band: str) -> list[Any]:
        """The blocks of one kind and band."""
        return list(self.biases) if kind == "biasblock" else self.banded(kind).get(band, [])

    def of_other_bands(self, kind: str, band: str) -> list[Any]:
        """The blocks of one kind and all other bands."""
        return [block for name, some in self.banded(kind).items() if name != band for block in some]

    def banded(self, kind: str) -> dict[str, list[Any]]:
        """The blocks of a kind that has bands."""
        return self.flats if kind == "flatbyfilter" else self.superflats


def by_band(blocks: Any) -> dict[str, list[Any]]:
    """Some blocks by their band."""
    found: dict[str, list[Any]] = defaultdict(list)
    for block in blocks:
        found[block.band].append(block)
    return found


def day_of(frame: IndividualFile) -> date:
    """The UTC date of a frame, by which its masters are matched."""
    return frame.obs_date.date()


def bias_for(frame: IndividualFile, max_days: int = 0) -> BiasBlock:
    """The bias block of a frame's date; raises MissingMaster, which names the date."""
    block: BiasBlock = Shelf(max_days).bias(day_of(frame)).needed()
    return block


def flat_for(frame: IndividualFile, max_days: int = 0) -> FlatByFilter:
    """The flat block of a frame's date and band; raises MissingMaster, which names both."""
    block: FlatByFilter = Shelf(max_days).flat(frame.band or "", day_of(frame)).needed()
    return block
