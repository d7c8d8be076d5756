"""How the combination grows with the number of frames, of threads, and with the size of the image.

Draws a plot of three parts (`--plot FILE`): the master bias as a process from 5 to 100 frames, with its peak
memory; the kernel on 1, 2, 4... threads; the kernel on images of growing size, on all cores.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import scratch
from conventions import Figures, in_turn
from mar.camera import load_camera
from mar.steps.combine import Rejection, combine
from pixels_combine import BIASES, ccdclip, linked, mar_bias, place_of

FRAMES = (5, 11, 25, 50, 100)
COLUMNS, ROWS = 9232, 1200
SIZES = (0.5, 1, 2, 5, 10, 20, 30)  # Mpix
LARGEST_GB = 1.5  # of a stack in memory
RULES = {"median": Rejection("none"), "median, ccdclip": ccdclip(load_camera("t80cam"))}
INK, PALE = {"median": "#1b6ca8", "median, ccdclip": "#c8553d"}, "#777777"


def scaling(arguments: argparse.Namespace) -> Figures:
    """Seconds and memory against the number of frames, threads and pixels, with a plot."""
    figures, picture = Figures("scaling"), Figure(figsize=(12, 3.6), layout="constrained")
    frames, threads, sizes = picture.subplots(1, 3)
    _by_frames(arguments, figures, frames)
    _by_threads(arguments, figures, threads)
    _by_size(arguments, figures, sizes)
    path = Path(arguments.plot or scratch.folder(arguments) / "scaling.png")
    picture.savefig(path, dpi=110)
    figures.remarks.append(f"plot: {path}" if arguments.plot else "no plot is kept without --plot FILE")
    return figures


def _by_frames(arguments: argparse.Namespace, figures: Figures, axes) -> None:
    root, camera = place_of(arguments)
    commands = {n: mar_bias(root, camera, linked(root, n)) for n in FRAMES}
    # each number of frames has kernels of its own: compiled in the round that is not counted
    runs = in_turn({str(n): lambda one=one: one for n, one in commands.items()}, 1)
    for n, run in runs.items():
        figures.seconds[f"mar bias, {n} frames"] = run.seconds
        figures.peak_gb[f"mar bias, {n} frames"] = run.memory.largest_gb
    axes.plot(FRAMES, [run.seconds for run in runs.values()], "o-", color=INK["median"])
    axes.set(xlabel="frames", ylabel="master bias, s", ylim=(0, None))
    beside = axes.twinx()
    beside.plot(FRAMES, [run.memory.largest_gb for run in runs.values()], "s--", color=PALE)
    beside.set(ylabel="peak memory, GB (dashed)", ylim=(0, None))


def _by_threads(arguments: argparse.Namespace, figures: Figures, axes) -> None:
    cores = len(os.sched_getaffinity(0))
    numbers = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= cores]
    stack = _stack(max(64, int(ROWS / arguments.scale**2)))
    for name, rule in RULES.items():
        speeds = [_speed(stack, rule, n, arguments.rounds) for n in numbers]
        figures.seconds |= {
            f"{name}, {n} threads: s per 100 Mpix": 100 / speed
            for n, speed in zip(numbers, speeds, strict=True)
        }
        axes.plot(numbers, speeds, "o-", color=INK[name], label=name)
    axes.set(xlabel="threads", ylabel="Mpix/s", ylim=(0, None), xticks=numbers)
    axes.legend(frameon=False)


def _by_size(arguments: argparse.Namespace, figures: Figures, axes) -> None:
    most = LARGEST_GB * 2**30 / (4 * BIASES) / 1e6
    sizes = [size / arguments.scale for size in SIZES if size <= most]
    for name, rule in RULES.items():
        seconds = []
        for size in sizes:
            stack = _stack(max(1, round(size * 1e6 / COLUMNS)))
            seconds.append(stack[0].size / 1e6 / _speed(stack, rule, 0, arguments.rounds))
            figures.seconds[f"{name}, {size:g} Mpix"] = seconds[-1]
        axes.loglog(sizes, seconds, "o-", color=INK[name], label=name)
    axes.set(xlabel="Mpix of the image", ylabel="kernel, 11 frames, s")
    axes.legend(frameon=False)


def _stack(rows: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 3.6, (BIASES, rows, COLUMNS)).astype("f4")


def _speed(stack: np.ndarray, rule: Rejection, threads: int, rounds: int) -> float:
    """Output Mpix a second in the best round; the first one is not counted."""
    value, walls = np.empty(stack.shape[1:], dtype="f4"), []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        combine(stack, "median", rule, want=frozenset(), threads=threads, out=value)
        walls.append(time.perf_counter() - began)
    return value.size / 1e6 / min(walls[1:])


WORKS = {"scaling": scaling}
