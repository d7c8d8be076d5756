"""Items that the sections of all masters share."""

from typing import Literal

from mar.config.base import Section, item

Rejections = Literal["none", "minmax", "sigclip", "avsigclip", "ccdclip", "pclip"]
Levels = Literal["none", "mode", "median", "mean"]


class Combining(Section):
    """How frames are combined into a master."""

    method: Literal["median", "mean"] = item("median", "What becomes of the values that are kept")
    rejection: Rejections = item("avsigclip", "What is left out of a pixel before its values are combined")
    low_sigma: float = item(3.0, "Clip values that far below the median", unit="sigma", gt=0)
    high_sigma: float = item(3.0, "Clip values that far above the median", unit="sigma", gt=0)
    nkeep: int = item(
        1, "Values that a pixel keeps at least; if negative, that many may go at most", ge=-1000, le=1000
    )
    nlow: int = item(1, "Lowest values that minmax drops", ge=0)
    nhigh: int = item(1, "Highest values that minmax drops", ge=0)
    centre: Literal["median", "mean"] = item(
        "median", "What values are clipped about; the mean leaves out the lowest and the highest at first"
    )
    rounds: int = item(0, "Rounds of clipping at most; 0 is until nothing more goes", ge=0)
    sensitivity: float = item(0.0, "Noise as a part of the signal, for ccdclip", ge=0, le=1)
    pclip: float = item(
        -0.5,
        "Places from the median, below it if negative, of the value whose distance is the sigma of pclip; "
        "below 1 a part of half the frames; 0 is refused",
    )
    sigscale: float = item(
        0.1,
        "Noise is that of unscaled values where a frame's scale differs by more than this from 1; 0: never",
        ge=0,
    )
    scale: Levels = item("none", "Level that each frame is divided by, relative to the average of all")
    zero: Levels = item(
        "none", "Level of each frame that is brought to the average of all before they are combined"
    )
    statsec: str = item(
        "",
        "Part of the trimmed image that scale and zero are measured on, like [x1:x2,y1:y2]; empty: all of it",
        unit="pixel",
        pattern=r"^(\[\d+:\d+,\d+:\d+\])?$",
    )
    levels: Literal["frame", "amplifier"] = item(
        "frame", "Whether scale and zero are those of whole frames or of each amplifier by itself"
    )
    min_frames: int = item(3, "Usable frames below which no master is made", ge=1)
    stack_mb: int = item(256, "Pixels of the stack that are in memory at a time", unit="MB", ge=1)
