"""Images made smaller by blocks: pixels by their mean, masks by all of their bits."""

import numpy as np


def block_means(values: np.ndarray, step: int) -> np.ndarray:
    """Mean of blocks of step x step pixels, float32; what is no number is left out, NaN where all are none.

    Blocks at the right and lower edge may be smaller. By numpy and not by a parallel kernel: requests come in
    many threads.
    """
    good = np.isfinite(values)
    known = np.where(good, values, 0).astype(np.float32) if not good.all() else values
    total = _block_sums(known, step)
    if good.all():
        rows, columns = (_lengths(length, step) for length in values.shape)
        return total / (rows[:, None] * columns)
    number = _block_sums(good, step)
    return np.where(number > 0, total / np.maximum(number, 1), np.float32(np.nan))


def block_bits(mask: np.ndarray, step: int) -> np.ndarray:
    """The bits that any pixel of a block has, uint8."""
    whole = _padded(mask, step)
    rows = np.bitwise_or.reduce([whole[n::step] for n in range(step)])
    found: np.ndarray = np.bitwise_or.reduce([rows[:, n::step] for n in range(step)])
    return found


def _block_sums(values: np.ndarray, step: int) -> np.ndarray:
    whole = _padded(values, step)
    rows = whole[::step].astype(np.float32)
    for n in range(1, step):
        rows += whole[n::step]
    total = rows[:, ::step].copy()
    for n in range(1, step):
        total += rows[:, n::step]
    return total


def _padded(values: np.ndarray, step: int) -> np.ndarray:
    """Zeros added to the right and below, so that only whole blocks are left."""
    below, right = (-length % step for length in values.shape)
    return np.pad(values, ((0, below), (0, right))) if below or right else values


def _lengths(length: int, step: int) -> np.ndarray:
    """How many pixels each block along an axis has."""
    lengths = np.full(-(-length // step), step, np.float32)
    if length % step:
        lengths[-1] = length % step
    return lengths
