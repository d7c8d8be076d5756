"""Rows of a frame made ready for resampling, kept while neighbouring bands of the tile need them."""

import numpy as np

from mar.kernels.prepare import REACH, fill_holes, flag_holes
from mar.masks import UNUSABLE, Bit
from mar.steps.sky_mesh import RowReader

NOT_USED = int(UNUSABLE | Bit.HOLE)
AHEAD = 128  #: rows that are read beyond those asked for, so that few readings are made
_NO_MASK = np.zeros((0, 0), np.uint8)


class FrameRows:
    """Hole-filled rows of one frame, read once each as the window moves over it."""

    def __init__(
        self, image: RowReader, mask: RowReader | None, level: float, mirrored: bool = False
    ) -> None:
        """`level` is for pixels far from any good one; `mirrored` turns left and right."""
        self._image, self._mask = image, mask
        self._level, self._mirrored = level, mirrored
        self.shape = (int(image.shape[0]), int(image.shape[1]))
        self.keep = True  #: rows for the next window; without it each window is read anew
        self.forget()

    def forget(self) -> None:
        """Hold no rows any more."""
        self._rows = np.empty((0, self.shape[1]), np.float32)
        self._holes = np.empty((0, self.shape[1]), np.uint8)
        self._first = self._end = self._filled = 0  # rows of the frame: held from, to, and ready up to

    def window(self, y0: int, y1: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows y0 <= y < y1 within the frame: values (float32) and a mask (uint8, 0 = to be trusted).

        Both are views that hold until the next call.
        """
        if not self.keep or not self._first <= max(0, y0 - REACH) <= self._end:
            self._first = self._end = max(0, y0 - REACH)
            self._filled = y0
        if self._filled < y1:
            self._read(y0, y1)
        inside = slice(y0 - self._first, y1 - self._first)
        return self._rows[inside], self._holes[inside]

    def _read(self, y0: int, y1: int) -> None:
        """Read and fill rows up to y1, and some beyond."""
        stop = min(self.shape[0], y1 + REACH + (AHEAD if self.keep else 0))
        self._make_room(max(0, y0 - REACH), stop)
        new = slice(self._end - self._first, stop - self._first)
        side = slice(None, None, -1 if self._mirrored else 1)
        rows, holes = self._rows[new], self._holes[new]
        rows[:] = self._image.rows(self._end, stop)[:, side]
        mask = _NO_MASK if self._mask is None else self._mask.rows(self._end, stop)[:, side]
        flag_holes(rows, np.ascontiguousarray(mask, np.uint8), NOT_USED, int(Bit.BAD), holes)
        self._end = stop
        ready = stop if stop == self.shape[0] else stop - REACH
        held = slice(0, stop - self._first)
        limits = self._filled - self._first, ready - self._first
        # the inside of a saturated core keeps its value, a lower limit; bled columns are bridged, not to ring
        fill_holes(self._rows[held], self._holes[held], *limits, int(Bit.SATURATED), self._level)
        self._filled = ready

    def _make_room(self, first: int, stop: int) -> None:
        """Let go of the rows before `first` where those up to `stop` find no room."""
        if stop - self._first <= len(self._rows):
            return
        kept = slice(first - self._first, self._end - self._first)
        rows, holes = self._rows[kept], self._holes[kept]
        if stop - first > len(self._rows):
            size = stop - first + (AHEAD if self.keep else 0)
            self._rows = np.empty((size, self.shape[1]), np.float32)
            self._holes = np.empty((size, self.shape[1]), np.uint8)
        self._rows[: len(rows)] = rows
        self._holes[: len(holes)] = holes
        self._first = first
