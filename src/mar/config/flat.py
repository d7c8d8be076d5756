"""Section `flat` (ours)."""

from mar.config.base import item
from mar.config.combining import Combining, Levels


class Flat(Combining):
    """The master flat and the mask of cold pixels that it gives."""

    scale: Levels = item("mode", "Level that each flat is divided by, relative to the average of all")
    warn_below: int = item(10, "Usable frames below which a warning is given", ge=0)
    lowest_level: float = item(1000.0, "Flats with less light above the bias are left out", unit="ADU", ge=0)
    highest_level: float = item(
        50000.0, "Flats with more light above the bias are left out", unit="ADU", gt=0
    )
    saturated_fraction: float = item(
        0.01, "Flats with a larger part of saturated pixels are left out", ge=0, le=1
    )
    level_ratio: float = item(
        10.0, "Flats that are so many times fainter or brighter than the median of all are left out", gt=1
    )
    cold_low: float = item(0.96, "A pixel below this part of its surroundings is bad", ge=0, lt=1)
    cold_high: float = item(1.04, "A pixel above this part of its surroundings is bad", gt=1)
    cold_cell: int = item(48, "Cell of the smooth surface that pixels are compared with", unit="pixel", ge=8)
    change_level: float = item(
        0.01, "Change of an amplifier's response from the last good master that is reported", gt=0
    )
    change_sigma: float = item(
        6.0, "A pixel that differs by so much from the last good master counts as changed", unit="sigma", gt=0
    )
    change_fraction: float = item(
        0.001, "Part of the pixels that may change from the last good master without a warning", ge=0, le=1
    )
