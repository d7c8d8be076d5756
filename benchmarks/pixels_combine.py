"""Combining a stack: the kernel alone, and the master bias as a process beside IRAF's imcombine.

The limit is what reading the raw frames and writing the master takes.
"""

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import numpy as np

import programs
import scratch
from conventions import Bar, Figures, in_turn, measured
from mar.camera import Camera, load_camera
from mar.io.fits import open_image
from mar.simulate import simulate_night
from mar.steps.combine import Rejection, combine
from mar.steps.rows import bands

NIGHT, BIASES, MANY, BAND = date(2024, 3, 1), 11, 100, 64
FULL_ROWS, FULL_COLUMNS = 1200, 9232  # enough to be far beyond any cache
MEDIAN_MPIX, CLIP_MPIX, FASTER, LIMITS, MEMORY_GB, MANY_GB = 470.0, 155.0, 15.0, 2.0, 1.0, 1.5
SAME_ADU, DIFFERENT = 0.01, 0.001
LIBRARIES = Path(__file__).with_name("libraries_once.py")
MAR = (sys.executable, "-c", "from mar.main import main; main()")


def kernel(arguments: argparse.Namespace) -> Figures:
    """The combination alone, 11 frames in memory: output pixels a second in the best round."""
    figures = Figures("kernel")
    rng, camera = np.random.default_rng(1), load_camera("t80cam")
    rows = int(FULL_ROWS / arguments.scale**2) or 1
    stack = rng.normal(0, 3.6, (BIASES, max(64, rows), FULL_COLUMNS)).astype("f4")
    for name, rule, bar in (
        ("median", Rejection("none"), MEDIAN_MPIX),
        ("median, ccdclip", ccdclip(camera), CLIP_MPIX),
        ("median, avsigclip", Rejection("avsigclip"), CLIP_MPIX),
        ("median, sigclip", Rejection("sigclip"), None),
        ("median, minmax", Rejection("minmax"), None),
    ):
        wall, processor = fastest(stack, rule, arguments.rounds)
        pixels = stack[0].size / 1e6
        figures.seconds[f"{name}: s per 100 Mpix"] = 100 * wall / pixels
        figures.remarks.append(f"{name}: {pixels / processor:.0f} Mpix per processor second")
        if bar is not None:
            figures.bars.append(Bar(name, pixels / wall, bar, above=True, unit="Mpix/s"))
    return figures


def fastest(stack: np.ndarray, rule: Rejection, rounds: int) -> tuple[float, float]:
    """Seconds, and processor seconds, of the best round; the first one is not counted."""
    walls, processors = [], []
    value = np.empty(stack.shape[1:], dtype="f4")
    for number in range(rounds + 1):
        began, before = time.perf_counter(), time.process_time()
        combine(stack, "median", rule, want=frozenset(), out=value)
        if number:
            walls.append(time.perf_counter() - began)
            processors.append(time.process_time() - before)
    return min(walls), min(processors)


def master(arguments: argparse.Namespace) -> Figures:
    """The master bias of 11 frames as a process, imcombine's on the raw frames, and the limit, in turn."""
    root, camera = place_of(arguments)
    raws = biases(root)
    commands = {
        "mar bias": lambda: mar_bias(root, camera, raws),
        "limit: read and write": lambda: limit(root, camera, raws),
    }
    if programs.find("irafcl"):
        commands["imcombine ccdclip"] = lambda: imcombine(root, camera, raws, zero="mode")
    runs = in_turn(commands, arguments.rounds)
    figures = Figures("master")
    for name, run in runs.items():
        figures.seconds[name], figures.peak_gb[name] = run.seconds, run.memory.largest_gb
    ours = runs["mar bias"]
    peer = runs.get("imcombine ccdclip")
    faster = peer.seconds / ours.seconds if peer else None
    figures.bars = [
        Bar("times faster than imcombine", faster, FASTER, above=True),
        Bar("times the limit", ours.seconds / runs["limit: read and write"].seconds, LIMITS),
        Bar("peak", ours.memory.largest_gb, MEMORY_GB, unit="GB"),
        Bar("part of the pixels unlike imcombine's", unlike(root, camera, raws), DIFFERENT),
    ]
    return figures


def unlike(root: Path, camera: Camera, raws: list[Path]) -> float | None:
    """Part of the pixels on which imcombine and we differ, the raw frames combined with equal options."""
    if not programs.find("irafcl"):
        return None
    programs.run(imcombine(root, camera, raws, zero="none"))
    rule, different = ccdclip(camera), 0
    with ExitStack() as files:
        frames = [files.enter_context(open_image(path)) for path in raws]
        theirs = files.enter_context(open_image(root / "iraf" / "out.fits"))
        for y0, y1 in bands(theirs.shape[0], BAND):
            stack = np.stack([frame.rows(y0, y1).astype("f4") for frame in frames])
            ours = combine(stack, "median", rule, want=frozenset()).value
            different += np.count_nonzero(np.abs(ours - theirs.rows(y0, y1)) >= SAME_ADU)
    return different / (theirs.shape[0] * theirs.shape[1])


def ccdclip(camera: Camera) -> Rejection:
    """What a master bias is combined with."""
    return Rejection("ccdclip", read_noise_e=camera.read_noise_e, gain=camera.gain)


def libraries(arguments: argparse.Namespace) -> Figures:
    """The same frames by ccdproc, numpy and bottleneck, each once: seconds and peaks, no bars."""
    root, _ = place_of(arguments)
    raws, figures = biases(root), Figures("libraries")
    said = subprocess.run(
        [sys.executable, str(LIBRARIES), "--list"], capture_output=True, text=True, check=True
    )
    for name in said.stdout.split():
        words = (sys.executable, str(LIBRARIES), name, str(root / f"{name}.fits"), *map(str, raws))
        try:
            run = measured(programs.Command(words, root))
        except subprocess.CalledProcessError as error:  # killed where it takes more memory than there is
            figures.remarks.append(f"{name}: did not end: {error.returncode}")
            continue
        figures.seconds[name], figures.peak_gb[name] = run.seconds, run.memory.largest_gb
        (root / f"{name}.fits").unlink()
    return figures


def memory(arguments: argparse.Namespace) -> Figures:
    """A stack of 100 frames, links to the same eleven: its peak."""
    root, camera = place_of(arguments)
    many = linked(root, MANY)
    run = measured(mar_bias(root, camera, many))
    figures = Figures("memory", {"mar bias, 100 frames": run.seconds})
    figures.bars.append(Bar("peak with 100 frames", run.memory.largest_gb, MANY_GB, unit="GB"))
    return figures


def linked(root: Path, number: int) -> list[Path]:
    """That many frames, links to the same eleven."""
    raws, folder = biases(root), root / "MANY"
    folder.mkdir(exist_ok=True)
    links = [folder / f"many-{n:03d}.fits" for n in range(number)]
    for n, link in enumerate(links):
        if not link.exists():
            os.link(raws[n % len(raws)], link)
    return links


def place_of(arguments: argparse.Namespace) -> tuple[Path, Camera]:
    """The root of this run with its bias frames simulated, and their camera."""
    root = scratch.folder(arguments)
    camera = load_camera("t80cam" if arguments.scale == 1 else "t80cam-mini")
    if not biases(root):
        simulate_night(root, camera, fields=0, bands=["R"], biases=BIASES, flats=0, day=NIGHT)
    return root, camera


def biases(root: Path) -> list[Path]:
    """The raw bias frames."""
    return sorted((root / f"{NIGHT:%Y%m%d}").glob("bias*.fits"))


def mar_bias(root: Path, camera: Camera, raws: list[Path]) -> programs.Command:
    """The master bias with its mask and thumbnails."""
    words = (*MAR, "bias", *map(str, raws), "--root", str(root), "--camera", camera.name)
    return programs.Command(words, root)


def limit(root: Path, camera: Camera, raws: list[Path]) -> programs.Command:
    """Reading all raw frames and writing as many bytes as the master has."""
    return scratch.copy(root, 4 * camera.shape[0] * camera.shape[1], raws)


def imcombine(root: Path, camera: Camera, raws: list[Path], zero: str) -> programs.Command:
    """Median with ccdclip of the raw biases; overscan and mask are not part of it."""
    folder = root / "iraf"
    (folder / "out.fits").unlink(missing_ok=True)
    options = {"rdnoise": str(camera.read_noise_e), "gain": str(camera.gain), "zero": zero}
    return programs.imcombine(
        folder, raws, folder / "out.fits", combine="median", reject="ccdclip", **options
    )


WORKS = {"master": master, "kernel": kernel, "libraries": libraries, "memory": memory}
