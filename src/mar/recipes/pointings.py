"""How many of the frames of a stack point at different places."""

from collections.abc import Sequence

import numpy as np

from mar.errors import NotEnoughFrames
from mar.recipes.stacking import StackFrame


def pointings(frames: Sequence[StackFrame], least_step_arcsec: float) -> list[int]:
    """How many frames point at each place, the most first; what says no pointing counts as a place."""
    places: list[tuple[float, float]] = []
    counts: list[int] = []
    for frame in frames:
        near = [_apart_arcsec(frame.pointing, place) < least_step_arcsec for place in places]
        if frame.pointing is not None and any(near):
            counts[near.index(True)] += 1
            continue
        places.append(frame.pointing or (np.nan, np.nan))
        counts.append(1)
    return sorted(counts, reverse=True)


def _apart_arcsec(one: tuple[float, float] | None, other: tuple[float, float]) -> float:
    """Distance of two directions (degrees); NaN where one of them is not known."""
    if one is None:
        return float("nan")
    (ra, dec), (other_ra, other_dec) = np.radians(one), np.radians(other)
    half = (
        np.sin((dec - other_dec) / 2) ** 2
        + np.cos(dec) * np.cos(other_dec) * np.sin((ra - other_ra) / 2) ** 2
    )
    return float(np.degrees(2 * np.arcsin(np.sqrt(half))) * 3600)


def check_pointings(places: list[int], least: int, least_step_arcsec: float, band: str) -> None:
    """Raise NotEnoughFrames where the frames point at too few places: a median would keep their stars."""
    if len(places) < least:
        raise NotEnoughFrames(
            f"{sum(places)} processed frames of {band} show {len(places)} different pointings (more than "
            f"{least_step_arcsec:g} arcsec apart), {least} are needed: add frames of other fields"
        )
