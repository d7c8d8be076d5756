"""The masters of the archive, read once for all frames of an operation."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Q

from marserver.archive.models import BiasBlock, FlatByFilter, IndividualFile, Superflat
from marserver.reduction.plan.judging import Choice, Judged, judge

MODELS: dict[str, Any] = {"biasblock": BiasBlock, "flatbyfilter": FlatByFilter, "superflat": Superflat}
DATES = ("block_start_date", "block_end_date")
COLUMNS = {
    "biasblock": (*DATES, "status", "isvalid", "master_path", "mask_path"),
    "flatbyfilter": (*DATES, "status", "isvalid", "band", "master_path", "mask_path"),
    "superflat": (*DATES, "status", "isvalid", "band", "super_flat_path"),
}
PATH = {"biasblock": "master_path", "flatbyfilter": "master_path", "superflat": "super_flat_path"}
GAP = timedelta(days=31)  # days further apart than this are looked up apart
MOST_STRETCHES = 50


class Shelf:
    """The blocks that may calibrate frames of some days.

    Each kind is read at its first use, the blocks near those days only; each choice is made once.
    """

    def __init__(self, max_days: int = 0, days: Iterable[date] = ()) -> None:
        self.max_days = max_days
        self.near_days = near(days, max_days)
        self._blocks: dict[str, dict[str, list[Any]]] = {}
        self._good: dict[str, dict[str, list[Any]]] = {}
        self._chosen: dict[tuple[str, str, date], Choice] = {}

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
            judged = [judge(frame.superflat, day, band, self.max_days)]
            return Choice("superflat", band, day, judged, linked=True)
        return self.choose("superflat", band, day)

    def choose(self, kind: str, band: str, day: date) -> Choice:
        """Judge the blocks of a band near a day; where none fits, also what comes closest elsewhere."""
        key = kind, band, day
        if key not in self._chosen:
            blocks = self.blocks(kind)
            judged = [judge(block, day, band, self.max_days) for block in blocks.get(band, [])]
            choice = Choice(kind, band, day, judged)
            if choice.best is None:
                judged.extend(self.elsewhere(choice, {one.block.pk for one in judged}))
            self._chosen[key] = choice
        return self._chosen[key]

    def elsewhere(self, choice: Choice, judged: set[int]) -> list[Judged]:
        """The nearest good block of any date, and the blocks of other bands that hold the day."""
        day, band = choice.day, choice.band
        others = [one for name, some in self.blocks(choice.kind).items() if name != band for one in some]
        holding = [one for one in others if one.block_start_date <= day <= one.block_end_date]
        good = self.good(choice.kind).get(band, [])
        closest = min(good, key=lambda row: distance(row, day), default=None)
        if closest is not None and closest[0] not in judged:
            holding.append(block_of(choice.kind, band, closest))
        return [judge(block, day, band, self.max_days) for block in holding]

    def blocks(self, kind: str) -> dict[str, list[Any]]:
        """The blocks of one kind near the days, by band; bias has none."""
        if kind not in self._blocks:
            rows = MODELS[kind].objects.filter(self.near_days).only(*COLUMNS[kind])
            self._blocks[kind] = by_band((getattr(row, "band", ""), row) for row in rows)
        return self._blocks[kind]

    def good(self, kind: str) -> dict[str, list[Any]]:
        """Id, dates and path of all valid, processed blocks of one kind, by band."""
        if kind not in self._good:
            done = {"isvalid": True, "status": 1, f"{PATH[kind]}__isnull": False}
            band = ("band",) if "band" in COLUMNS[kind] else ()
            rows = MODELS[kind].objects.filter(**done).values_list("pk", *DATES, PATH[kind], *band)
            self._good[kind] = by_band((row[4] if band else "", row) for row in rows)
        return self._good[kind]


def block_of(kind: str, band: str, row: tuple[Any, ...]) -> Any:
    """A valid, processed block from what is known of it, to be shown only."""
    values = dict(zip(("pk", *DATES, PATH[kind]), row[:4], strict=True))
    more = {"band": band} if "band" in COLUMNS[kind] else {}
    return MODELS[kind](**values, **more, status=1, isvalid=True)


def near(days: Iterable[date], max_days: int) -> Q:
    """Blocks whose dates come near any of some days; all blocks where no day is given."""
    reach, wanted = timedelta(days=max_days), Q()
    for first, last in stretches(days):
        wanted |= Q(block_start_date__lte=last + reach, block_end_date__gte=first - reach)
    return wanted


def stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """First and last days of some days that lie close together."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] <= GAP:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found if len(found) <= MOST_STRETCHES else [(found[0][0], found[-1][1])]


def distance(row: tuple[Any, ...], day: date) -> tuple[int, int, int]:
    """Days between a day and the dates of a block; the narrowest and newest first of those as near."""
    key, start, end = row[:3]
    return max((start - day).days, (day - end).days, 0), (end - start).days, -key


def by_band(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Some blocks by their band."""
    found: dict[str, list[Any]] = defaultdict(list)
    for band, block in pairs:
        found[band].append(block)
    return found


def day_of(frame: IndividualFile) -> date:
    """The UTC date of a frame, by which its masters are matched."""
    return frame.obs_date.date()


def bias_for(frame: IndividualFile, max_days: int = 0) -> BiasBlock:
    """The bias block of a frame's date; raises MissingMaster, which names the date."""
    block: BiasBlock = Shelf(max_days, [day_of(frame)]).bias(day_of(frame)).needed()
    return block


def flat_for(frame: IndividualFile, max_days: int = 0) -> FlatByFilter:
    """The flat block of a frame's date and band; raises MissingMaster, which names both."""
    block: FlatByFilter = Shelf(max_days, [day_of(frame)]).flat(frame.band or "", day_of(frame)).needed()
    return block
