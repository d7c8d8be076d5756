"""Raw bias frames -> master bias with its mask of hot pixels."""

from collections.abc import Sequence

import numpy as np
from astropy.io.fits import Header

from mar.camera import Camera
from mar.config.bias import Bias
from mar.config.scan import Scan
from mar.frame import Frame, set_cards
from mar.progress import Progress, silent
from mar.recipes.detrended import Detrended, overscan_warnings, through_overscan
from mar.recipes.last_master import Limits, compare_with_last, note_warnings
from mar.recipes.stack_levels import parts_of
from mar.recipes.stacking import (
    Master,
    StackFrame,
    check_enough,
    combine_in_bands,
    few,
    rejection_of,
    stack_cards,
)
from mar.steps.badpixels import hot_mask
from mar.steps.master_rows import MasterRows
from mar.steps.statistics import cards, measure


def master_bias(
    frames: Sequence[StackFrame],
    camera: Camera,
    scan: Scan,
    config: Bias,
    *,
    last: MasterRows | None = None,
    progress: Progress = silent,
) -> Master:
    """Combine raw bias frames (read in bands of rows) into the master bias, trimmed, in ADU.

    Overscan is subtracted from each; `zero` brings the frames to their average level; pixels that stand out
    become BAD in the mask. Where `last`, the last good master, is given, the new one is compared with it, and
    what has changed is named in the warnings and the header. Frames that cannot be read are dropped with
    the reason. Raises NotEnoughFrames, and BadConfig as `measure_overscan`.
    """
    good, dropped = through_overscan(frames, camera, scan, progress)
    check_enough(len(good), dropped, config.min_frames, "bias frames")
    ny, nx = camera.shape
    sections = [amplifier.trimmed for amplifier in camera.amplifiers]
    data = combine_in_bands(
        lambda y0, y1, stack: _fill(good, y0, y1, stack),
        (len(good), ny, nx),
        config,
        rejection_of(config, camera.gain, camera.read_noise_e),
        progress,
        parts=parts_of([frame.rows for frame in good], camera.shape, sections, config),
    )
    mask = hot_mask(data, camera, config)
    header = Header()
    stack_cards(header, "BIAS", [frame.frame for frame in good])
    set_cards(header, {"OVERSCAN": (good[0].model.said, "overscan correction"), "BUNIT": "adu"})
    statistics = measure(data, mask)
    set_cards(header, cards(data, camera, mask, statistics))
    frame = Frame(data, header, mask)
    limits = Limits(config.change_adu, config.change_sigma, config.change_fraction, "ADU")
    compared = compare_with_last(frame, last, camera, limits)
    warnings = (
        *few(len(good), config.warn_below, "bias frames"),
        *overscan_warnings(good, scan),
        *compared.warnings,
    )
    note_warnings(header, warnings)
    names = tuple(one.frame.name for one in good)
    return Master(frame, statistics, names, tuple(dropped), warnings, compared.remarks)


def _fill(frames: Sequence[Detrended], y0: int, y1: int, stack: np.ndarray) -> None:
    for rows, frame in zip(stack, frames, strict=True):
        frame.rows(y0, y1, out=rows)
