"""The pixel steps beside their peers and the limit: every row of the table of targets, in one run.

Ours and the peers run in turn, each as a whole process with its peak memory where the work is one; truth
comes from simulated frames.
"""

import argparse
import os
import sys

import pixels_combine
import pixels_cosmics
import pixels_masks
import pixels_scaling
from conventions import main

WORKS = pixels_combine.WORKS | pixels_cosmics.WORKS | pixels_masks.WORKS | pixels_scaling.WORKS


def options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--root", metavar="DIR", help="frames there are used, products stay there")
    parser.add_argument(
        "--threads", metavar="N", type=int, default=cores, help="of cosmics; default all cores"
    )
    parser.add_argument("--rate", metavar="R", type=float, default=0.15, help="tracks per Mpixel and second")
    parser.add_argument("--plot", metavar="FILE", help="keep the plot of scaling there (PNG)")


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS, extra=options))
