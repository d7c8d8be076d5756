"""Raw twilight flats of one band -> master flat with its mask of cold pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header

from mar.camera import Camera
from mar.config.flat import Flat
from mar.config.scan import Scan
from mar.frame import Frame, set_cards
from mar.progress import Progress, silent
from mar.recipes.detrended import Detrended, overscan_warnings, through_overscan
from mar.recipes.last_master import Limits, compare_with_last, note_warnings
from mar.recipes.stack_levels import ReadRows, parts_of
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
from mar.steps.assemble import trim_rows
from mar.steps.badpixels import cold_mask
from mar.steps.master_rows import MasterRows
from mar.steps.rows import Rows
from mar.steps.statistics import cards, level_of, measure


@dataclass(frozen=True)
class _Lit:
    """A flat with its light above the bias."""

    frame: Detrended
    light: float  #: its median, ADU


def master_flat(
    frames: Sequence[StackFrame],
    band: str,
    bias: Rows,
    camera: Camera,
    scan: Scan,
    config: Flat,
    *,
    bias_mask: np.ndarray | None = None,
    bias_name: str = "",
    last: MasterRows | None = None,
    progress: Progress = silent,
) -> Master:
    """Combine raw flats (read in bands of rows) into the master flat, trimmed, of median 1.

    Overscan and the master bias (`bias`, trimmed, ADU) are subtracted; `scale` brings the frames to one
    level; pixels that leave their smooth surroundings become BAD in the mask, as those of `bias_mask`. Flats
    that are too faint, too bright or saturated, or cannot be read, are dropped with the reason. Where `last`,
    the last good master, is given, the new one is compared with it, and what has changed is named in the
    warnings and the header. Raises NotEnoughFrames, and BadConfig as `measure_overscan`.
    """
    readable, dropped = through_overscan(frames, camera, scan, progress)
    good = []
    for frame in readable:
        lit = _measure(frame, bias, camera)
        reason = _unfit(lit, camera, config)
        if reason:
            dropped.append(Dropped(frame.frame.name, reason))
        else:
            good.append(lit)
    good, unlike = _alike(good, config)
    dropped += unlike
    check_enough(len(good), dropped, config.min_frames, f"flats of {band}")
    data = _combine(good, bias, camera, config, progress)
    mask = cold_mask(data, camera, config)
    if bias_mask is not None:
        mask |= bias_mask
    used = [lit.frame.frame for lit in good]
    header = Header()
    stack_cards(header, "FLAT", used, band)
    set_cards(header, {"OVERSCAN": (good[0].frame.model.said, "overscan correction")})
    set_cards(header, {"MAR BIAS": bias_name or "done"})
    statistics = measure(data, mask)
    set_cards(header, cards(data, camera, mask, statistics))
    made = Frame(data, header, mask)
    limits = Limits(config.change_level, config.change_sigma, config.change_fraction)
    compared = compare_with_last(made, last, camera, limits)
    warnings = (
        *few(len(good), config.warn_below, f"flats of {band}"),
        *overscan_warnings([lit.frame for lit in good], scan),
        *compared.warnings,
    )
    note_warnings(header, warnings)
    names = tuple(frame.name for frame in used)
    return Master(made, statistics, names, tuple(dropped), warnings, compared.remarks)


def _measure(frame: Detrended, bias: Rows, camera: Camera) -> _Lit:
    values = sample(lambda y0, y1: frame.rows(y0, y1) - bias.rows(y0, y1), camera.shape[0])
    return _Lit(frame, level_of(values, "median"))


def _unfit(lit: _Lit, camera: Camera, config: Flat) -> str:
    """Why a flat cannot be used; empty where it can."""
    if not (lit.light >= config.lowest_level and lit.light > 0):
        return f"too faint: {lit.light:.0f} ADU, less than {config.lowest_level:.0f}"
    if lit.light > config.highest_level:
        return f"too bright: {lit.light:.0f} ADU, more than {config.highest_level:.0f}"
    raw = sample(lambda y0, y1: trim_rows(lit.frame.frame.rows, camera, y0, y1), camera.shape[0])
    part = float((raw >= camera.saturation_adu).mean())
    if part > config.saturated_fraction:
        return f"saturated: {100 * part:.1f} % of the pixels"
    return ""


def _alike(lit: Sequence[_Lit], config: Flat) -> tuple[list[_Lit], list[Dropped]]:
    """The flats of about one level, and those that are far fainter or brighter than their median."""
    if not lit:
        return [], []
    usual = float(np.median([one.light for one in lit]))
    good, dropped = [], []
    for one in lit:
        if max(one.light / usual, usual / one.light) <= config.level_ratio:
            good.append(one)
            continue
        word = "too faint" if one.light < usual else "too bright"
        reason = f"{word}: {one.light:.0f} ADU, the flats have {usual:.0f} ADU in the middle"
        dropped.append(Dropped(one.frame.frame.name, reason))
    return good, dropped


def _combine(
    good: Sequence[_Lit], bias: Rows, camera: Camera, config: Flat, progress: Progress
) -> np.ndarray:
    def fill(y0: int, y1: int, stack: np.ndarray) -> None:
        level = bias.rows(y0, y1)
        for rows, lit in zip(stack, good, strict=True):
            lit.frame.rows(y0, y1, out=rows)
            rows -= level

    def rows_of(lit: _Lit) -> ReadRows:
        return lambda y0, y1: lit.frame.rows(y0, y1) - bias.rows(y0, y1)

    sections = [amplifier.trimmed for amplifier in camera.amplifiers]
    parts = parts_of([rows_of(lit) for lit in good], camera.shape, sections, config)
    shape = (len(good), *camera.shape)
    rejection = rejection_of(config, camera.gain, camera.read_noise_e)
    data = combine_in_bands(fill, shape, config, rejection, progress, parts=parts)
    data /= np.float32(level_of(sample(lambda y0, y1: data[y0:y1], len(data)), "median"))
    return data
