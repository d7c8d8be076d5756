"""A raw science frame becomes a processed one: the observer's checklist, in three parts.

Each part ends at a status that the archive knows: 1 the signature of the detector is gone, 2 fringes are
gone, 3 every pixel that must not be trusted is marked.
"""

from dataclasses import dataclass

from mar.camera import Camera
from mar.config import Config
from mar.errors import MissingMaster
from mar.frame import Frame
from mar.recipes.detrended import detrend
from mar.steps.cosmics import mark_cosmics
from mar.steps.fringe import subtract_fringe
from mar.steps.master_rows import MasterRows
from mar.steps.repair import repair_masked
from mar.steps.saturation import mark_saturated
from mar.steps.trails import mark_trails


@dataclass(frozen=True)
class Masters:
    """The masters of one science frame, with their masks."""

    bias: MasterRows | None = None
    flat: MasterRows | None = None
    fringe: Frame | None = None


def remove_signature(raw: Frame, camera: Camera, masters: Masters, config: Config) -> Frame:
    """Overscan, trim, bias and flat; saturation is tested on the raw counts. Raises MissingMaster."""
    if masters.bias is None or masters.flat is None:
        missing = "bias" if masters.bias is None else "flat"
        raise MissingMaster(f"{raw.label}: no master {missing} was given")
    raw = mark_saturated(raw, camera, config.saturation)
    return detrend(raw, camera, masters.bias, masters.flat, config.scan)


def remove_fringes(frame: Frame, band: str, masters: Masters, config: Config) -> Frame:
    """Subtract fringes in the bands that show them; what was not done stands in the header."""
    if band not in config.fringe.filters:
        return frame.with_cards({"MAR FRINGE": (f"not wanted in {band}", "Fringe.FILTERS")})
    if not config.superflat.cf_superflat_correction:
        return frame.with_cards({"MAR FRINGE": ("switched off", "Superflat.CF_SUPERFLAT_CORRECTION")})
    if masters.fringe is None:
        return frame.with_cards({"MAR FRINGE": ("no superflat", "fringes were left in the frame")})
    return subtract_fringe(frame, masters.fringe, config.fringe)


def mark_defects(frame: Frame, camera: Camera, config: Config) -> Frame:
    """Mark cosmic rays and trails, then repair the pixels that the configuration names."""
    frame = mark_cosmics(frame, camera, config.cosmics)
    if config.config.filter_satellite:
        frame = mark_trails(frame, config.trails, config.reduction)
    if config.repair.wanted:
        frame = repair_masked(frame, config.repair, config.reduction)
    return frame
