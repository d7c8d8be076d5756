"""Bring rows of a stack into blocks: scaled, with infinity where there is no usable value."""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.stack_rules import Scaling

INFINITE = np.float32(np.inf)


@jit
def _scaled(row: np.ndarray, inverse: np.float32, zero: np.float32, values: np.ndarray) -> int:
    lacking = 0
    for x in range(row.size):
        value = row[x] * inverse - zero
        usable = abs(value) < INFINITE  # not so for NaN
        values[x] = value if usable else INFINITE
        lacking += 0 if usable else 1
    return lacking


@jit
def _leave_out(mask: np.ndarray, values: np.ndarray) -> int:
    lacking = 0
    for x in range(mask.size):
        out = mask[x] != 0
        values[x] = INFINITE if out else values[x]
        lacking += 1 if out else 0
    return lacking


@jit
def _count(values: np.ndarray, found: np.ndarray) -> None:
    for x in range(values.size):
        found[x] += 1 if values[x] < INFINITE else 0


@jit
def gather(
    stack: np.ndarray,
    masks: np.ndarray,
    y0: int,
    y1: int,
    scaling: Scaling,
    width: int,
    values: np.ndarray,
    found: np.ndarray,
    lacking: np.ndarray,
) -> int:
    """Fill `values` (blocks, n, STRIDE) from the rows y0 <= y < y1 of a stack, `width` pixels to a block.

    `lacking` (blocks,) tells whether a block lacks any value; only there `found` (blocks, STRIDE) counts the
    usable ones of each pixel. Gives the number of such blocks.
    """
    n, _, nx = stack.shape
    blocks = (nx + width - 1) // width
    incomplete = 0
    for y in range(y0, y1):
        for k in range(blocks):
            b = (y - y0) * blocks + k
            start, stop = k * width, min(nx, (k + 1) * width)
            missing = 0
            for i in range(n):
                row, into = stack[i, y, start:stop], values[b, i, : stop - start]
                inverse, zero = np.float32(1.0 / scaling.scales[i]), np.float32(scaling.zeros[i])
                missing += _scaled(row, inverse, zero, into)
                if masks.shape[2] > 0:
                    missing += _leave_out(masks[i, y, start:stop], into)
            lacking[b] = missing > 0
            if missing > 0:
                incomplete += 1
                found[b] = 0
                for i in range(n):
                    _count(values[b, i, : stop - start], found[b])
    return incomplete
