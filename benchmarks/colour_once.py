"""The colour image of a field from its tiles, as a process: what sky_colour.py starts.

python colour_once.py ROOT FIELD
"""

import sys
from pathlib import Path

from mar import run
from mar.bands import SPLUS_BANDS
from mar.camera import load_camera
from mar.config import Config
from mar.io.names import Layout


def main() -> None:
    """Make the image."""
    layout, field = Layout(Path(sys.argv[1])), sys.argv[2]
    tiles = {band: layout.tile(field, band, compressed=True) for band in SPLUS_BANDS}
    run.colour_image(tiles, field, layout, load_camera("t80cam"), Config())


if __name__ == "__main__":
    main()
