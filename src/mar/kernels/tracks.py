"""Which of the pixels just found belong to a cosmic ray."""

import numpy as np

from mar.kernels.jit import jit

_KEPT = 2


@jit
def keep_near(new: np.ndarray, ys: np.ndarray, xs: np.ndarray, sure: np.ndarray) -> None:
    """Clear from `new` (ny, nx) uint8, 0 or 1, the pixels that touch no sure one, corners included.

    (ys, xs) are all pixels of `new`, and `sure` (n,) says which of them can be nothing but a cosmic ray. So a
    track that runs into a star ends there.
    """
    ny, nx = new.shape
    for n in range(ys.size):
        if sure[n]:
            for v in range(max(0, ys[n] - 1), min(ny, ys[n] + 2)):
                for u in range(max(0, xs[n] - 1), min(nx, xs[n] + 2)):
                    new[v, u] = _KEPT if new[v, u] else 0
    for n in range(ys.size):
        new[ys[n], xs[n]] = 1 if new[ys[n], xs[n]] == _KEPT else 0
