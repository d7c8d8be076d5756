"""How sharp single pixels are against the finest structure that a star can have (van Dokkum 2001)."""

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel

_REACH = 4  # medians of 3 within 3 pixels


@jit
def _cut_out(image: np.ndarray, sky: np.ndarray, y: int, x: int, around: np.ndarray) -> None:
    """The pixels about (y, x) without their sky; beyond a border those next to it."""
    ny, nx = image.shape
    for j in range(around.shape[0]):
        v = min(max(y + j - _REACH, 0), ny - 1)
        for i in range(around.shape[1]):
            u = min(max(x + i - _REACH, 0), nx - 1)
            around[j, i] = image[v, u] - sky[v, u]


@jit
def _laplacian(around: np.ndarray) -> float:
    """The positive Laplacian of the image subsampled by two, averaged over the middle pixel."""
    twice = 2 * around[_REACH, _REACH]
    up, down = around[_REACH - 1, _REACH], around[_REACH + 1, _REACH]
    left, right = around[_REACH, _REACH - 1], around[_REACH, _REACH + 1]
    corners = max(twice - up - left, 0.0) + max(twice - up - right, 0.0)
    corners += max(twice - down - left, 0.0) + max(twice - down - right, 0.0)
    return 0.25 * corners


@jit
def _sort_three(a: float, b: float, c: float) -> tuple[float, float, float]:
    a, b = min(a, b), max(a, b)
    b, c = min(b, c), max(b, c)
    return min(a, b), max(a, b), c


@jit
def _median_of_nine(box: np.ndarray) -> float:
    """The middle of the greatest of the rows' least, the median of medians, and the least of the greatest."""
    a, b, c = _sort_three(box[0, 0], box[0, 1], box[0, 2])
    d, e, f = _sort_three(box[1, 0], box[1, 1], box[1, 2])
    g, h, i = _sort_three(box[2, 0], box[2, 1], box[2, 2])
    _, middle, _ = _sort_three(b, e, h)
    return _sort_three(max(a, d, g), middle, min(c, f, i))[1]


@jit
def _fine_structure(around: np.ndarray) -> float:
    """Median of 3 x 3 minus the median of 7 x 7 such medians."""
    medians = np.empty(49, dtype=np.float64)
    for n in range(49):
        j, i = n // 7, n % 7
        medians[n] = _median_of_nine(around[j : j + 3, i : i + 3])
    return medians[24] - np.median(medians)


@parallel_jit
def laplacian_contrast(
    image: np.ndarray, sky: np.ndarray, ys: np.ndarray, xs: np.ndarray, floor: float
) -> np.ndarray:
    """Laplacian over twice the fine structure, (n,) float64, of pixels (ys, xs) of an image less its sky.

    `image` and `sky` are (ny, nx); the fine structure is never taken below `floor` (units of the image).
    Stars give small numbers, cosmic rays large ones.
    """
    contrast = np.empty(ys.size, dtype=np.float64)
    for n in rows_in_parallel(ys.size):
        around = np.empty((2 * _REACH + 1, 2 * _REACH + 1), dtype=np.float64)
        _cut_out(image, sky, ys[n], xs[n], around)
        contrast[n] = 0.5 * _laplacian(around) / max(_fine_structure(around), floor)
    return contrast
