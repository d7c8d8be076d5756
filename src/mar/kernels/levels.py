"""From counts to light: levels of strips, taken off an amplifier, and the masters. Twins: tests.naive."""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.networks import sort_rows

_BLOCK = 512  # positions at work: those of all columns stay in the processor's cache


@jit
def middle_of_columns(
    strip: np.ndarray, network: np.ndarray, below: int, above: int, out: np.ndarray
) -> None:
    """out[x] = mean of the places `below` and `above` of the ascending order of strip[:, x].

    `strip` (columns, positions) float32 without NaN, `network` (pairs, 2) sorts that many columns.
    """
    ordered = np.empty((strip.shape[0], _BLOCK), dtype=np.float32)
    for start in range(0, strip.shape[1], _BLOCK):
        width = min(_BLOCK, strip.shape[1] - start)
        ordered[:, :width] = strip[:, start : start + width]
        sort_rows(ordered, width, network)
        for x in range(width):
            out[start + x] = np.float32(0.5) * (ordered[below, x] + ordered[above, x])


@jit
def _row(
    source: np.ndarray, level: np.float32, along_x: np.ndarray, factor: np.float32, out: np.ndarray
) -> None:
    for x in range(out.size):
        out[x] = (np.float32(source[x]) - level - along_x[x]) * factor


@jit
def subtract_level(
    rows: np.ndarray,
    x0: int,
    along_y: np.ndarray,
    along_x: np.ndarray,
    factor: np.float32,
    out: np.ndarray,
    to_y: int,
    to_x: int,
) -> None:
    """out[to_y + y, to_x + x] = (rows[y, x0 + x] - along_y[y] - along_x[x]) factor, float32."""
    nx = along_x.size
    for y in range(along_y.size):
        _row(rows[y, x0 : x0 + nx], along_y[y], along_x, factor, out[to_y + y, to_x : to_x + nx])


@jit
def _correct(row: np.ndarray, bias: np.ndarray, flat: np.ndarray, bad: np.uint8, mask: np.ndarray) -> None:
    for x in range(row.size):
        response = flat[x]
        good = (response > 0) & (response < np.inf)
        row[x] = (row[x] - bias[x]) / (response if good else np.float32(1))
        mask[x] |= np.uint8(0) if good else bad


@jit
def apply_masters(
    rows: np.ndarray, bias: np.ndarray, flat: np.ndarray, bad: np.uint8, mask: np.ndarray
) -> None:
    """rows = (rows - bias) / flat in place, float32; where the flat is no number above zero, mask |= bad."""
    for y in range(rows.shape[0]):
        _correct(rows[y], bias[y], flat[y], bad, mask[y])
