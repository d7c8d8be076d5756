"""L.A.Cosmic round after round: the same mask as when every round looks at the whole image.

After the first round only the found pixels change, by being cleaned. So a later round looks only where it
could see something else than the round before: near the pixels that were found last.
"""

from collections.abc import Callable

import numba
import numpy as np

from mar.kernels.lacosmic import CLEANED_FROM, REACH, Rule, look_once
from mar.kernels.tracks import keep_near

TILE = (64, 1024)  # rows and columns looked at together in the first round; they stay in the cache
CELL = (32, 32)  # the same in later rounds; larger than 2 CHANGED_PX, so that corners tell what a hit reaches
CHANGED_PX = REACH + CLEANED_FROM  # how far a new hit reaches: others near it are cleaned anew

Confirm = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Given pixels (ys, xs): which of them can be nothing but a cosmic ray."""


def find_hits(
    image: np.ndarray,
    sky: np.ndarray,
    left_out: np.ndarray,
    rule: Rule,
    rounds: int,
    confirm: Confirm | None = None,
) -> np.ndarray:
    """Boolean (ny, nx): the pixels hit by cosmic rays, found in at most so many rounds.

    `image` and `sky` (ny, nx) float32, ADU. Pixels that touch one of `left_out` (bool), or one that is not
    finite, are never hit. With `confirm` only pixels that are confirmed stay, and those that touch them.
    """
    hits = np.zeros(image.shape, dtype=bool)
    boxes = _tiles(image.shape)
    for _ in range(rounds):
        new = np.zeros(image.shape, dtype=bool)
        look_once(image, sky, left_out, hits, boxes, rule, numba.get_num_threads(), new)
        ys, xs = _only_new(new, hits)
        if confirm is not None:
            keep_near(new.view(np.uint8), ys, xs, confirm(ys, xs))
            kept = new[ys, xs]
            ys, xs = ys[kept], xs[kept]
        if ys.size == 0:
            break
        hits[ys, xs] = True
        boxes = _cells_near(ys, xs, image.shape)
    return hits


def rule_of(sigclip: float, sigfrac: float, objlim: float, gain: float, read_noise_e: float) -> Rule:
    """The rule in the kernel's own precision."""
    least, noise = np.float32(sigclip), np.float32(read_noise_e)
    return Rule(least, np.float32(sigfrac) * least, np.float32(objlim), np.float32(gain), noise * noise)


def _only_new(found: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clear the known hits from `found`; gives the pixels that stay, by rows."""
    at = np.flatnonzero(found)
    known = hits.ravel()[at]
    found.ravel()[at[known]] = False
    ys, xs = np.divmod(at[~known], found.shape[1])
    return ys, xs


def _tiles(shape: tuple[int, int]) -> np.ndarray:
    """Boxes (n, 4) that cover an image."""
    (ny, nx), (height, width) = shape, TILE
    ys, xs = np.meshgrid(np.arange(0, ny, height), np.arange(0, nx, width), indexing="ij")
    return _boxes(ys.ravel(), xs.ravel(), TILE, shape)


def _cells_near(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Boxes (n, 4) of all cells that new hits at (ys, xs) reach."""
    (ny, nx), (height, width) = shape, CELL
    near = np.zeros((-(-ny // height), -(-nx // width)), dtype=bool)
    for dy in (-CHANGED_PX, CHANGED_PX):
        for dx in (-CHANGED_PX, CHANGED_PX):
            near[np.clip(ys + dy, 0, ny - 1) // height, np.clip(xs + dx, 0, nx - 1) // width] = True
    rows, columns = np.nonzero(near)
    return _boxes(rows * height, columns * width, CELL, shape)


def _boxes(ys: np.ndarray, xs: np.ndarray, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    ends = np.minimum(ys + size[0], shape[0]), np.minimum(xs + size[1], shape[1])
    return np.stack([ys, ends[0], xs, ends[1]], axis=1)
