"""Which calibration belongs to a frame: matched by date."""

from datetime import date
from typing import Any

from mar.errors import MissingMaster
from marserver.archive.models import BiasBlock, FlatByFilter, IndividualFile, Superflat


def bias_for(frame: IndividualFile, max_days: int = 0) -> BiasBlock:
    """The bias block of a frame's date; raises MissingMaster, which names the date."""
    return choose(
        BiasBlock.objects.filter(master_path__isnull=False), frame.obs_date.date(), max_days, "bias block"
    )


def flat_for(frame: IndividualFile, max_days: int = 0) -> FlatByFilter:
    """The flat block of a frame's date and band; raises MissingMaster, which names both."""
    flats = FlatByFilter.objects.filter(band=frame.band, master_path__isnull=False)
    return choose(flats, frame.obs_date.date(), max_days, f"{frame.band} flat block")


def superflat_for(frame: IndividualFile, max_days: int = 0) -> Superflat | None:
    """The fringe frame linked to a frame, else the one of its date and band; None where there is none."""
    if frame.superflat is not None:
        return frame.superflat
    fringes = Superflat.objects.filter(band=frame.band, super_flat_path__isnull=False)
    try:
        return choose(fringes, frame.obs_date.date(), max_days, f"{frame.band} superflat")
    except MissingMaster:
        return None


def choose(blocks: Any, day: date, max_days: int, what: str) -> Any:
    """The valid, processed block whose dates hold a day: the narrowest, then the newest.

    Where none does, the nearest one at most `max_days` away; raises MissingMaster where there is none.
    """
    good = list(blocks.filter(isvalid=True, status=1))
    holding = [block for block in good if days_away(block, day) == 0]
    if holding:
        return min(holding, key=lambda block: (width(block), -block.pk))
    near = [block for block in good if days_away(block, day) <= max_days]
    if near:
        return min(near, key=lambda block: (days_away(block, day), width(block), -block.pk))
    raise MissingMaster(f"no valid, processed {what} for {day}{nearest(good, day, what)}")


def days_away(block: Any, day: date) -> int:
    """Days between a day and the dates of a block; 0 where they hold it."""
    return max((block.block_start_date - day).days, (day - block.block_end_date).days, 0)


def width(block: Any) -> int:
    """Days that a block spans."""
    return (block.block_end_date - block.block_start_date).days


def nearest(good: list[Any], day: date, what: str) -> str:
    """What there is instead, in words."""
    if not good:
        return f": make and process a {what} of those dates first"
    block = min(good, key=lambda one: days_away(one, day))
    return (
        f": the nearest is {block.pk} of {block.block_start_date} to {block.block_end_date}, "
        f"{days_away(block, day)} days away; make one of those dates or raise config.MAX_DAYS"
    )
