"""The sky beside its peers: sources, astrometry, tiles, colour images, in one run.

Ours and source-extractor, scamp, swarp and psfex run in turn on the same frames, each as a whole process
with its peak memory; truth comes from simulated frames.
"""

import argparse
import sys

import sky_astrometry
import sky_colour
import sky_sources
import sky_tile
from conventions import main

WORKS = {
    **sky_sources.WORKS,
    **sky_astrometry.WORKS,
    **{f"tile-{name}": work for name, work in sky_tile.WORKS.items()},
    **sky_colour.WORKS,
}


def options(parser: argparse.ArgumentParser) -> None:
    """What only some of the works take."""
    sky_tile.options(parser)


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS, extra=options))
