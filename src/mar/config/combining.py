"""Items that the sections of all masters share."""

from typing import Literal

from mar.config.base import Section, item


class Combining(Section):
    """How frames are combined into a master."""

    method: Literal["median", "mean"] = item("median", "What becomes of the values that are kept")
    rejection: Literal["none", "minmax", "sigclip", "avsigclip", "ccdclip"] = item(
        "avsigclip", "What is left out of a pixel before its values are combined"
    )
    low_sigma: float = item(3.0, "Clip values that far below the median", unit="sigma", gt=0)
    high_sigma: float = item(3.0, "Clip values that far above the median", unit="sigma", gt=0)
    nkeep: int = item(1, "Values that a pixel keeps at least", ge=0)
    nlow: int = item(1, "Lowest values that minmax drops", ge=0)
    nhigh: int = item(1, "Highest values that minmax drops", ge=0)
    min_frames: int = item(3, "Usable frames below which no master is made", ge=1)
    stack_mb: int = item(256, "Pixels of the stack that are in memory at a time", unit="MB", ge=1)
