"""Square pieces of an image around stars."""

import numpy as np
from astropy.table import Table

from mar.masks import UNUSABLE


def star_stamps(
    data: np.ndarray, mask: np.ndarray | None, stars: Table, half: int, clear_px: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stamps (m, size, size) float64 around stars that lie well inside, their good pixels, and which stars.

    The middle pixel is the one nearest to X_IMAGE, Y_IMAGE, size 2 `half` + 1. Stars with an unusable pixel
    within `clear_px` of it are left out.
    """
    columns = np.rint(np.asarray(stars["X_IMAGE"], dtype=float)).astype(int) - 1
    rows = np.rint(np.asarray(stars["Y_IMAGE"], dtype=float)).astype(int) - 1
    ny, nx = data.shape
    used = (columns >= half) & (columns < nx - half) & (rows >= half) & (rows < ny - half)
    yy, xx = np.mgrid[-half : half + 1, -half : half + 1]
    core = np.hypot(xx, yy) < clear_px
    stamps, goods = [], []
    for index in np.flatnonzero(used):
        part = (
            slice(rows[index] - half, rows[index] + half + 1),
            slice(columns[index] - half, columns[index] + half + 1),
        )
        stamp = np.asarray(data[part], dtype=np.float64)
        good = np.isfinite(stamp)
        if mask is not None:
            good &= (mask[part] & np.uint8(UNUSABLE)) == 0
        used[index] = bool(good[core].all())
        if used[index]:
            stamps.append(stamp)
            goods.append(good)
    size = 2 * half + 1
    return np.reshape(stamps, (-1, size, size)), np.reshape(goods, (-1, size, size)).astype(bool), used
