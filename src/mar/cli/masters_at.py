"""Which master on disk holds a date, when there is no archive to ask."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from mar.errors import MissingMaster
from mar.io.names import Layout
from mar.run import MasterFiles

_DAYS = re.compile(r"(\d{8})-(\d{8})\.fits$")
_ANY = date(2000, 1, 1)


def bias_for(layout: Layout, day: date) -> MasterFiles:
    """The master bias whose days hold `day`, the narrowest, with its mask; raises MissingMaster."""
    folder = layout.master_bias(_ANY, _ANY).parent
    return _with_mask(_holding(folder, "masterbias", day), layout.hot_mask)


def flat_for(layout: Layout, band: str, day: date) -> MasterFiles:
    """The same for the master flat of a band."""
    folder = layout.master_flat(band, _ANY, _ANY).parent
    return _with_mask(
        _holding(folder, "masterflat", day), lambda start, end: layout.cold_mask(band, start, end)
    )


def last_bias(layout: Layout, start: date, end: date) -> MasterFiles | None:
    """The last master bias before those days, to compare a new one with; None where there is none."""
    last = _last(layout.master_bias(_ANY, _ANY).parent, "masterbias", start, end)
    return _with_mask(last, layout.hot_mask) if last else None


def last_flat(layout: Layout, band: str, start: date, end: date) -> MasterFiles | None:
    """The same for the master flat of a band."""
    last = _last(layout.master_flat(band, _ANY, _ANY).parent, "masterflat", start, end)
    return _with_mask(last, lambda start, end: layout.cold_mask(band, start, end)) if last else None


def _last(folder: Path, prefix: str, start: date, end: date) -> Path | None:
    spans = {path: _days(path) for path in folder.glob(f"{prefix}*.fits")}
    earlier = [path for path, days in spans.items() if days != (start, end) and days[1] <= end]
    return max(earlier, key=lambda path: (spans[path][1], path.stat().st_mtime), default=None)


def superflat_for(layout: Layout, band: str, day: date) -> Path | None:
    """The fringe frame of a band; None where there is none."""
    try:
        return _holding(layout.superflat(band, _ANY, _ANY).parent, f"superflat_{band}", day)
    except MissingMaster:
        return None


def _days(path: Path) -> tuple[date, date]:
    match = _DAYS.search(path.name)
    if match is None:
        return date.max, date.min  # holds no day
    start, end = (date.fromisoformat(text) for text in match.groups())
    return start, end


def _holding(folder: Path, prefix: str, day: date) -> Path:
    spans = {path: _days(path) for path in folder.glob(f"{prefix}*.fits")}
    holding = {path: end - start for path, (start, end) in spans.items() if start <= day <= end}
    if not holding:
        raise MissingMaster(f"no {prefix} in {folder} holds {day}; make it first, or name one with an option")
    return min(holding, key=lambda path: (holding[path], -path.stat().st_mtime))


def _with_mask(master: Path, place: Callable[[date, date], Path]) -> MasterFiles:
    mask = place(*_days(master))
    return MasterFiles(master, mask if mask.exists() else None)
