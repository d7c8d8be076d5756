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
def subtract_levels(
    rows: np.ndarray,
    begin: np.ndarray,
    to: np.ndarray,
    along_y: np.ndarray,
    along_x: np.ndarray,
    factors: np.ndarray,
    out: np.ndarray,
) -> None:
    """Take their levels off the amplifiers that lie side by side in some rows, float32.

    Amplifier a is rows[:, begin[a, 0] : begin[a, 1]] and goes to out[:, to[a] :]; its levels are along_y[a]
    (rows) and along_x[begin[a, 2] :]: out = (rows - along_y - along_x) factors[a].
    """
    for y in range(rows.shape[0]):
        for a in range(to.size):
            first, last, level = begin[a]
            wide = last - first
            across = along_x[level : level + wide]
            _row(rows[y, first:last], along_y[a, y], across, factors[a], out[y, to[a] : to[a] + wide])


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
