"""Which frames a tile is better without, and why."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mar.config.coadd import Coadd


class FrameFigures(NamedTuple):
    """What decides whether a frame goes into a tile; NaN where it is not known."""

    seeing_px: float  #: FWHM of its stars
    scale: float  #: factor to the transparency of the median frame
    noise: float  #: rms of its sky, ADU
    exptime_s: float
    overlaps: bool  #: with the tile
    sky: float = float("nan")  #: level of its sky, ADU


def reasons_to_drop(frames: Sequence[FrameFigures], config: Coadd) -> list[str]:
    """For each frame the sentence that says why it is left out; an empty one where it is used.

    A frame is compared with the median of all; noise and sky are compared for equal exposure times.
    """
    seeing = _relative([frame.seeing_px for frame in frames])
    noise = _relative([frame.noise / np.sqrt(frame.exptime_s) for frame in frames])
    sky = _relative([frame.sky / frame.exptime_s for frame in frames])
    return [_reason(*one, config) for one in zip(frames, seeing, noise, sky, strict=True)]


def _relative(values: Sequence[float]) -> np.ndarray:
    known = np.asarray(values)[np.isfinite(values)]
    middle = np.median(known) if known.size else np.nan
    return np.asarray(values) / (middle if middle > 0 else np.nan)


def _reason(frame: FrameFigures, seeing: float, noise: float, sky: float, config: Coadd) -> str:
    if not frame.overlaps:
        return "it lies outside the tile"
    if seeing > config.max_seeing_ratio:
        width = f"{frame.seeing_px:.1f} px, {seeing:.1f} times"
        return f"seeing: its stars are {width} wider than the median frame's"
    if frame.scale * config.min_transparency > 1:
        return f"clouds: it has only {100 / frame.scale:.0f} % of the median frame's flux"
    if sky > config.max_sky_ratio:
        return f"sky: it is {sky:.1f} times as bright as the median frame's"
    if noise > config.max_noise_ratio:
        return f"background: its noise is {noise:.1f} times the median frame's"
    return ""
