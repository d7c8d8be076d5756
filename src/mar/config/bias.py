"""Section `bias` (ours)."""

from mar.config.base import item
from mar.config.combining import Combining, Levels, Rejections


class Bias(Combining):
    """The master bias and the mask of hot pixels that it gives."""

    rejection: Rejections = item("ccdclip", "What is left out of a pixel before its values are combined")
    zero: Levels = item(
        "mode", "Level of each frame that is brought to the average of all before they are combined"
    )
    warn_below: int = item(30, "Usable frames below which a warning is given", ge=0)
    hot_sigma: float = item(5.0, "A pixel this far above its surroundings is hot", unit="sigma", gt=0)
    hot_iterations: int = item(7, "Rounds of clipping that find the noise of the master", ge=1, le=50)
    hot_cell: int = item(48, "Cell of the smooth surface that hot pixels stand out from", unit="pixel", ge=8)
    change_adu: float = item(
        1.0, "Change of an amplifier's level from the last good master that is reported", unit="ADU", gt=0
    )
    change_sigma: float = item(
        6.0, "A pixel that differs by so much from the last good master counts as changed", unit="sigma", gt=0
    )
    change_fraction: float = item(
        0.001, "Part of the pixels that may change from the last good master without a warning", ge=0, le=1
    )
