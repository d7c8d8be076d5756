"""Paths in, products out: the only place above the steps that opens and writes files.

The commands and the server's workers call the same functions; their arguments can be pickled.
"""

from mar.run.colour import colour_image
from mar.run.inspect import Contribution, Inspected, inspect
from mar.run.masters import master_bias, master_flat, superflat
from mar.run.products import (
    ColourProducts,
    Dropped,
    MasterFiles,
    MasterProducts,
    ScienceMasters,
    ScienceProducts,
    TileProducts,
)
from mar.run.science import science
from mar.run.tile import tile

__all__ = [
    "ColourProducts",
    "Contribution",
    "Dropped",
    "Inspected",
    "MasterFiles",
    "MasterProducts",
    "ScienceMasters",
    "ScienceProducts",
    "TileProducts",
    "colour_image",
    "inspect",
    "master_bias",
    "master_flat",
    "science",
    "superflat",
    "tile",
]
