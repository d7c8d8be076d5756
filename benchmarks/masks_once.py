"""All masks of one frame: what pixels_masks.py starts, so that time and memory are those of a whole process.

    python masks_once.py COUNTS LEVEL MASK

Reads the counts of a perfect chip, marks saturation and bleeding, takes the level off, marks cosmic rays and
trails with the default settings, and writes the mask.
"""

import sys
from pathlib import Path

import numpy as np

from mar.config import Config
from mar.io.fits import read_frame, write_image
from mar.recipes.science import mark_defects
from mar.simulate.samples import plain_camera
from mar.steps.saturation import mark_saturated


def main() -> None:
    """Mark the frame named first, write the mask named last."""
    raw, config = read_frame(Path(sys.argv[1])), Config()
    camera = plain_camera(raw.data.shape)
    config = config.model_copy(update={"repair": config.repair.model_copy(update={"wanted": False})})
    frame = mark_saturated(raw, camera, config.saturation)
    frame = frame.replace(data=raw.data.astype(np.float32) - np.float32(sys.argv[2]))
    frame = mark_defects(frame, camera, config)
    write_image(Path(sys.argv[3]), frame.own_mask(), frame.header)


if __name__ == "__main__":
    main()
