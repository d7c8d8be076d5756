"""L.A.Cosmic round after round: the same mask as when every round looks at the whole image.

After the first round only the found pixels change, by being cleaned. So a later round looks only where it
could see something else than the round before: near the pixels that were found last.
Where hits must be confirmed, a round looks only at what touches a pixel that could be and is not found yet.
"""

from collections.abc import Callable, Iterator

import numpy as np

from mar.kernels.lacosmic import CLEANED_FROM, REACH, Rule, look_once, take_new
from mar.kernels.left_out import LeftOut
from mar.kernels.mesh import Sky
from mar.kernels.tracks import keep_near

TILE = (64, 1024)  # rows and columns looked at together in the first round; they stay in the cache
CELL = (
    64,
    64,
)  # elsewhere only part of each; larger than 2 CHANGED_PX, so that corners tell what a hit reaches
CHANGED_PX = REACH + CLEANED_FROM  # how far a new hit reaches: others near it are cleaned anew

Places = tuple[np.ndarray, np.ndarray]
"""Rows and columns of pixels."""

_Corner = tuple[Places, Places, np.ndarray, np.ndarray]

Confirm = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Given pixels (ys, xs): which of them can be nothing but a cosmic ray."""


def find_hits(
    image: np.ndarray,
    sky: Sky,
    left_out: LeftOut,
    rule: Rule,
    rounds: int,
    confirm: Confirm | None = None,
    only_near: Places | None = None,
) -> np.ndarray:
    """Boolean (ny, nx): the pixels hit by cosmic rays, found in at most so many rounds.

    `image` (ny, nx) float32 and `sky`, ADU. Pixels that touch one that is left out, or one that is not
    finite, are never hit. With `confirm` only pixels that are confirmed stay, and those that touch them;
    where all that it could confirm is known, `only_near` saves the look at the rest.
    """
    hits, new = np.zeros(image.shape, dtype=bool), np.zeros(image.shape, dtype=np.uint8)
    boxes = _tiles(image.shape) if only_near is None else _boxes_near(*only_near, image.shape, 1)
    for _ in range(rounds):
        look_once(image, sky, left_out, hits, boxes, rule, new)
        ys, xs = take_new(new, hits, boxes).T
        if confirm is not None:
            keep_near(new, ys, xs, confirm(ys, xs))
            kept = new[ys, xs] != 0
            ys, xs = ys[kept], xs[kept]
        if ys.size == 0:
            break
        hits[ys, xs], new[ys, xs] = True, 0
        if only_near is None:
            boxes = _boxes_near(ys, xs, image.shape, CHANGED_PX)
        else:
            boxes = _boxes_near(*_still_open(only_near, hits, ys, xs), image.shape, 1)
    return hits


def rule_of(sigclip: float, sigfrac: float, objlim: float, gain: float, read_noise_e: float) -> Rule:
    """The rule in the kernel's own precision."""
    least, noise = np.float32(sigclip), np.float32(read_noise_e)
    return Rule(least, np.float32(sigfrac) * least, np.float32(objlim), np.float32(gain), noise * noise)


def _tiles(shape: tuple[int, int]) -> np.ndarray:
    """Boxes (n, 4) that cover an image."""
    (ny, nx), (height, width) = shape, TILE
    ys, xs = np.meshgrid(np.arange(0, ny, height), np.arange(0, nx, width), indexing="ij")
    return _boxes(ys.ravel(), xs.ravel(), TILE, shape)


def _still_open(places: Places, hits: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> Places:
    """Those of `places` that are no hits yet, in the cells that what was found last, at (ys, xs), reaches."""
    reached = np.zeros(_cells_of(hits.shape), dtype=bool)
    for _, _, row, column in _corners(ys, xs, hits.shape, CHANGED_PX):
        reached[row, column] = True
    (rows, columns), (height, width) = places, CELL
    still = reached[rows // height, columns // width] & ~hits[rows, columns]
    return rows[still], columns[still]


def _boxes_near(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, int], reach: int) -> np.ndarray:
    """Boxes (n, 4), each the least part of a cell with all of it within `reach` of pixels at (ys, xs)."""
    (height, width), (rows, columns) = CELL, _cells_of(shape)
    first, last = np.full((2, rows * columns), max(shape)), np.zeros((2, rows * columns), dtype=int)
    for y, x, row, column in _corners(ys, xs, shape, reach):
        cell = row * columns + column
        for axis, (at, start, size) in enumerate(((y, row * height, height), (x, column * width, width))):
            np.minimum.at(first[axis], cell, np.maximum(at[0], start))
            np.maximum.at(last[axis], cell, np.minimum(at[1] + 1, start + size))
    used = last[0] > 0
    return np.stack([first[0, used], last[0, used], first[1, used], last[1, used]], axis=1)


def _corners(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, int], reach: int) -> Iterator[_Corner]:
    """For each corner: first and last rows and columns within `reach`, and the cell of the corner."""
    y, x = (
        (np.maximum(at - reach, 0), np.minimum(at + reach, n - 1))
        for at, n in zip((ys, xs), shape, strict=True)
    )
    for row in y:
        for column in x:
            yield y, x, row // CELL[0], column // CELL[1]


def _cells_of(shape: tuple[int, int]) -> tuple[int, int]:
    return -(-shape[0] // CELL[0]), -(-shape[1] // CELL[1])


def _boxes(ys: np.ndarray, xs: np.ndarray, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    ends = np.minimum(ys + size[0], shape[0]), np.minimum(xs + size[1], shape[1])
    return np.stack([ys, ends[0], xs, ends[1]], axis=1)
