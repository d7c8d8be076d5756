"""Bring the frames of a stack to one level: whole frames, or amplifier by amplifier."""

from collections.abc import Callable, Sequence

import numpy as np

from mar.camera import Section
from mar.config.combining import Combining
from mar.errors import BadCamera, BadConfig
from mar.recipes.stacking import Part, sample
from mar.steps.statistics import level_of

ReadRows = Callable[[int, int], np.ndarray]
"""rows(y0, y1): those rows of a frame as they enter its stack, ADU."""


def parts_of(
    frames: Sequence[ReadRows], shape: tuple[int, int], amplifiers: Sequence[Section], config: Combining
) -> list[Part]:
    """The parts of a stack of frames of that shape and their levels, as SCALE, ZERO, STATSEC and LEVELS ask.

    Scales are relative to their mean, so that the noise which a rejection expects stays that of counts; zeros
    are what is to be taken off the scaled frames to bring them to their mean. An amplifier without light, or
    outside of STATSEC, takes the levels of the whole frame. Raises BadConfig where STATSEC holds no usable
    pixel, or a level is no scale.
    """
    whole = Section(0, shape[1], 0, shape[0])
    statsec = _statsec(config.statsec, whole)
    scale, zero = _levels(frames, statsec, config)
    if config.scale != "none" and not (scale > 0).all():
        worst = scale[~(scale > 0)][0]
        raise BadConfig(f"a level of {worst:.4g} ADU is no scale; choose SCALE none, or another STATSEC")
    if not np.isfinite(zero).all():
        raise BadConfig("a frame has no usable pixel to measure its level on; choose another STATSEC")
    if config.levels == "frame" or not amplifiers or (config.scale, config.zero) == ("none", "none"):
        return [_part(whole, scale, zero)]
    parts = []
    for amplifier in amplifiers:
        own_scale, own_zero = scale, zero
        section = _common(statsec, amplifier)
        if section is not None:
            own_scale, own_zero = _levels(frames, section, config)
            own_scale = own_scale if (own_scale > 0).all() else scale
            own_zero = own_zero if np.isfinite(own_zero).all() else zero
        parts.append(_part(amplifier, own_scale, own_zero))
    return parts


def _part(section: Section, scale: np.ndarray, zero: np.ndarray) -> Part:
    scales = scale / scale.mean()
    zeros = zero / scales
    return Part(section, scales, zeros - zeros.mean())


def _levels(frames: Sequence[ReadRows], section: Section, config: Combining) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero of each frame as measured: 1 and 0 where none is wanted, NaN where nothing is usable."""
    scale, zero = np.ones(len(frames)), np.zeros(len(frames))
    if (config.scale, config.zero) == ("none", "none"):
        return scale, zero
    for i, rows in enumerate(frames):
        values = sample(rows, section.y1, section)
        if config.scale != "none":
            scale[i] = level_of(values, config.scale)
        zero[i] = level_of(values, config.zero)
    return scale, zero


def _statsec(text: str, whole: Section) -> Section:
    if not text:
        return whole
    try:
        wanted = Section.from_fits(text)
    except BadCamera as error:
        raise BadConfig(f"STATSEC: {error}") from error
    section = _common(wanted, whole)
    if section is None:
        raise BadConfig(f"STATSEC {text} lies outside of the image, {whole.to_fits()}")
    return section


def _common(one: Section, other: Section) -> Section | None:
    """Where two sections overlap."""
    section = Section(
        max(one.x0, other.x0), min(one.x1, other.x1), max(one.y0, other.y0), min(one.y1, other.y1)
    )
    return section if section.x0 < section.x1 and section.y0 < section.y1 else None
