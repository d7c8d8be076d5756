"""A master that is read in bands of rows, so that it is never whole in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mar.frame import Frame
from mar.steps.rows import ArrayRows, Rows


@dataclass(frozen=True)
class MasterRows:
    """A master with its mask where it has one."""

    label: str  #: name of the file it came from
    pixels: Rows
    mask: Rows | None
    checksum_of: Callable[[], str]  #: known at little cost once all rows were read
    overscan: str = ""  #: its card OVERSCAN

    @property
    def checksum(self) -> str:
        """FITS DATASUM of the pixels."""
        return self.checksum_of()

    def bits(self, y0: int, y1: int) -> np.ndarray | None:
        """Rows y0 <= y < y1 of the mask, uint8; None where there is none."""
        return None if self.mask is None else self.mask.rows(y0, y1).astype(np.uint8, copy=False)

    @classmethod
    def of(cls, frame: Frame) -> "MasterRows":
        """A master in memory."""
        mask = None if frame.mask is None else ArrayRows(frame.mask)
        said = str(frame.header.get("OVERSCAN", ""))
        return cls(frame.label, ArrayRows(frame.data), mask, lambda: frame.checksum, said)
