"""Section `fringeframe` (ours)."""

from mar.config.base import item
from mar.config.combining import Combining


class FringeFrame(Combining):
    """How processed frames of different pointings become the fringe frame of a band."""

    warn_below: int = item(10, "Usable frames below which a warning is given", ge=0)
    object_sigma: float = item(
        4.0, "A pixel this far above the sky belongs to an object and is left out", unit="sigma", gt=0
    )
    object_grow: int = item(6, "Leave out this many pixels around it", unit="pixel", ge=0, le=50)
    lowest_level: float = item(50.0, "Frames with less sky tell nothing of fringes", unit="ADU", ge=0)
    least_step: float = item(
        10.0,
        "Frames that point nearer to each other than this count as one pointing",
        unit="arcsec",
        ge=0,
    )
