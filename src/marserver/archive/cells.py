"""The cells of the board: the state of some fields in each band, exactly as it is now.

Two queries for any number of fields: their tiles, and their frames counted along the index of field and band
(some two hundred rows a field). So it is asked for the fields of a page, never for the whole survey.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q

from marserver.archive.models import FinalTile, FrameStatus, FrameType, IndividualFile

TILE = ("id", "status", "flag", "comments", "depth", "fwhm", "ncombine")


class State(StrEnum):
    """How far a field is in a band."""

    NOTHING = "nothing"  #: no valid science frame
    RAW = "raw"  #: frames that wait
    PROCESSED = "processed"  #: frames that are ready, no tile of them yet
    TILE = "tile"  #: coadded, good or not reviewed yet
    FLAGGED = "flagged"  #: coadded, and a reviewer found something
    FAILED = "failed"  #: a frame failed, and there is no tile


@dataclass
class Cell:
    """A field in a band."""

    band: str
    raw: int = 0  #: valid science frames
    ready: int = 0  #: of them processed up to the coadd
    failed: int = 0
    tile: dict[str, Any] = field(default_factory=dict)  #: empty where there is none

    @property
    def state(self) -> State:
        """A tile counts where it is done; one that is to be made again does not."""
        if self.tile.get("status") == 1:
            return State.FLAGGED if self.tile["flag"] > 0 else State.TILE
        if self.failed:
            return State.FAILED
        if self.ready:
            return State.PROCESSED
        return State.RAW if self.raw else State.NOTHING


def cells_of(fields: Iterable[str], bands: Sequence[str]) -> dict[str, list[Cell]]:
    """The cells of some fields, in the order of the bands."""
    asked = list(fields)
    found = {name: {band: Cell(band) for band in bands} for name in asked}
    for name, band, raw, ready, failed in frame_counts(asked):
        if band in found[name]:
            found[name][band] = Cell(band, raw, ready, failed)
    tiles = FinalTile.objects.filter(field__in=asked, isvalid=True).values_list("field", "band", *TILE)
    for name, band, *values in tiles:
        if band in found[name]:
            found[name][band].tile = dict(zip(TILE, values, strict=True))
    return {name: list(row.values()) for name, row in found.items()}


def frame_counts(fields: list[str]) -> Any:
    """Field, band, and how many valid science frames there are, are ready and failed."""
    science = Q(file_type=FrameType.SCI)
    rows = IndividualFile.objects.filter(field__in=fields, isvalid=True).order_by()
    return rows.values_list("field", "band").annotate(
        raw_frames=Count("pk", filter=science),
        ready_frames=Count("pk", filter=Q(file_type=FrameType.PROCESSED, status=FrameStatus.READY)),
        failed_frames=Count("pk", filter=science & ~Q(failed_step="")),
    )
