"""Combining a stack: the kernel alone, and the master bias as a process beside IRAF's imcombine.

The limit is what reading the raw frames and writing the master takes.
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

import programs
from conventions import Bar, Figures, in_turn, main
from mar.camera import Camera, load_camera
from mar.simulate import simulate_night
from mar.steps.combine import Rejection, combine

NIGHT, BIASES, MANY = date(2024, 3, 1), 11, 100
FULL_ROWS, FULL_COLUMNS = 1200, 9232  # enough to be far beyond any cache
MEDIAN_MPIX, CLIP_MPIX, FASTER, LIMITS, MEMORY_GB, MANY_GB = 470.0, 155.0, 15.0, 2.0, 1.0, 1.5
MAR = (sys.executable, "-c", "from mar.main import main; main()")
COPY = """
import sys
buffer = bytearray(1 << 24)
for path in sys.argv[2:]:
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(int(sys.argv[1].rpartition("-")[2]) >> 24):
        file.write(buffer)
"""


def kernel(arguments: argparse.Namespace) -> Figures:
    """Arrays in memory, 11 frames: output pixels a second in the best round."""
    figures = Figures("kernel")
    rng, camera = np.random.default_rng(1), load_camera("t80cam")
    rows = int(FULL_ROWS / arguments.scale**2) or 1
    stack = rng.normal(0, 3.6, (BIASES, max(64, rows), FULL_COLUMNS)).astype("f4")
    ccd = Rejection("ccdclip", read_noise_e=camera.read_noise_e, gain=camera.gain)
    for name, rule, bar in (
        ("median", Rejection("none"), MEDIAN_MPIX),
        ("median, ccdclip", ccd, CLIP_MPIX),
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
    for number in range(rounds + 1):
        began, before = time.perf_counter(), time.process_time()
        combine(stack, "median", rule, want=frozenset())
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
        commands["imcombine ccdclip"] = lambda: imcombine(root, camera, raws)
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
    ]
    return figures


def memory(arguments: argparse.Namespace) -> Figures:
    """A stack of 100 frames, links to the same eleven: its peak."""
    root, camera = place_of(arguments)
    raws, many = biases(root), []
    folder = root / "MANY"
    folder.mkdir(exist_ok=True)
    for number in range(MANY):
        link = folder / f"many-{number:03d}.fits"
        if not link.exists():
            os.link(raws[number % len(raws)], link)
        many.append(link)
    run = in_turn({"mar bias": lambda: mar_bias(root, camera, many)}, 1)["mar bias"]
    figures = Figures("memory", {"mar bias, 100 frames": run.seconds})
    figures.bars.append(Bar("peak with 100 frames", run.memory.largest_gb, MANY_GB, unit="GB"))
    return figures


def place_of(arguments: argparse.Namespace) -> tuple[Path, Camera]:
    """The root of this run with its bias frames simulated, and their camera."""
    if arguments.root is None:
        arguments.root = tempfile.mkdtemp(prefix="mar-combine-")
        atexit.register(shutil.rmtree, arguments.root)
    root = Path(arguments.root).resolve()
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
    size = 4 * camera.shape[0] * camera.shape[1]
    return programs.Command(
        (sys.executable, "-c", COPY, str(root / f"written-{size}"), *map(str, raws)), root
    )


def imcombine(root: Path, camera: Camera, raws: list[Path]) -> programs.Command:
    """Median with ccdclip of the raw biases; overscan and mask are not part of it."""
    folder = root / "iraf"
    (folder / "out.fits").unlink(missing_ok=True)
    options = {"rdnoise": str(camera.read_noise_e), "gain": str(camera.gain), "zero": "mode"}
    return programs.imcombine(
        folder, raws, folder / "out.fits", combine="median", reject="ccdclip", **options
    )


def options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--root", metavar="DIR", help="frames there are used, products stay there")


if __name__ == "__main__":
    sys.exit(main(__doc__, {"kernel": kernel, "master": master, "memory": memory}, extra=options))
