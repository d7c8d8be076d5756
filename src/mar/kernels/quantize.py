"""Rows of floats as integers and back, with subtractive dithering. Twin: tests.naive_files.

Source: White, Greenfield and Pence 2009; Pence, White and Seaman 2010; FITS standard 4.0, section 10.2 and
appendix I (the random numbers). Method 2 keeps zeros.
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.selection import select

BLANK = -2147483647  #: stands for NaN
ZERO = -2147483646  #: stands for exactly 0
LOWEST = -2147483637  #: the first integer that stands for a value
RANDOMS = 10_000
MOST_SAMPLES = 1024  #: of a row, on which its noise is measured
LEAST_SAMPLES = 64

_LARGEST_RANGE = 4294967200.0  # steps between LOWEST and the largest integer
_INFINITE = np.int32(0x7F800000)
# half of |2 b - a - c| of three values without correlation lies below 1 / 0.6052697 of their noise
_NOISE_OF_MEDIAN = 0.6052697
# so small a step, as a part of a constant, that it comes back exactly from float32
_EXACT = 2.0**-27


def random_numbers() -> np.ndarray:
    """The 10,000 numbers (float32) between 0 and 1 that the standard names."""
    numbers, seed = [], 1
    for _ in range(RANDOMS):
        seed = (16807 * seed) % 2147483647
        numbers.append(seed / 2147483647)
    return np.array(numbers, np.float32)


@jit
def _ordered(bits: np.int32) -> np.int32:
    """An integer that orders as the float32 of these bits does."""
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@jit
def _limits(row: np.ndarray, spare: np.ndarray) -> tuple[float, float, bool]:
    """Least and largest value of a row but for zeros and NaN, and whether a NaN is there.

    `spare` is a float32 array whose begin may be written to.
    """
    bits, keys = row.view(np.int32), spare.view(np.int32)
    least, most = np.int32(2147483647), np.int32(-2147483648)
    for x in range(bits.size):
        here = bits[x]
        key = _ordered(here)
        zero = np.int32(here & np.int32(0x7FFFFFFF)) == 0
        least = min(least, np.int32(2147483647) if zero else key)
        most = max(most, np.int32(-2147483648) if zero else key)
    if most <= _INFINITE and least >= _ordered(np.int32(-8388608)):
        if most < least:
            return 0.0, 0.0, False
        keys[0], keys[1] = _ordered(least), _ordered(most)
        return np.float64(spare[0]), np.float64(spare[1]), False
    low, high = np.inf, -np.inf
    for x in range(row.size):
        if row[x] == row[x] and row[x] != 0:
            low, high = min(low, np.float64(row[x])), max(high, np.float64(row[x]))
    return (low, high, True) if high >= low else (0.0, 0.0, True)


@jit
def _noise(row: np.ndarray, lag: int, step: int, samples: np.ndarray) -> float:
    """Noise of a row from every `step`-th pixel against those `lag` left and right; -1 from too few."""
    n = 0
    for x in range(lag, row.size - lag, step):
        a, b, c = row[x - lag], row[x], row[x + lag]
        if a != 0 and b != 0 and c != 0:
            off = abs(2 * b - a - c)
            if off == off and n < samples.size:
                samples[n] = off
                n += 1
    if n < LEAST_SAMPLES:
        return -1.0
    return _NOISE_OF_MEDIAN * select(samples, n, n // 2)


@jit
def _step(row: np.ndarray, low: float, high: float, level: float, samples: np.ndarray) -> float:
    """Size of one step for a row, 0 where it must be kept as it is.

    The noise is the smaller one of that against the next neighbours, which stars spoil least, and that
    against the ones behind them, so that columns of two kinds do not pass for noise.
    """
    if low == high:
        return abs(low) * _EXACT if low != 0 else 1.0
    step = np.inf
    for lag in range(1, 3):
        noise = _noise(row, lag, max(1, row.size // MOST_SAMPLES), samples)
        if noise < 0:
            noise = _noise(row, lag, 1, samples)
        step = min(step, noise / level)
    if not step > 0 or not high - low < step * _LARGEST_RANGE:
        return 0.0
    return step


@jit
def quantise(
    rows: np.ndarray,
    first: int,
    level: float,
    randoms: np.ndarray,
    integers: np.ndarray,
    scales: np.ndarray,
    zeros: np.ndarray,
) -> None:
    """Rows (n, nx) float32 as int32: value = integer * scale + zero, the scale 1/level of the row's noise.

    `first` is the number of the first row, which decides the dither; zeros become ZERO and NaN BLANK. Where a
    row cannot be quantised, as it has no noise, infinities or too large a range, its scale is 0.
    """
    n, nx = rows.shape
    samples = np.empty(2 * MOST_SAMPLES, np.float32)
    for y in range(n):
        row, out = rows[y], integers[y]
        low, high, blanks = _limits(row, samples)
        scale = _step(row, low, high, level, samples)
        scales[y], zeros[y] = scale, 0.0
        if scale == 0:
            continue
        zero = low - scale * LOWEST
        zeros[y] = zero
        steps = 1.0 / scale
        seed, x0 = (first + y) % RANDOMS, 0
        while x0 < nx:
            start = int(randoms[seed] * 500.0)
            x1 = min(nx, x0 + RANDOMS - start)
            dither, values, to = randoms[start : start + x1 - x0], row[x0:x1], out[x0:x1]
            for k in range(values.size):
                value = values[k]
                exact = (np.float64(value) - zero) * steps + np.float64(dither[k]) - 0.5
                nearest = np.int32(exact + (0.5 if exact >= 0 else -0.5))
                to[k] = np.int32(ZERO) if value == 0 else nearest
            seed, x0 = (seed + 1) % RANDOMS, x1
        if blanks:
            for x in range(nx):
                if row[x] != row[x]:
                    out[x] = BLANK


@jit
def restore(
    integers: np.ndarray,
    seed: int,
    method: int,
    blank: int,
    scale: float,
    zero: float,
    randoms: np.ndarray,
    row: np.ndarray,
) -> None:
    """The float32 values (nx,) of a row of integers; `blank` becomes NaN.

    `seed` is the place of the row's first random number, `method` that of the dithering: 0 for none, 1 or 2.
    """
    nx, x0 = integers.size, 0
    zeros = ZERO if method == 2 else blank
    seed %= RANDOMS
    while x0 < nx:
        start = int(randoms[seed] * 500.0)
        x1 = min(nx, x0 + RANDOMS - start)
        dither, values, to = randoms[start : start + x1 - x0], integers[x0:x1], row[x0:x1]
        for k in range(values.size):
            value = values[k]
            shift = 0.5 - np.float64(dither[k]) if method else 0.0
            number = np.float32((np.float64(value) + shift) * scale + zero)
            number = np.float32(0) if value == zeros else number
            to[k] = np.float32(np.nan) if value == blank else number
        seed, x0 = (seed + 1) % RANDOMS, x1


@jit
def counts(integers: np.ndarray, mask: int, flip: int, row: np.ndarray) -> None:
    """The numbers without sign that integers stand for: their low bits, the highest turned round."""
    for x in range(integers.size):
        row[x] = (integers[x] & mask) ^ flip
