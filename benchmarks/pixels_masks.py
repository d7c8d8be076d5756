"""All masks of one simulated frame, and the pixels that they hold, against the truth.

The limit is what reading the frame and writing the mask takes. A warm process, such as a worker, is held to
it; a whole one, with all that it loads, is printed beside it. Defects come from the masters of simulated
readouts of the mini camera, whose bad pixels are known. Trails have works of their own (pixels_trails.py).
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

import scratch
from conventions import Bar, Figures, in_turn
from mar.camera import load_camera
from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.config.scan import Scan
from mar.exposure import FrameType
from mar.io.fits import read_mask, write_image
from mar.masks import Bit
from mar.recipes.master_bias import master_bias
from mar.recipes.master_flat import master_flat
from mar.recipes.stacking import StackFrame
from mar.simulate import Conditions, Effects, simulate_raw, simulate_sky_frame
from mar.steps.rows import ArrayRows
from programs import Command
from truth import score

FULL = (9232, 9216)
LIMITS, SATURATED, DEFECTS, MEMORY_GB = 6.0, 0.99, 0.99, 1.5
ONCE = Path(__file__).with_name("masks_once.py")
READOUTS, LIGHT_ADU = 9, 20000.0
LEVELS = (0.6, 0.8, 1.0, 1.2, 1.4)  # of the flats


def masks(arguments: argparse.Namespace) -> Figures:
    """Saturation, cosmic rays and trails of one frame, and what was found."""
    folder = scratch.folder(arguments)
    shape = round(FULL[0] / arguments.scale), round(FULL[1] / arguments.scale)
    made = simulate_sky_frame(shape, seed=2, exposure=1)  # with a trail
    level = Conditions().bias_adu
    counts, found_at = folder / "counts.fits", folder / "mask.fits"
    write_image(counts, (made.data + level).astype("u2"), made.header)
    words = sys.executable, str(ONCE), str(counts), f"{level}", str(found_at)
    commands = {
        "masks, whole process": lambda: Command((*words, "1"), folder),
        "limit: read and write": lambda: scratch.copy(folder, made.mask.nbytes, [counts]),
    }
    runs = in_turn(commands, arguments.rounds)
    figures = Figures("masks")
    for name, run in runs.items():
        figures.seconds[name], figures.peak_gb[name] = run.seconds, run.memory.largest_gb
    whole, limit = runs["masks, whole process"], runs["limit: read and write"]
    said = json.loads(subprocess.check_output((*words, str(1 + arguments.rounds)), cwd=folder))
    warm, least = (statistics.median(said[name][1:]) for name in ("masks", "limit"))
    figures.seconds |= {"masks, warm process": warm, "limit, warm process": least}
    figures.remarks.append(f"a whole process takes {whole.seconds / limit.seconds:.1f} times the limit")
    found, real = read_mask(found_at), made.mask
    full, cosmic, trail = (
        score([((found & bit) != 0, (real & bit) != 0)]) for bit in (Bit.SATURATED, Bit.COSMIC, Bit.TRAIL)
    )
    figures.bars = [
        Bar("times the limit, warm", warm / least, LIMITS),
        Bar("saturated and bled pixels, recall", full.recall, SATURATED, above=True),
        Bar("cosmic-ray pixels, recall", cosmic.recall, 0.90, above=True),
        Bar("pixels of the bright trail, recall", trail.recall, 0.95, above=True),
        Bar("pixels of the bright trail, purity", trail.purity, 0.80, above=True),
        Bar("peak", whole.memory.largest_gb, MEMORY_GB, unit="GB"),
    ]
    return figures


def defects(arguments: argparse.Namespace) -> Figures:
    """Bad pixels of the mini camera in the masks of its masters, against those that it has."""
    camera, scan = load_camera("t80cam-mini"), Scan()
    effects = Effects().without("cosmics", "trails")
    readouts = [
        simulate_raw(camera, kind=FrameType.BIAS, effects=effects, name=f"b{n}") for n in range(READOUTS)
    ]
    lit = [
        simulate_raw(camera, LIGHT_ADU * level, kind=FrameType.FLAT, band="R", effects=effects, name=f"f{n}")
        for n, level in enumerate(LEVELS)
    ]
    bias = master_bias([_as_frame(one) for one in readouts], camera, scan, Bias()).frame
    rows = ArrayRows(bias.data)
    flat = master_flat([_as_frame(one) for one in lit], "R", rows, camera, scan, Flat(), bias_mask=bias.mask)
    found = (flat.frame.own_mask() & Bit.BAD) != 0
    real = (readouts[0].detector.defects() & Bit.BAD) != 0
    figures = Figures("defects")
    judged = score([(found, real)], tolerance_px=0)
    figures.bars = [
        Bar("defects, recall", judged.recall, DEFECTS, above=True),
    ]
    figures.remarks.append(
        f"{np.count_nonzero(real)} bad pixels, {np.count_nonzero(found)} marked: "
        f"edges of dust count as cold where they are beyond COLD_LOW"
    )
    return figures


def _as_frame(sample) -> StackFrame:
    return StackFrame(sample.truth.name, ArrayRows(sample.raw.data))


WORKS = {"masks": masks, "defects": defects}
