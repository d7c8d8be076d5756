"""Which of the pixels just found belong to tracks worth keeping."""

import numpy as np

from mar.kernels.jit import jit

_WAITING, _KEPT = 1, 2


@jit
def _touches(pixels: np.ndarray, y: int, x: int) -> bool:
    ny, nx = pixels.shape
    for v in range(max(0, y - 1), min(ny, y + 2)):
        for u in range(max(0, x - 1), min(nx, x + 2)):
            if pixels[v, u]:
                return True
    return False


@jit
def _spread(new: np.ndarray, y: int, x: int) -> None:
    """Keep all waiting pixels that are joined to this one, corners included."""
    ny, nx = new.shape
    open_ends = [(y, x)]
    new[y, x] = _KEPT
    while len(open_ends) > 0:
        y, x = open_ends.pop()
        for v in range(max(0, y - 1), min(ny, y + 2)):
            for u in range(max(0, x - 1), min(nx, x + 2)):
                if new[v, u] == _WAITING:
                    new[v, u] = _KEPT
                    open_ends.append((v, u))


@jit
def keep_tracks(new: np.ndarray, known: np.ndarray, ys: np.ndarray, xs: np.ndarray, sure: np.ndarray) -> None:
    """Clear from `new` the tracks without a sure pixel that touch no known pixel either.

    `new` and `known` (ny, nx) uint8, 0 or 1; (ys, xs) are all pixels of `new`, and `sure` (n,) says which of
    them decide for their track.
    """
    for n in range(ys.size):
        y, x = ys[n], xs[n]
        if new[y, x] == _WAITING and (sure[n] or _touches(known, y, x)):
            _spread(new, y, x)
    for n in range(ys.size):
        new[ys[n], xs[n]] = 1 if new[ys[n], xs[n]] == _KEPT else 0
