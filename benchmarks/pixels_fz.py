"""Tile-compressed float32 images: written, read whole and by bands of rows, beside fpack, astropy and fitsio.

fpack and funpack are timed as whole processes, which start at once; of libraries the seconds are those of the
call, from the plain file to the packed one or from the packed one to an array. Ours also syncs what it wrote.
The limit reads and writes the same bytes.
"""

import argparse
import importlib.util
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io.fits import Header

import pixels_cosmics
import programs
import scratch
from conventions import Bar, Figures, in_turn, main
from mar.io.fits import read_image, write_image
from mar.steps.background import estimate
from programs import Command

FASTER, BAND, NOISE = 1.5, 0.05, 0.01
ONCE = Path(__file__).with_name("files_once.py")
LIBRARIES = ["ours", "astropy", *(["fitsio"] if importlib.util.find_spec("fitsio") else [])]


def folder_of(arguments: argparse.Namespace) -> Path:
    """The folder of this run with a simulated frame, plain and packed by ours, and a corner of it."""
    folder = scratch.folder(arguments) / "fz"
    if not folder.exists():
        folder.mkdir()
        with np.load(pixels_cosmics.folder_of(arguments) / "frame.npz") as stored:
            data = stored["data"]
        for name, part in (("sky", data), ("small", data[:300])):
            write_image(folder / f"{name}.fits", part, Header())
            write_image(folder / f"ours-{name}.fits.fz", part, Header())
    return folder


def write(arguments: argparse.Namespace) -> Figures:
    """Writing .fz: ours, fpack as it comes and as finely as ours, the libraries and the limit, in turn."""
    folder = folder_of(arguments)
    packed = (folder / "ours-sky.fits.fz").stat().st_size
    figures = timed(
        "fz-write",
        folder,
        arguments.rounds,
        {
            **{name: library("write", name, folder) for name in LIBRARIES},
            **peer("fpack", fpack(folder)),
            **peer("fpack as finely", fpack(folder, "-qz", "40")),
            "limit: read and write": lambda: scratch.copy(folder, packed, [folder / "sky.fits"]),
        },
    )
    theirs = figures.seconds.get("fpack")
    faster = theirs / figures.seconds["ours"] if theirs else None
    figures.bars = [
        Bar("times faster than fpack", faster, FASTER, above=True),
        Bar("change, in noise of the sky", change(folder), NOISE),
    ]
    return figures


def change(folder: Path) -> float:
    """What packing changes (rms) as part of the noise of the sky, on the darker half of the pixels."""
    before, after = (read_image(folder / name)[0] for name in ("sky.fits", "ours-sky.fits.fz"))
    noise = float(np.median(estimate(before, np.zeros(before.shape, np.uint8), 128).rms()))
    sky = before < np.median(before[::7, ::7])
    return float(np.std((after - before)[sky])) / noise


def read(arguments: argparse.Namespace) -> Figures:
    """Reading .fz, whole and 256 rows: ours, funpack, the libraries and the limit, in turn."""
    folder = folder_of(arguments)
    packed = folder / "ours-sky.fits.fz"
    works = {f"{what} {name}": library(what, name, folder) for what in ("read", "band") for name in LIBRARIES}
    limit = {"limit: read": lambda: scratch.copy(folder, 0, [packed])}
    figures = timed("fz-read", folder, arguments.rounds, works | peer("funpack", funpack(folder)) | limit)
    theirs = figures.seconds.get("funpack")
    figures.bars = [
        Bar(
            "times faster than funpack",
            theirs / figures.seconds["read ours"] if theirs else None,
            1,
            above=True,
        ),
        Bar("256 rows, part of the whole", figures.seconds["band ours"] / figures.seconds["read ours"], BAND),
    ]
    return figures


def timed(work: str, folder: Path, rounds: int, commands: dict[str, Callable[[], Command]]) -> Figures:
    """The programs in turn: seconds of calls where they tell them, else of processes; peaks."""
    said: dict[str, list[float]] = {name: [] for name in commands}

    def noting(name: str, prepare: Callable[[], Command]) -> Command:
        collect(folder, said)
        return prepare()

    runs = in_turn({name: partial(noting, name, one) for name, one in commands.items()}, rounds)
    collect(folder, said)
    figures = Figures(work)
    for name, run in runs.items():
        # the first of each was its warm-up
        figures.seconds[name] = statistics.median(said[name][1:]) if said[name] else run.seconds
        figures.peak_gb[name] = run.memory.largest_gb
    return figures


def collect(folder: Path, said: dict[str, list[float]]) -> None:
    """Take the seconds that the last program left."""
    for path in folder.glob("*.s"):
        what, _, name = path.stem.partition("-")
        said[name if name in said else f"{what} {name}"].append(float(path.read_text()))
        path.unlink()


def library(what: str, name: str, folder: Path) -> Callable[[], Command]:
    """A library's call in a process of its own."""
    return lambda: Command((sys.executable, str(ONCE), what, name, str(folder)), folder)


def peer(name: str, prepare: Callable[[], Command]) -> dict[str, Callable[[], Command]]:
    """A program, where the machine has it."""
    return {name: prepare} if programs.find(name.split()[0]) else {}


def fpack(folder: Path, *options: str) -> Callable[[], Command]:
    """fpack of the plain frame."""

    def prepare() -> Command:
        (folder / "sky.fits.fz").unlink(missing_ok=True)
        return programs.fpack(folder, folder / "sky.fits", *options)

    return prepare


def funpack(folder: Path) -> Callable[[], Command]:
    """funpack of the packed frame."""

    def prepare() -> Command:
        (folder / "unpacked.fits").unlink(missing_ok=True)
        return programs.funpack(folder, folder / "ours-sky.fits.fz", folder / "unpacked.fits")

    return prepare


WORKS = {"fz-write": write, "fz-read": read}


def options(parser: argparse.ArgumentParser) -> None:
    """What the simulated frame takes."""
    parser.add_argument("--root", metavar="DIR", help="frames there are used, products stay there")
    parser.add_argument("--rate", metavar="R", type=float, default=0.15, help="tracks per Mpixel and second")


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS, extra=options))
