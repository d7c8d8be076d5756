"""Cleaning a strip of overscan pixels: columns that misbehave, and single pixels that were hit."""

import numpy as np

BAD_COLUMN_SIGMA = 6.0
NOISY_COLUMN = 3.0  # times the usual noise
BAD_PIXEL_SIGMA = 5.0


def clean_strip(strip: np.ndarray, *, fix_columns: bool, method: str, fix_pixels: bool) -> np.ndarray:
    """A strip (positions, across) as float64 with its bad columns replaced and its hit pixels NaN.

    `method` says what replaces a bad column at each position: the `median` or the `mean` of the good columns
    there, or `linear` interpolation between its good neighbours. The input is left as it is.
    """
    strip = strip.astype(np.float64)
    if fix_pixels:
        strip[bad_pixels(strip)] = np.nan
    if fix_columns:
        bad = bad_columns(strip)
        if bad.any() and not bad.all():
            _replace(strip, bad, method)
    return strip


LOWER, MIDDLE, UPPER = 0.15865, 0.5, 0.84135  # of the values within one sigma below, at, and above the middle


def _quantile(values: np.ndarray, fraction: float, axis: int) -> np.ndarray:
    """Quantile of the numbers along an axis, which stays; NaN where there is none."""
    return _quantiles(values, (fraction,), axis)[0]


def _quantiles(values: np.ndarray, fractions: tuple[float, ...], axis: int) -> list[np.ndarray]:
    """Several of them: sorting is what takes the time."""
    ordered = np.sort(values, axis=axis)  # NaN go to the end
    last = np.maximum(np.isfinite(values).sum(axis=axis, keepdims=True) - 1, 0)
    found = []
    for fraction in fractions:
        below = np.take_along_axis(ordered, np.floor(fraction * last).astype(int), axis=axis)
        above = np.take_along_axis(ordered, np.ceil(fraction * last).astype(int), axis=axis)
        found.append((below + above) / 2)
    return found


def _deviation(strip: np.ndarray) -> np.ndarray:
    """How far each pixel is from the middle of its position, so that a drift along the strip drops out."""
    return strip - _quantile(strip, 0.5, axis=1)


def _noise(values: np.ndarray, axis: int) -> np.ndarray:
    """Standard deviation from the central 68 % of the values: outliers have no weight."""
    lower, upper = _quantiles(values, (LOWER, UPPER), axis)
    return (upper - lower) / 2


def bad_pixels(strip: np.ndarray) -> np.ndarray:
    """Boolean: pixels more than 5 sigma from their column's middle, once the drift is taken off."""
    if strip.shape[1] < 3:
        return _far(strip - _smooth(strip))
    return _far(_deviation(strip))


def _smooth(strip: np.ndarray) -> np.ndarray:
    """The level along a strip too narrow for a median across: medians over 31 positions."""
    level = strip.mean(axis=1)
    edges = np.arange(0, len(level), 31)
    middle = [np.median(level[edge : edge + 31]) for edge in edges]
    centre = [np.mean(np.arange(len(level))[edge : edge + 31]) for edge in edges]
    return np.interp(np.arange(len(level)), centre, middle)[:, None]


def _far(deviation: np.ndarray) -> np.ndarray:
    off = deviation - _quantile(deviation, 0.5, axis=0)
    noise = _noise(off.reshape(-1, 1), axis=0)
    return np.abs(off) > BAD_PIXEL_SIGMA * np.maximum(noise, 1.0)


def bad_columns(strip: np.ndarray) -> np.ndarray:
    """Boolean (across,): columns with another level or far more noise than the rest.

    A level counts as another one beyond 6 sigma of what the pixels' noise lets expect of a column's mean,
    and of how the columns differ among themselves. Needs three columns or more.
    """
    if strip.shape[1] < 3:
        return np.zeros(strip.shape[1], dtype=bool)
    deviation = _deviation(strip)
    lower, middle, upper = _quantiles(deviation, (LOWER, MIDDLE, UPPER), axis=0)
    noise = (upper - lower) / 2
    near = np.abs(deviation - middle) <= 4 * np.maximum(noise, 0.5)
    level = np.where(near, deviation, 0.0).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    usual = float(np.median(noise))
    expected = usual / np.sqrt(len(strip))
    scatter = 1.4826 * float(np.median(np.abs(level - np.median(level))))
    other = np.abs(level - np.median(level)) > BAD_COLUMN_SIGMA * max(expected, scatter)
    return other | (noise[0] > NOISY_COLUMN * max(usual, 0.5))


def _replace(strip: np.ndarray, bad: np.ndarray, method: str) -> None:
    good = np.flatnonzero(~bad)
    if method == "linear":
        for y in range(len(strip)):
            strip[y, bad] = np.interp(np.flatnonzero(bad), good, strip[y, good])
    elif method == "median":
        strip[:, bad] = _quantile(strip[:, good], 0.5, axis=1)
    else:
        known = np.isfinite(strip[:, good])
        total = np.where(known, strip[:, good], 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):  # a position without a good pixel stays NaN
            strip[:, bad] = (total / known.sum(axis=1))[:, None]
