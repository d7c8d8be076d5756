"""Images that are read in bands of rows, so that memory does not grow with their number."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np


class Rows(Protocol):
    """An image whose rows can be read band by band."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """The rows y0 <= y < y1, (y1 - y0, nx)."""


class ArrayRows:
    """An array in memory, read as a file would be."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self._data.shape

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """The rows y0 <= y < y1; a view."""
        return self._data[y0:y1]


def bands(ny: int, height: int) -> Iterator[tuple[int, int]]:
    """(y0, y1) of one band of rows after the other, each `height` rows high but for the last."""
    for y0 in range(0, ny, height):
        yield y0, min(ny, y0 + height)
