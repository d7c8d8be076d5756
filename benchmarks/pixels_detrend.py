"""Overscan, trim, bias and flat of one frame beside ccdproc, plain numpy and the limit.

The limit reads the raw frame and both masters and writes as many bytes as the result has. Programs run as
whole processes with one frame and with several: the difference is what a worker, which is started once, takes
for a frame. Ours waits until the result is on disk, the others and the limit do not.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.io.fits import Header

import scratch
from conventions import Bar, Figures, in_turn
from mar.camera import Camera, load_camera
from mar.io.fits import read_header, write_image
from mar.simulate import simulate_raw
from programs import Command

ONCE = Path(__file__).with_name("detrend_once.py")
FRAMES, SKY_ADU = 5, 500.0
LIMITS, MEMORY_GB, LEVEL_ADU = 1.5, 1.0, 0.05


def detrend(arguments: argparse.Namespace) -> Figures:
    """Overscan, trim, bias and flat of a frame, and its bias levels under a drift against the truth."""
    folder = scratch.folder(arguments)
    camera = load_camera("t80cam" if arguments.scale == 1 else "t80cam-mini")
    levels = inputs(folder, camera)
    read = [folder / name for name in ("raw.fits", "bias.fits", "flat.fits")]
    written = 4 * camera.shape[0] * camera.shape[1]
    peers = ["numpy"] + ["ccdproc"] * bool(find_spec("ccdproc"))
    commands = {
        f"{name}, {frames} frames": lambda name=name, frames=frames: once(folder, camera, name, frames)
        for name in ("ours", *peers)
        for frames in (1, FRAMES)
    }
    for frames in (1, FRAMES):
        commands[f"limit, {frames} frames"] = lambda frames=frames: scratch.copy(
            folder, written, read * frames
        )
    runs = in_turn(commands, arguments.rounds)
    figures = Figures("detrend")
    for name, run in runs.items():
        figures.seconds[name], figures.peak_gb[name] = run.seconds, run.memory.largest_gb
    further = {
        name: (runs[f"{name}, {FRAMES} frames"].seconds - runs[f"{name}, 1 frames"].seconds) / (FRAMES - 1)
        for name in ("ours", *peers, "limit")
    }
    figures.seconds |= {f"{name}, each further frame": seconds for name, seconds in further.items()}
    header = read_header(folder / "ours.fits")
    off = [abs(header[f"MAR OVSC {name} LEVEL"] - level) for name, level in levels.items()]
    figures.bars = [
        Bar("times the limit, a further frame", ratio(further["ours"], further["limit"]), LIMITS),
        Bar("peak", runs[f"ours, {FRAMES} frames"].memory.largest_gb, MEMORY_GB, unit="GB"),
        Bar("bias level under a drift, worst amplifier", max(off), LEVEL_ADU, unit="ADU"),
    ]
    whole = runs["ours, 1 frames"].seconds / runs["limit, 1 frames"].seconds
    figures.remarks.append(f"the process of one frame takes {whole:.2f} times the limit's")
    return figures


def ratio(ours: float, limit: float) -> float | None:
    """Ours by the limit; None where the frames are so small that chance hides what one takes."""
    return ours / limit if ours > 0 and limit > 0 else None


def inputs(folder: Path, camera: Camera) -> dict[str, float]:
    """Write a raw frame with a drift along its rows and two masters; gives the true bias levels, ADU."""
    sample, rng = simulate_raw(camera, SKY_ADU, drift=True), np.random.default_rng(1)
    write_image(folder / "raw.fits", sample.raw.data, sample.raw.header)
    for name, mean, sigma in (("bias", 0, 1), ("flat", 1, 0.01)):
        pixels = rng.standard_normal(camera.shape, dtype=np.float32) * np.float32(sigma) + np.float32(mean)
        write_image(folder / f"{name}.fits", pixels, Header())
    return sample.truth.bias_adu


def once(folder: Path, camera: Camera, name: str, frames: int) -> Command:
    """One program on so many frames."""
    words = [sys.executable, str(ONCE), name, *[str(folder / "raw.fits")] * frames, "--camera", camera.name]
    for file in ("bias", "flat"):
        words += [f"--{file}", str(folder / f"{file}.fits")]
    return Command((*words, "--out", str(folder / f"{name}.fits")), folder)


WORKS = {"detrend": detrend}
