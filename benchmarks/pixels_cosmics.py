"""Cosmic rays of one simulated frame: our L.A.Cosmic beside astroscrappy, on the same threads, in turn.

Seconds are those of the call, arrays in memory to mask; memory is the peak of the whole process, frame and
interpreter included.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

import scratch
from conventions import Bar, Figures, in_turn
from mar.masks import Bit
from mar.simulate import Conditions, simulate_sky_frame
from mar.steps.background import estimate
from programs import Command
from truth import score

FULL = (9232, 9216)
FASTER, OVERLAP, MEMORY_GB, TRACKS = 25.0, 0.98, 1.5, 0.98
TOUCHING = np.ones((3, 3), dtype=bool)
ONCE = Path(__file__).with_name("cosmics_once.py")


def folder_of(arguments: argparse.Namespace) -> Path:
    """The folder of this run, with its frame and truth simulated; the same for all works of a run."""
    folder = scratch.folder(arguments) / "cosmics"
    if not folder.exists():
        folder.mkdir()
        simulate(folder, arguments.scale, arguments.rate)
    return folder


def simulate(folder: Path, scale: float, rate: float) -> None:
    """Write a frame without bias and flat, its sky, its saturated pixels, and what is true of it."""
    shape = round(FULL[0] / scale), round(FULL[1] / scale)
    made = simulate_sky_frame(shape, seed=1, conditions=Conditions(cosmic_rate=rate))
    levels = estimate(made.data, made.mask, 128).levels
    np.savez(
        folder / "frame.npz",
        data=made.data,
        knots=levels.knots,
        rows=levels.rows,
        saturated=(made.mask & Bit.SATURATED) != 0,
        gain=made.camera.gain,
        read_noise_e=made.camera.read_noise_e,
    )
    np.save(folder / "truth.npy", (made.mask & Bit.COSMIC) != 0)


def run(arguments: argparse.Namespace, *names: str) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of the calls (medians) and peaks in GB of these programs, run in turn."""
    folder = folder_of(arguments)
    threads = {key: str(arguments.threads) for key in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
    seconds: dict[str, list[float]] = {name: [] for name in names}

    def prepared(name: str) -> Command:
        for other in names:  # what the runs before left
            said = folder / f"{other}.s"
            if said.exists():
                seconds[other].append(float(said.read_text()))
                said.unlink()
        return Command((sys.executable, str(ONCE), name, str(folder)), folder, threads)

    commands = {name: lambda name=name: prepared(name) for name in names}
    runs = in_turn(commands, arguments.rounds)
    prepared(names[0])
    # the first of each was its warm-up
    medians = {name: statistics.median(found[1:]) for name, found in seconds.items()}
    return medians, {name: one.memory.largest_gb for name, one in runs.items()}


def equal(arguments: argparse.Namespace) -> Figures:
    """Cosmic rays beside astroscrappy with equal parameters: seconds, memory, the same mask."""
    figures = Figures("cosmics")
    figures.seconds, figures.peak_gb = run(arguments, "astroscrappy", "ours")
    theirs, ours = (np.load(folder_of(arguments) / f"{name}.npy") for name in ("astroscrappy", "ours"))
    same = np.count_nonzero(theirs & ours) / max(1, int(np.count_nonzero(theirs | ours)))
    faster = figures.seconds["astroscrappy"] / figures.seconds["ours"]
    figures.bars = [
        Bar("times faster than astroscrappy", faster, FASTER, above=True),
        Bar("same mask, intersection over union", same, OVERLAP, above=True),
        Bar("peak of our process", figures.peak_gb["ours"], MEMORY_GB, unit="GB"),
    ]
    figures.remarks.append(
        f"{np.count_nonzero(theirs)} pixels each; {np.count_nonzero(theirs ^ ours)} differ; "
        f"{arguments.threads} threads"
    )
    return figures


def default(arguments: argparse.Namespace) -> Figures:
    """The step that marks cosmic rays with its default settings, against the truth."""
    figures = Figures("cosmics-truth")
    figures.seconds, figures.peak_gb = run(arguments, "step")
    folder = folder_of(arguments)
    found, real = np.load(folder / "step.npy"), np.load(folder / "truth.npy")
    judged = score([(found, real)])
    figures.bars = [
        Bar("tracks found", tracks_found(found, real), TRACKS, above=True),
        Bar("pixels, recall", judged.recall, 0.90, above=True),
        Bar("pixels, purity", judged.purity, 0.50, above=True),
        Bar("peak of the process", figures.peak_gb["step"], MEMORY_GB, unit="GB"),
    ]
    peer = folder / "astroscrappy.npy"
    if peer.exists():
        limit = false_pixels(np.load(peer), real)
        figures.bars.append(
            Bar("false pixels, below those of astroscrappy", false_pixels(found, real), limit)
        )
    return figures


def tracks_found(found: np.ndarray, real: np.ndarray) -> float:
    """Part of the true tracks with a pixel found on them or beside them."""
    tracks, number = ndimage.label(real, TOUCHING)
    reached = np.unique(tracks[real & ndimage.binary_dilation(found, TOUCHING)])
    return len(reached) / max(1, number)


def false_pixels(found: np.ndarray, real: np.ndarray) -> float:
    """Pixels found that are on no true track nor beside one."""
    return float(np.count_nonzero(found & ~ndimage.binary_dilation(real, TOUCHING)))


def options(parser: argparse.ArgumentParser) -> None:
    """What benchmarks of pixels take besides what all take."""
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--root", metavar="DIR", help="frames there are used, products stay there")
    parser.add_argument(
        "--threads", metavar="N", type=int, default=cores, help="of cosmics; default all cores"
    )
    parser.add_argument("--rate", metavar="R", type=float, default=0.15, help="tracks per Mpixel and second")


WORKS = {"cosmics": equal, "cosmics-truth": default}
