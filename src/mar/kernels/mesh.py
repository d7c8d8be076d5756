"""Level and noise of the sky in the cells of a mesh, as SExtractor finds them."""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel


@jit
def _clipped_level(ordered: np.ndarray, clip_sigma: float) -> tuple[float, float]:
    """Mode and standard deviation of sorted values after clipping about the median until nothing changes."""
    first, last = 0, ordered.size
    while True:
        part = ordered[first:last]
        median = 0.5 * (part[(part.size - 1) // 2] + part[part.size // 2])
        mean = part.mean()
        sigma = part.std()
        low = first + np.searchsorted(part, median - clip_sigma * sigma)
        high = first + np.searchsorted(part, median + clip_sigma * sigma, side="right")
        if (low == first and high == last) or high - low < 3:
            break
        first, last = low, high
    # Da Costa's estimate of the mode; in a crowded cell the median is the safer one
    if sigma == 0 or abs(mean - median) < 0.3 * sigma:
        return 2.5 * median - 1.5 * mean, sigma
    return median, sigma


@parallel_jit
def mesh_row(
    rows: np.ndarray,
    excluded: np.ndarray,
    cell_edges: np.ndarray,
    stride: int,
    clip_sigma: float,
    level: np.ndarray,
    rms: np.ndarray,
) -> None:
    """Level and rms (cells,) of the cells of a mesh row; NaN where under a quarter of the pixels are usable.

    `rows` (n, nx) holds all rows of the cells, `cell_edges` (cells + 1,) the columns between which they lie;
    pixels where `excluded` is not 0 and NaNs are left out. Every `stride`-th pixel of every `stride`-th row
    is looked at.
    """
    for cell in rows_in_parallel(level.size):
        start, stop = cell_edges[cell], cell_edges[cell + 1]
        looked_at = 0
        good = 0
        sample = np.empty((rows.shape[0] // stride + 1) * ((stop - start) // stride + 1))
        for y in range(0, rows.shape[0], stride):
            for x in range(start, stop, stride):
                looked_at += 1
                if excluded[y, x] == 0 and np.isfinite(rows[y, x]):
                    sample[good] = rows[y, x]
                    good += 1
        level[cell] = np.nan
        rms[cell] = np.nan
        if good >= 3 and 4 * good >= looked_at:
            sample[:good].sort()
            level[cell], rms[cell] = _clipped_level(sample[:good], clip_sigma)
