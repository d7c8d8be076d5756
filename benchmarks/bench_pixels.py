"""The pixel steps beside their peers and the limit: every row of the table of targets, in one run.

Ours and the peers run in turn, each as a whole process with its peak memory where the work is one; truth
comes from simulated frames.
"""

import argparse
import sys

import pixels_combine
import pixels_cosmics
import pixels_detrend
import pixels_fringe
import pixels_fz
import pixels_masks
import pixels_scaling
import pixels_trails
from conventions import main

WORKS = {
    **pixels_combine.WORKS,
    **pixels_detrend.WORKS,
    **pixels_cosmics.WORKS,
    **pixels_masks.WORKS,
    **pixels_trails.WORKS,
    **pixels_fringe.WORKS,
    **pixels_fz.WORKS,
    **pixels_scaling.WORKS,
}


def options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    pixels_cosmics.options(parser)
    parser.add_argument("--plot", metavar="FILE", help="keep the plot of scaling there (PNG)")


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS, extra=options))
