"""What exists: raw and processed frames, blocks of calibrations and science, tiles, field images."""

from marserver.archive.models.blocks import (
    BiasBlock,
    FlatByFilter,
    FlatsBlock,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.archive.models.frames import FrameStatus, FrameType, IndividualFile, Sci
from marserver.archive.models.tiles import BandPair, FieldImage, FinalTile

__all__ = [
    "BandPair",
    "BiasBlock",
    "FieldImage",
    "FinalTile",
    "FlatByFilter",
    "FlatsBlock",
    "FrameStatus",
    "FrameType",
    "IndividualFile",
    "Sci",
    "SciBlock",
    "SciByFilter",
    "Superflat",
]
