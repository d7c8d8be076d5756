"""Saturated pixels and the runs of charge that leave them along their columns."""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit

ALONG_Y, ALONG_X = 0, 1
BLOCK = 512  # pixels of a row looked at together


class Places(NamedTuple):
    """Where each of n amplifiers lies, and what it holds."""

    raw: np.ndarray  #: (n, 2) first row and column in the raw image
    trimmed: np.ndarray  #: (n, 4) rows from and to, columns from and to in the trimmed image
    full: np.ndarray  #: (n,) saturated from this level on; of the raw image's type
    near: np.ndarray  #: (n,) the charge goes on as long as pixels reach this level; the same type
    axis: np.ndarray  #: (n,) ALONG_Y or ALONG_X: the way that charge moves


@jit
def _greatest(row: np.ndarray) -> float:
    """The greatest value of a row, or 0 where none is above; NaN is passed over."""
    most = row.dtype.type(0)
    for x in range(row.size):
        most = row[x] if row[x] > most else most
    return most


@jit
def _amplifier_at(places: Places, k: int, y: int, x: int) -> int:
    """The amplifier of a pixel of the trimmed image, `k` where it is still there; -1 outside the image."""
    box = places.trimmed[k]
    if box[0] <= y < box[1] and box[2] <= x < box[3]:
        return k
    for n in range(places.trimmed.shape[0]):
        box = places.trimmed[n]
        if box[0] <= y < box[1] and box[2] <= x < box[3]:
            return n
    return -1


@jit
def _follow(raw, places, k, y, x, step, grow, bit, mask):  # type: ignore[no-untyped-def]
    """Mark what bleeds from the saturated pixel (y, x) of the trimmed image one way, and `grow` more."""
    dy, dx = (0, step) if places.axis[k] == ALONG_X else (step, 0)
    bleeds, left = True, grow
    while bleeds or left > 0:
        y, x = y + dy, x + dx
        k = _amplifier_at(places, k, y, x)
        if k < 0:
            return
        j, i = y - places.trimmed[k, 0] + places.raw[k, 0], x - places.trimmed[k, 2] + places.raw[k, 1]
        if bleeds and raw[j, i] >= places.full[k]:
            return  # what is saturated itself is followed from there
        bleeds = bleeds and raw[j, i] >= places.near[k]
        if not bleeds:
            if left == 0:
                return
            left -= 1
        mask[j, i] |= bit


@jit
def mark_bled(
    raw: np.ndarray, places: Places, first: int, last: int, grow: int, bit: np.uint8, mask: np.ndarray
) -> int:
    """Set `bit` in `mask` (raw geometry, uint8) where `raw` is saturated, and where charge bled from there.

    It looks for saturated pixels in the rows from `first` to `last` of the trimmed image. Bands of rows may
    be looked at side by side: that bit is all that any of them writes.

    The charge is followed along the columns of the trimmed image, from one amplifier into the next, as long
    as pixels reach `near`; then `grow` pixels more are marked. Gives the number of saturated pixels. Blocks
    without any cost one look.
    """
    found = 0
    for k in range(places.full.size):
        y0, y1, x0, x1 = places.trimmed[k]
        raw_y, raw_x = places.raw[k]
        full = places.full[k]
        for y in range(max(y0, first), min(y1, last)):
            row = raw[raw_y + y - y0, raw_x : raw_x + x1 - x0]
            for start in range(0, row.size, BLOCK):
                stop = min(row.size, start + BLOCK)
                if _greatest(row[start:stop]) < full:
                    continue
                for x in range(start, stop):
                    if row[x] >= full:
                        found += 1
                        mask[raw_y + y - y0, raw_x + x] |= bit
                        _follow(raw, places, k, y, x0 + x, 1, grow, bit, mask)
                        _follow(raw, places, k, y, x0 + x, -1, grow, bit, mask)
    return found
