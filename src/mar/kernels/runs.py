"""What became of each pixel of each frame, as lengths of runs along the rows. Twin: tests.naive.fates."""

import numpy as np

from mar.kernels.jit import jit

BLOCK = 64  # pixels looked at together
OUTSIDE, USED, MASKED, CLIPPED = 0, 1, 2, 3
LONGEST = 16383
"""A run is 4 length + fate, and fits into 16 bits."""


@jit
def _all_used(line: np.ndarray, x: int) -> bool:
    """Whether the weights of the BLOCK pixels from x on are all above zero."""
    number = 0
    for k in range(BLOCK):
        number += 1 if line[np.uint64(x) + np.uint64(k)] > 0 else 0
    return number == BLOCK


@jit
def encode_runs(weights: np.ndarray, runs: np.ndarray, counts: np.ndarray) -> None:
    """Runs of equal fate along the rows of one frame's combined `weights` (rows, nx).

    A weight of 0 is OUTSIDE, above it USED, -inf CLIPPED, another one MASKED. The runs (uint16) of row y
    stand in runs[y, :counts[y]]; there may be as many as pixels.
    """
    rows, columns = weights.shape
    for row in range(rows):
        line = weights[row]
        found = 0
        start = 0
        fate = OUTSIDE
        x = 0
        while x < columns:
            if fate == USED and x + BLOCK <= columns and x + BLOCK - start < LONGEST and _all_used(line, x):
                x += BLOCK
                continue
            w = line[x]
            now = USED if w > 0 else OUTSIDE if w == 0 else CLIPPED if w == -np.inf else MASKED
            if x - start == LONGEST or (now != fate and x > start):
                runs[row, found] = 4 * (x - start) + fate
                found += 1
                start = x
            fate = now
            x += 1
        runs[row, found] = 4 * (columns - start) + fate
        counts[row] = found + 1
