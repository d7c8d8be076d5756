"""A picture of any size becomes a Deep Zoom image: tiles that a browser loads as it needs them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mar.io.fits import write_bytes
from mar.kernels.threads import in_threads
from mar.progress import Progress, silent
from mar.steps.picture import jpeg_bytes
from mar.steps.pyramid import Cut, cuts, description, levels


def write_pyramid(path: Path, pixels: np.ndarray, quality: int, progress: Progress = silent) -> None:
    """Write `<name>.dzi` and, beside it, the folder `<name>_files` of JPEG tiles of a picture (ny, nx, 3).

    The tiles are written into a folder of another name first. The .dzi is there only while all of them are.
    """
    folder = path.with_name(f"{path.stem}_files")
    fresh, old = (path.with_name(f".{os.getpid()}-{folder.name}.{word}") for word in ("tmp", "old"))
    try:
        for done, (number, level) in enumerate(levels(pixels)):
            progress("pyramid", done, int(max(pixels.shape)).bit_length())
            _write_level(fresh / str(number), level, quality)
        path.unlink(missing_ok=True)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        write_bytes(path, description(pixels.shape, "jpg").encode())
    finally:
        for one in (fresh, old):
            shutil.rmtree(one, ignore_errors=True)


def _write_level(folder: Path, level: np.ndarray, quality: int) -> None:
    folder.mkdir(parents=True)
    in_threads(_tile_writer(folder, level, quality), cuts(level.shape))


def _tile_writer(folder: Path, level: np.ndarray, quality: int) -> Callable[[Cut], None]:
    def write(cut: Cut) -> None:
        with (folder / f"{cut.column}_{cut.row}.jpg").open("wb") as file:
            file.write(jpeg_bytes(np.ascontiguousarray(level[cut.place]), quality))
            file.flush()
            os.fsync(file.fileno())

    return write
