"""Processed frames of one band -> the pattern of its fringes."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from astropy.io.fits import Header
from scipy.ndimage import maximum_filter

from mar.camera import Section
from mar.config.fringe import Fringe
from mar.config.fringeframe import FringeFrame
from mar.errors import BadImage
from mar.frame import CardValue, Frame, set_cards
from mar.kernels.boxes import clipped
from mar.masks import UNUSABLE, Bit, empty_mask
from mar.progress import Progress, silent
from mar.recipes.pointings import check_pointings, pointings
from mar.recipes.stack_levels import parts_of
from mar.recipes.stacking import (
    Dropped,
    Master,
    StackFrame,
    check_enough,
    combine_in_bands,
    few,
    rejection_of,
    sample,
    stack_cards,
)
from mar.steps.fringe import MOST_NOISE
from mar.steps.sky_polynomial import SkyPolynomial, fit_sky
from mar.steps.smoothing import filled, only_waves, smooth_twice
from mar.steps.statistics import measure

LEFT_OUT = int(UNUSABLE | Bit.HOLE | Bit.OBJECT)
FILLED_FROM = 21  # pixels: side of the box whose mean fills a hole before waves are looked for


class _Sky(NamedTuple):
    frame: StackFrame
    sky: SkyPolynomial


def superflat(
    frames: Sequence[StackFrame],
    band: str,
    fringe: Fringe,
    config: FringeFrame,
    *,
    amplifiers: Sequence[Section] = (),
    progress: Progress = silent,
) -> Master:
    """The fringe pattern of processed frames (trimmed, ADU, sky included) of different pointings.

    From each frame its sky, a polynomial of second degree through the modes of boxes, is subtracted, and the
    rest is brought to the average sky level, since fringes grow with the sky. Masked pixels and objects are
    left out. From the combined image only waves that stand out of its noise are kept, smoothed over
    `smoothsize` pixels and normalised to mean 0 and rms 1: fringes = amplitude in ADU x pattern. Where no
    frame had sky the pattern is 0 and the mask HOLE. Frames without sky are dropped with the reason. Raises
    NotEnoughFrames, also where too few of them are pointed differently.
    """
    good, dropped = _with_sky(frames, config, progress)
    check_enough(len(good), dropped, config.min_frames, f"processed frames of {band}")
    places = pointings([one.frame for one in good], config.least_step)
    check_pointings(places, config.min_frames, config.least_step, band)
    average = float(np.mean([one.sky.level for one in good]))
    ny, nx = good[0].sky.shape

    def fill(y0: int, y1: int, stack: np.ndarray) -> None:
        for rows, one in zip(stack, good, strict=True):
            rows[...] = levelled(one, y0, y1)

    def levelled(one: _Sky, y0: int, y1: int) -> np.ndarray:
        return _fringes(one, y0, y1, config) * np.float32(average / one.sky.level)

    parts = parts_of([partial(levelled, one) for one in good], (ny, nx), amplifiers, config)
    rejection = rejection_of(config, 1.0, 0.0)
    combined = combine_in_bands(fill, (len(good), ny, nx), config, rejection, progress, parts=parts)
    pattern, mask, rms, noise = _normalised(combined, fringe.smoothsize)
    used = [one.frame for one in good]
    header = Header()
    stack_cards(header, "FRINGE", used, band)
    cards: dict[str, tuple[CardValue, str]] = {
        "MAR FRINGE RMS": (round(rms, 4), "[ADU] of one unit"),
        "MAR FRINGE SKY": (round(average, 2), "[ADU] average sky"),
        "MAR FRINGE NOISE": (round(noise, 5), "left in the pattern of rms 1"),
    }
    set_cards(header, cards)
    statistics = measure(pattern, mask)
    set_cards(header, statistics.cards())
    return Master(
        Frame(pattern, header, mask),
        statistics,
        tuple(frame.name for frame in used),
        tuple(dropped),
        tuple(_warnings(places, [one.frame for one in good], noise, band, config)),
    )


def _warnings(
    places: list[int], frames: Sequence[StackFrame], noise: float, band: str, config: FringeFrame
) -> list[str]:
    """What the observer should know of a fringe frame."""
    what = f"processed frames of {band}"
    said = few(sum(places), config.warn_below, what)
    if not said:
        said = few(len(places), config.warn_below, f"pointings in {sum(places)} {what}")
    if 2 * places[0] > sum(places):
        said.append(f"{places[0]} of {sum(places)} {what} show the same pointing: its stars may be left")
    unknown = sum(frame.pointing is None for frame in frames)
    if unknown:
        said.append(f"{unknown} of {sum(places)} {what} do not tell where they point")
    if noise**2 > MOST_NOISE:
        said.append(
            f"the pattern of {band} does not stand out of its noise: no frame will be corrected by it"
        )
    return said


def _with_sky(
    frames: Sequence[StackFrame], config: FringeFrame, progress: Progress
) -> tuple[list[_Sky], list[Dropped]]:
    """The frames with their sky, and those that cannot be used."""
    good: list[_Sky] = []
    dropped = []
    for number, frame in enumerate(frames, start=1):
        try:
            sky = fit_sky(frame.rows, frame.mask, LEFT_OUT)
        except BadImage as error:
            dropped.append(Dropped(frame.name, str(error)))
            continue
        if not sky.level >= config.lowest_level:
            dropped.append(
                Dropped(frame.name, f"sky of {sky.level:.0f} ADU, less than {config.lowest_level:.0f}")
            )
        elif good and sky.shape != good[0].sky.shape:
            dropped.append(Dropped(frame.name, f"it is {sky.shape}, the others are {good[0].sky.shape}"))
        else:
            good.append(_Sky(frame, sky))
        progress("sky", number, len(frames))
    return good, dropped


def _fringes(one: _Sky, y0: int, y1: int, config: FringeFrame) -> np.ndarray:
    """Rows of a frame less its sky, NaN where masked or near an object."""
    first, last = max(0, y0 - config.object_grow), min(one.sky.shape[0], y1 + config.object_grow)
    left = one.frame.rows.rows(first, last) - one.sky.rows(first, last)
    away = left > config.object_sigma * one.sky.noise
    if one.frame.mask is not None:
        masked = one.frame.mask.rows(first, last)
        away |= (masked & np.uint8(Bit.OBJECT)) != 0
    away = maximum_filter(away, size=2 * config.object_grow + 1, mode="constant")
    if one.frame.mask is not None:
        away |= (masked & np.uint8(LEFT_OUT)) != 0
    left[away] = np.nan
    return left[y0 - first : y1 - first]


def _normalised(combined: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """The pattern of mean 0 and rms 1, its mask, what one unit is in ADU, and the noise left in it.

    Where no waves stand out of the noise the pattern is 0, one unit 0 ADU, and all of it noise.
    """
    known = np.isfinite(combined)
    mask = empty_mask(combined.shape)
    mask[~known] = Bit.HOLE
    waves, noise = only_waves(filled(combined, known, FILLED_FROM))
    pattern = smooth_twice(waves, known, width)
    _, mean, rms, _ = clipped(
        sample(lambda y0, y1: np.where(known[y0:y1], pattern[y0:y1], np.nan), len(pattern))
    )
    if not rms > 0:  # no wave stands out anywhere
        return np.zeros_like(pattern), mask, 0.0, 1.0
    pattern -= np.float32(mean)
    pattern /= np.float32(rms)
    pattern[~known] = 0
    return pattern, mask, float(rms), noise / float(rms)
