"""Straight lines in an image: binning, and the votes of points for lines (Duda & Hart 1972)."""

import numpy as np

from mar.kernels.jit import jit


@jit
def bin_mean(data: np.ndarray, mask: np.ndarray, bits: int, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of the good pixels in squares of `factor` pixels, and how many there are.

    `data` (ny, nx), `mask` uint8 of that shape; pixels with any of `bits`, and those that are not finite, are
    left out. Gives (ceil(ny / factor), ceil(nx / factor)) float32 and int32; the mean of nothing is 0.
    """
    ny, nx = data.shape
    shape = ((ny + factor - 1) // factor, (nx + factor - 1) // factor)
    mean = np.zeros(shape, dtype=np.float32)
    count = np.zeros(shape, dtype=np.int32)
    sums = np.zeros(shape[1], dtype=np.float64)
    for j in range(shape[0]):
        sums[:] = 0
        for y in range(j * factor, min(ny, (j + 1) * factor)):
            for x in range(nx):
                if (mask[y, x] & bits) == 0 and np.isfinite(data[y, x]):
                    sums[x // factor] += data[y, x]
                    count[j, x // factor] += 1
        for i in range(shape[1]):
            if count[j, i] > 0:
                mean[j, i] = sums[i] / count[j, i]
    return mean, count


@jit
def count_votes(ys: np.ndarray, xs: np.ndarray, angles: np.ndarray, half: int) -> np.ndarray:
    """Votes (angles, 2 * half + 1) int32 of the points (ys, xs), measured from the image's centre.

    A point votes, at each angle (radians) of the normal, for the line x cos + y sin = distance; column `half`
    is the line through the centre, and each column is one pixel wide. `half` must reach the farthest point.
    """
    votes = np.zeros((angles.size, 2 * half + 1), dtype=np.int32)
    for a in range(angles.size):
        cosine, sine = np.cos(angles[a]), np.sin(angles[a])
        row = votes[a]
        for n in range(ys.size):
            row[int(np.floor(xs[n] * cosine + ys[n] * sine + 0.5)) + half] += 1
    return votes
