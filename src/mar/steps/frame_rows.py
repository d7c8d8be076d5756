"""Rows of a frame made ready for resampling, kept while neighbouring bands of the tile need them."""

import numpy as np

from mar.kernels.prepare import REACH, fill_holes, subtract_lattice
from mar.masks import UNUSABLE, Bit
from mar.steps.lattice import STEP, Surface, nodes
from mar.steps.sky_mesh import RowReader

NOT_USED = int(UNUSABLE | Bit.HOLE)


class FrameRows:
    """Sky-subtracted, scaled, hole-filled rows of one frame, read once each as the window moves over it."""

    def __init__(self, image: RowReader, mask: RowReader | None, level: Surface | None, scale: float) -> None:
        """`level`: the sky in the image's unit, None leaves it in; values are multiplied by `scale`."""
        self._image, self._mask = image, mask
        self._level, self._scale = level, scale
        self._first = 0
        self._rows = np.empty((0, image.shape[1]), np.float32)
        self._bad = np.empty((0, image.shape[1]), np.uint8)
        self.shape = (int(image.shape[0]), int(image.shape[1]))

    def window(self, y0: int, y1: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows y0 <= y < y1 within the frame: values (float32) and a mask (uint8, 0 = to be trusted)."""
        kept = slice(max(y0, self._first), min(y1, self._first + len(self._rows)))
        if kept.start >= kept.stop:
            parts = [self._prepared(y0, y1)]
        else:
            inside = slice(kept.start - self._first, kept.stop - self._first)
            parts = [
                self._prepared(y0, kept.start),
                (self._rows[inside], self._bad[inside]),
                self._prepared(kept.stop, y1),
            ]
        self._rows = np.concatenate([rows for rows, _ in parts])
        self._bad = np.concatenate([bad for _, bad in parts])
        self._first = y0
        return self._rows, self._bad

    def _prepared(self, y0: int, y1: int) -> tuple[np.ndarray, np.ndarray]:
        if y1 <= y0:
            return np.empty((0, self.shape[1]), np.float32), np.empty((0, self.shape[1]), np.uint8)
        # holes are filled from rows around them: read as far as that looks
        first, last = max(0, y0 - REACH), min(self.shape[0], y1 + REACH)
        raw = np.ascontiguousarray(self._image.rows(first, last), dtype=np.float32)
        values = self._without_sky(raw, first)
        bits = np.zeros(raw.shape, np.uint8) if self._mask is None else self._mask.rows(first, last)
        lost = ~np.isfinite(raw)
        bad = np.where(lost, np.uint8(Bit.BAD), bits & np.uint8(NOT_USED))
        filled = np.empty_like(values)
        # the inside of a saturated core keeps its value, a lower limit; bled columns are bridged, not to ring
        fill_holes(values, bad, int(Bit.SATURATED), filled)
        keep = slice(y0 - first, y1 - first)
        return filled[keep], bad[keep]

    def _without_sky(self, raw: np.ndarray, first: int) -> np.ndarray:
        if self._level is None:
            return raw * np.float32(self._scale)
        start = first // STEP * STEP
        rows = np.arange(start, first + len(raw) + STEP, STEP)
        lattice = self._level.at(rows, nodes(self.shape[1]))
        values = np.empty_like(raw)
        subtract_lattice(raw, first - start, lattice, STEP, self._scale, values)
        return values
