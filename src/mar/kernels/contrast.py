"""How sharp single pixels are against the finest structure that a star can have (van Dokkum 2001)."""

import numpy as np

from mar.kernels.jit import jit


@jit
def _at(image: np.ndarray, y: int, x: int) -> float:
    """The pixel, or the nearest one of the border where it lies outside."""
    return image[min(max(y, 0), image.shape[0] - 1), min(max(x, 0), image.shape[1] - 1)]


@jit
def _laplacian(image: np.ndarray, y: int, x: int) -> float:
    """The positive Laplacian of the image subsampled by two, averaged over the pixel."""
    twice = 2 * _at(image, y, x)
    up, down = _at(image, y - 1, x), _at(image, y + 1, x)
    left, right = _at(image, y, x - 1), _at(image, y, x + 1)
    corners = max(twice - up - left, 0.0) + max(twice - up - right, 0.0)
    corners += max(twice - down - left, 0.0) + max(twice - down - right, 0.0)
    return 0.25 * corners


@jit
def _fine_structure(image: np.ndarray, y: int, x: int) -> float:
    """Median of 3 x 3 minus the median of 7 x 7 such medians."""
    medians = np.empty(49, dtype=np.float64)
    box = np.empty(9, dtype=np.float64)
    for n in range(49):
        for v in range(9):
            box[v] = _at(image, y + n // 7 - 4 + v // 3, x + n % 7 - 4 + v % 3)
        medians[n] = np.median(box)
    return medians[24] - np.median(medians)


@jit
def laplacian_contrast(image: np.ndarray, ys: np.ndarray, xs: np.ndarray, floor: float) -> np.ndarray:
    """Laplacian over twice the fine structure, (n,) float64, of the pixels (ys, xs) of `image` (ny, nx).

    The fine structure is never taken below `floor` (units of the image). Stars give small numbers, cosmic
    rays large ones.
    """
    contrast = np.empty(ys.size, dtype=np.float64)
    for n in range(ys.size):
        fine = max(_fine_structure(image, ys[n], xs[n]), floor)
        contrast[n] = 0.5 * _laplacian(image, ys[n], xs[n]) / fine
    return contrast
