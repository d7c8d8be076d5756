"""Blocks of the sky beside blocks of a pattern, and the pattern subtracted."""

import numpy as np

from mar.kernels.jit import parallel_jit, rows_in_parallel


@parallel_jit
def block_means(
    data: np.ndarray,
    mask: np.ndarray,
    pattern: np.ndarray,
    pattern_mask: np.ndarray,
    bits: int,
    size: tuple[int, int],
    chosen: np.ndarray,
    out: np.ndarray,
) -> None:
    """Mean sky and mean pattern of the blocks of the `chosen` rows of blocks into `out` (chosen, blocks, 2).

    `data` and `pattern` (ny, nx) float32; masks uint8, (0, 0) where there is none. Pixels with any of `bits`
    in either mask, or not finite in either image, are left out; a block of `size` (rows, columns) of which
    less than half is left gets NaN.
    """
    height, width = size
    for n in rows_in_parallel(chosen.size):
        for i in range(out.shape[1]):
            sky, fringe, count = 0.0, 0.0, 0
            for y in range(chosen[n] * height, (chosen[n] + 1) * height):
                for x in range(i * width, (i + 1) * width):
                    if mask.size and mask[y, x] & bits:
                        continue
                    if pattern_mask.size and pattern_mask[y, x] & bits:
                        continue
                    if np.isfinite(data[y, x]) and np.isfinite(pattern[y, x]):
                        sky += data[y, x]
                        fringe += pattern[y, x]
                        count += 1
            enough = 2 * count >= height * width
            out[n, i, 0] = sky / count if enough else np.nan
            out[n, i, 1] = fringe / count if enough else np.nan


@parallel_jit
def subtract_pattern(data: np.ndarray, pattern: np.ndarray, amplitude: np.float32, out: np.ndarray) -> None:
    """data - amplitude x pattern into `out`, (ny, nx) float32; plain data where the pattern is not finite."""
    for y in rows_in_parallel(data.shape[0]):
        for x in range(data.shape[1]):
            fringe = pattern[y, x] * amplitude
            out[y, x] = data[y, x] - fringe if abs(fringe) < np.inf else data[y, x]
