"""Cleaning a strip of overscan pixels: columns that misbehave, and single pixels that were hit."""

from typing import NamedTuple

import numpy as np

from mar.kernels.levels import middle_of_columns
from mar.kernels.networks import network_of
from mar.kernels.strips_of_counts import forget_far, levels_near, middle_value, quantiles_of_rows

BAD_COLUMN_SIGMA = 6.0
NOISY_COLUMN = 3.0  # times the usual noise
BAD_PIXEL_SIGMA = 5.0
LOWER, MIDDLE, UPPER = 0.15865, 0.5, 0.84135  # of the values within one sigma below, at, and above the middle
SMOOTHED = 31  # positions that make the level of a strip too narrow for a median across


class Cleaned(NamedTuple):
    """A strip without its defects, and how many there were."""

    values: np.ndarray  #: (columns, positions) float32 ADU; NaN where a pixel was hit
    bad_columns: int
    bad_pixels: int


class _Columns(NamedTuple):
    """Middle and noise of each column, in ADU."""

    middle: np.ndarray
    noise: np.ndarray


def clean_strip(
    strip: np.ndarray, known: np.ndarray, *, fix_columns: bool, method: str, fix_pixels: bool
) -> Cleaned:
    """A strip (columns, positions) less a known level (columns,), bad columns replaced and hit pixels NaN.

    `method` says what replaces a bad column at each position: the `median` or the `mean` of the good columns
    there, or `linear` interpolation between its good neighbours. The input is left as it is.
    """
    values = np.array(strip, dtype=np.float32, order="C")
    if known.any():
        values -= known[:, None]
    # relative to the middle of each position, so that a drift along the strip drops out
    off = values - (_middle(values) if len(values) >= 3 else _smooth(values))
    columns = _columns(off)
    bad_pixels = bad_columns = 0
    if fix_pixels:
        limit = BAD_PIXEL_SIGMA * max(float(_quantiles(columns.noise[None], MIDDLE)[0, 0]), 1.0)
        bad_pixels = forget_far(values, off, columns.middle, np.float32(limit))
    if fix_columns and len(values) >= 3:
        bad = _misbehaving(off, columns)
        bad_columns = int(bad.sum())
        if 0 < bad_columns < len(bad):
            _replace(values, bad, method)
    return Cleaned(values, bad_columns, bad_pixels)


def _middle(values: np.ndarray) -> np.ndarray:
    """The median of each position over the columns, float32; NaN take no part."""
    if not np.isfinite(values).all():
        return _quantiles(values.T, MIDDLE)[0]
    n = len(values)
    middle = np.empty(values.shape[1], dtype=np.float32)
    middle_of_columns(values, network_of(n), (n - 1) // 2, n // 2, middle)
    return middle


def _smooth(values: np.ndarray) -> np.ndarray:
    """The level along a strip of one or two columns: medians over 31 positions, linear in between."""
    level, at = values.mean(axis=0), np.arange(values.shape[1])
    edges = range(0, len(level), SMOOTHED)
    middle = [np.median(level[edge : edge + SMOOTHED]) for edge in edges]
    centre = [np.mean(at[edge : edge + SMOOTHED]) for edge in edges]
    return np.interp(at, centre, middle).astype(np.float32)


def _quantiles(values: np.ndarray, *fractions: float) -> np.ndarray:
    """Quantiles (fractions, rows) of the numbers of each row; NaN where there is none."""
    found = np.empty((len(fractions), len(values)), dtype=np.float32)
    quantiles_of_rows(np.ascontiguousarray(values), np.array(fractions), found)
    return found


def _columns(off: np.ndarray) -> _Columns:
    """Noise from the central 68 % of the values: outliers have no weight."""
    lower, middle, upper = _quantiles(off, LOWER, MIDDLE, UPPER)
    return _Columns(middle, (upper - lower) / 2)


def _misbehaving(off: np.ndarray, columns: _Columns) -> np.ndarray:
    """Boolean (columns,): those with another level or far more noise than the rest.

    A level counts as another one beyond 6 sigma of what the pixels' noise lets expect of a column's mean,
    and of how the columns differ among themselves. Needs three columns or more.
    """
    middle, noise = columns
    level = np.empty(len(middle))
    levels_near(off, middle, 4 * np.maximum(noise, np.float32(0.5)), level)
    usual = middle_value(noise)
    expected = usual / np.sqrt(off.shape[1])
    beside = np.abs(level - middle_value(level))
    scatter = 1.4826 * middle_value(beside)
    other = beside > BAD_COLUMN_SIGMA * max(expected, scatter)
    return other | (noise > NOISY_COLUMN * max(usual, 0.5))


def _replace(values: np.ndarray, bad: np.ndarray, method: str) -> None:
    good = np.flatnonzero(~bad)
    if method == "linear":
        for y in range(values.shape[1]):
            values[bad, y] = np.interp(np.flatnonzero(bad), good, values[good, y])
    elif method == "median":
        values[bad] = _quantiles(values[good].T, MIDDLE)[0]
    else:
        known = np.isfinite(values[good])
        total = np.where(known, values[good], 0).sum(axis=0, dtype=np.float64)
        with np.errstate(invalid="ignore"):  # a position without a good pixel stays NaN
            values[bad] = total / known.sum(axis=0)
