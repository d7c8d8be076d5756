"""L.A.Cosmic round after round: the same mask as when every round looks at the whole image.

After the first round only the found pixels change, by being cleaned. So a later round looks only where it
could see something else than the round before: near the pixels that were found last.
Where hits must be confirmed, the first round too looks only where something can be.
"""

from collections.abc import Callable

import numpy as np

from mar.kernels.lacosmic import CLEANED_FROM, REACH, Rule, look_once, take_new
from mar.kernels.left_out import LeftOut
from mar.kernels.mesh import Sky
from mar.kernels.tracks import keep_near

TILE = (64, 1024)  # rows and columns looked at together in the first round; they stay in the cache
CELL = (32, 32)  # the same in later rounds; larger than 2 CHANGED_PX, so that corners tell what a hit reaches
CHANGED_PX = REACH + CLEANED_FROM  # how far a new hit reaches: others near it are cleaned anew

Places = tuple[np.ndarray, np.ndarray]
"""Rows and columns of pixels."""

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
    boxes = _tiles(image.shape) if only_near is None else _cells_near(*only_near, image.shape, 1)
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
        boxes = _cells_near(ys, xs, image.shape, CHANGED_PX)
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


def _cells_near(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, int], reach: int) -> np.ndarray:
    """Boxes (n, 4) of all cells within `reach` of pixels at (ys, xs)."""
    (ny, nx), (height, width) = shape, CELL
    near = np.zeros((-(-ny // height), -(-nx // width)), dtype=bool)
    for dy in (-reach, reach):
        for dx in (-reach, reach):
            near[np.clip(ys + dy, 0, ny - 1) // height, np.clip(xs + dx, 0, nx - 1) // width] = True
    rows, columns = np.nonzero(near)
    return _boxes(rows * height, columns * width, CELL, shape)


def _boxes(ys: np.ndarray, xs: np.ndarray, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    ends = np.minimum(ys + size[0], shape[0]), np.minimum(xs + size[1], shape[1])
    return np.stack([ys, ends[0], xs, ends[1]], axis=1)
