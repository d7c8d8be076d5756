"""All masks of one frame: what pixels_masks.py starts, so that time and memory are those of a whole process.

    python masks_once.py COUNTS LEVEL MASK ROUNDS

Reads the counts of a perfect chip, marks saturation and bleeding, takes the level off, marks cosmic rays and
trails with the default settings, and writes the mask; then only moves the same bytes. All that is done ROUNDS
times over; the seconds of each are printed as JSON: only those after the first are of a warm process.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from mar.config import Config
from mar.io.fits import read_frame, write_image
from mar.kernels.threads import bands, in_threads
from mar.recipes.science import mark_defects
from mar.simulate.samples import plain_camera
from mar.steps.saturation import mark_saturated


def mark(counts: Path, level: float, mask: Path) -> None:
    """Mark a frame, from file to file."""
    raw, config = read_frame(counts), Config()
    camera = plain_camera(raw.data.shape)
    config = config.model_copy(update={"repair": config.repair.model_copy(update={"wanted": False})})
    frame = mark_saturated(raw, camera, config.saturation)
    frame = frame.replace(data=above(raw.data, np.float32(level)))
    frame = mark_defects(frame, camera, config)
    write_image(mask, frame.own_mask(), frame.header)


def above(counts: np.ndarray, level: np.float32) -> np.ndarray:
    """Counts less a level as float32, in one pass, as the detrending has it."""
    data = np.empty(counts.shape, np.float32)

    def subtract(band: tuple[int, int]) -> None:
        rows = slice(*band)
        np.subtract(counts[rows], level, out=data[rows], dtype=np.float32)

    in_threads(subtract, bands(len(counts), 64))
    return data


def move(counts: Path, mask: Path) -> None:
    """Read the frame and write as many bytes as the mask has: the limit."""
    buffer, left = bytearray(1 << 24), mask.stat().st_size
    with counts.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    with mask.with_suffix(".bin").open("wb", buffering=0) as file:
        while left > 0:
            left -= file.write(memoryview(buffer)[:left])


def main() -> None:
    """Mark the frame named first as often as is said last."""
    counts, level, mask = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    masks, limit = [], []
    for _ in range(int(sys.argv[4])):
        began = time.perf_counter()
        mark(counts, level, mask)
        marked = time.perf_counter()
        move(counts, mask)
        masks.append(marked - began)
        limit.append(time.perf_counter() - marked)
    print(json.dumps({"masks": masks, "limit": limit}))


if __name__ == "__main__":
    main()
