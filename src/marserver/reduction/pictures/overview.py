"""The small levels of an image, made once from all of its rows and kept in a file below TMP.

Level k is the image made smaller by 2^k, for k = 2 to that of one pixel. The file is named after the path,
time and size of the image's, so that an image that is made again gets a new one; those that were not used for
longest are removed where all take more than MOST_BYTES.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from marserver.reduction import site
from marserver.reduction.pictures.shrink import block_bits, block_means

FIRST = 2  # the level of the overview that is largest
MOST_BYTES = 2 << 30
SAMPLE = 60_000  # pixels at full resolution that limits are found from
FORMAT = "1"

Rows = Callable[[int, int], np.ndarray]  # displayed rows from the top, first to end


@dataclass(frozen=True)
class Overview:
    """The small levels (level FIRST first), and a sample of the pixels."""

    levels: list[np.ndarray]
    sample: np.ndarray


def shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows and columns of the levels from FIRST on."""
    found, step = [], 1 << FIRST
    while step < 2 * max(shape):
        found.append((-(-shape[0] // step), -(-shape[1] // step)))
        step *= 2
    return found


def overview(name: str, shape: tuple[int, int], rows: Rows, band: int, mask: bool) -> Overview:
    """The overview of an image: from its file where it is kept, else made of its rows by bands of `band`."""
    path = folder() / f"{hashlib.sha256(f'{FORMAT} {name} {mask}'.encode()).hexdigest()[:32]}.npy"
    kept = read(path, np.uint8 if mask else np.float32, shape)
    if kept is None:
        kept = make(shape, rows, band, mask)
        keep(path, kept)
    return split(kept, shape)


def folder() -> Path:
    """Where overviews are kept."""
    return site.layout().scratch / "pictures"


def read(path: Path, dtype: type, shape: tuple[int, int]) -> np.ndarray | None:
    """A kept overview, mapped; None where there is none that can be read."""
    try:
        os.utime(path)  # it was used now
        kept: np.ndarray = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    whole = sum(ny * nx for ny, nx in shapes(shape))
    return kept if kept.dtype == dtype and kept.ndim == 1 and kept.size >= whole else None


def make(shape: tuple[int, int], rows: Rows, band: int, mask: bool) -> np.ndarray:
    """All levels and the sample, one behind the other."""
    shrunk = block_bits if mask else block_means
    stride = max(1, int(np.sqrt(shape[0] * shape[1] / SAMPLE)))
    small, sample = [], []
    for top in range(0, shape[0], band):
        values = rows(top, min(shape[0], top + band))
        small.append(shrunk(values, 1 << FIRST))
        sample.append(values[-top % stride :: stride, ::stride].ravel())
    levels = [np.concatenate(small)]
    while len(levels) < len(shapes(shape)):
        levels.append(shrunk(levels[-1], 2))
    levels = levels[: len(shapes(shape))]
    parts = [level.ravel() for level in levels] + ([np.empty(0)] if mask else sample)
    return np.concatenate(parts, dtype=np.uint8 if mask else np.float32, casting="unsafe")


def split(kept: np.ndarray, shape: tuple[int, int]) -> Overview:
    """Levels and sample of what is kept in one piece."""
    levels, start = [], 0
    for ny, nx in shapes(shape):
        levels.append(kept[start : start + ny * nx].reshape(ny, nx))
        start += ny * nx
    return Overview(levels, kept[start:])


def keep(path: Path, kept: np.ndarray) -> None:
    """Write an overview whole or not at all, and remove the oldest; on a full disk nothing is kept."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            try:
                np.save(file, kept)
                file.flush()
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink()
                raise
        prune(path.parent, MOST_BYTES)


def prune(place: Path, most_bytes: int) -> None:
    """Remove the overviews that were not used for longest."""
    found = sorted(
        ((entry.stat(), entry.path) for entry in os.scandir(place)), key=lambda one: -one[0].st_mtime
    )
    total = 0
    for status, path in found:
        total += status.st_size
        if total > most_bytes:
            Path(path).unlink(missing_ok=True)
