"""Pixels that lack no value and lose none: combined a block at a time, without looking at one by one.

Whether a pixel loses a value is seen from its lowest and its highest one. The test is a little stricter than
the rejection itself: what it doubts is flagged, and looked at by itself (kernels/stack_clip.py).
"""

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.stack_rules import (
    BASE,
    CURVE,
    LEAST,
    MEAN,
    MEDIAN,
    MINMAX,
    NONE,
    OFFSET,
    PCLIP,
    SHIFT,
    SIGCLIP,
    SLOPE,
    Places,
    Rejection,
)

ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
STRICTER = 0.999  # float32 suffices for the test
TOO_LARGE = np.float32(1e36)  # squares of the deviations near the end of float32 are left to the exact way


@jit
def _middle(lower: np.ndarray, upper: np.ndarray, centre: np.ndarray) -> None:
    for x in range(centre.size):
        centre[x] = HALF * (lower[x] + upper[x])


@jit
def _add(values: np.ndarray, total: np.ndarray) -> None:
    for x in range(total.size):
        total[x] += values[x]


@jit
def _divide(total: np.ndarray, n: int, out: np.ndarray) -> None:
    for x in range(total.size):
        out[x] = total[x] / n


@jit
def _mean(rows: np.ndarray, total: np.ndarray, mean: np.ndarray) -> None:
    total[:] = 0.0
    for i in range(rows.shape[0]):
        _add(rows[i, : total.size], total)
    _divide(total, rows.shape[0], mean)


@jit
def _trimmed(
    rows: np.ndarray, lowest: np.ndarray, highest: np.ndarray, total: np.ndarray, mean: np.ndarray
) -> None:
    """The mean without the lowest and the highest value."""
    total[:] = 0.0
    for i in range(rows.shape[0]):
        _add(rows[i, : total.size], total)
    for x in range(total.size):
        total[x] -= np.float64(lowest[x]) + np.float64(highest[x])
    _divide(total, rows.shape[0] - 2, mean)


@jit
def _add_squares(values: np.ndarray, centre: np.ndarray, total: np.ndarray) -> None:
    for x in range(total.size):
        off = values[x] - centre[x]
        total[x] += off * off


@jit
def _squares(rows: np.ndarray, centre: np.ndarray, total: np.ndarray) -> None:
    total[:] = ZERO
    for i in range(rows.shape[0]):
        _add_squares(rows[i, : total.size], centre, total)


@jit
def _variance(
    centre: np.ndarray,
    shift: np.float32,
    slope: np.float32,
    least: np.float32,
    offset: np.float32,
    curve: np.float32,
    base: np.float32,
    variance: np.ndarray,
) -> None:
    for x in range(variance.size):
        signal = slope * (centre[x] + shift)
        signal = signal if signal > least else least
        variance[x] = base * (offset + signal + curve * signal * signal)


@jit
def _expect(noise: np.ndarray, factor: float, centre: np.ndarray, variance: np.ndarray) -> None:
    """The variance of one frame by its noise model, times a factor."""
    m = noise.astype(np.float32)
    base = np.float32(factor) * m[BASE]
    _variance(centre, m[SHIFT], m[SLOPE], m[LEAST], m[OFFSET], m[CURVE], base, variance)


@jit
def _add_ratio(values: np.ndarray, centre: np.ndarray, variance: np.ndarray, total: np.ndarray) -> None:
    for x in range(total.size):
        off = values[x] - centre[x]
        total[x] += off * off / variance[x]


@jit
def _weighted_squares(
    rows: np.ndarray, centre: np.ndarray, noise: np.ndarray, variance: np.ndarray, total: np.ndarray
) -> None:
    """Squared deviations summed over the frames, each in units of its variance."""
    total[:] = ZERO
    for i in range(rows.shape[0]):
        _expect(noise[i], 1.0, centre, variance)
        _add_ratio(rows[i, : total.size], centre, variance, total)


@jit
def find_centres(
    values: np.ndarray, picked: np.ndarray, at: Places, about_mean: bool, width: int, centre: np.ndarray
) -> None:
    """What the first round of clipping is about, of every pixel of all blocks."""
    n = values.shape[1]
    total = np.empty(width, dtype=np.float64)
    for b in range(centre.shape[0]):
        into = centre[b, :width]
        if not about_mean:
            _middle(picked[b, at.lower, :width], picked[b, at.upper, :width], into)
        elif n > 2:
            _trimmed(values[b], picked[b, at.lowest, :width], picked[b, at.highest, :width], total, into)
        else:
            _mean(values[b], total, into)


@jit
def find_squares(values: np.ndarray, centre: np.ndarray, width: int, squares: np.ndarray) -> None:
    """The squared deviations from the centre, summed over the frames, of every pixel of all blocks."""
    for b in range(centre.shape[0]):
        _squares(values[b], centre[b, :width], squares[b, :width])


@jit
def sum_rows(
    values: np.ndarray,
    centre: np.ndarray,
    squares: np.ndarray,
    weighted: bool,
    noise: np.ndarray,
    lacking: np.ndarray,
    found: np.ndarray,
    width: int,
    nx: int,
    sums: np.ndarray,
    numbers: np.ndarray,
) -> None:
    """For each row its squared deviations in units of their expected variances, and their number.

    Only of pixels that lack no value; of others nothing is added. `squares` are used unless the rule is
    weighted.
    """
    n = values.shape[1]
    blocks = (nx + width - 1) // width
    own, variance = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for b in range(sums.size * blocks):
        wide = min(width, nx - (b % blocks) * width)
        here, expected = squares[b, :wide], variance[:wide]
        if weighted:
            here = own[:wide]
            _weighted_squares(values[b], centre[b, :wide], noise, expected, here)
            expected[:] = ONE
        else:
            _expect(noise[0], 1.0, centre[b, :wide], expected)
        if not lacking[b]:
            sums[b // blocks] += _sum_of_ratios(here, expected)
            numbers[b // blocks] += n * wide
            continue
        for x in range(wide):
            if found[b, x] == n:
                sums[b // blocks] += here[x] / expected[x]
                numbers[b // blocks] += n


@jit
def _sum_of_ratios(squares: np.ndarray, variance: np.ndarray) -> float:
    """In sixteen partial sums, since the order of a sum is kept and one would wait for the other."""
    parts, total = np.zeros(16, dtype=np.float32), 0.0
    whole = squares.size - squares.size % 16
    for start in range(0, whole, 16):
        for k in range(16):
            parts[k] += squares[start + k] / variance[start + k]
    for k in range(16):
        total += parts[k]
    for x in range(whole, squares.size):
        total += squares[x] / variance[x]
    return total


@jit
def _limit_by_ends(
    lowest: np.ndarray,
    centre: np.ndarray,
    highest: np.ndarray,
    variance: np.ndarray,
    low: np.float32,
    high: np.float32,
    flags: np.ndarray,
) -> None:
    for x in range(flags.size):
        below, above = centre[x] - lowest[x], highest[x] - centre[x]
        fine = (below * below <= low * variance[x]) and (above * above <= high * variance[x])
        flags[x] = 0 if fine and variance[x] < TOO_LARGE else 1


@jit
def _limit_by_frame(
    values: np.ndarray,
    centre: np.ndarray,
    variance: np.ndarray,
    low: np.float32,
    high: np.float32,
    flags: np.ndarray,
) -> None:
    for x in range(flags.size):
        off = values[x] - centre[x]
        fine = off * off <= (low if off < ZERO else high) * variance[x]
        flags[x] |= 0 if fine and variance[x] < TOO_LARGE else 1


@jit
def _percentile(place: np.ndarray, centre: np.ndarray, variance: np.ndarray) -> None:
    for x in range(variance.size):
        off = place[x] - centre[x]
        variance[x] = off * off


@jit
def _flag_by_ends(
    picked: np.ndarray,
    squares: np.ndarray,
    n: int,
    centre: np.ndarray,
    kind: int,
    low: np.float32,
    high: np.float32,
    at: Places,
    noise: np.ndarray,
    common: float,
    variance: np.ndarray,
    flags: np.ndarray,
) -> None:
    """All frames have one noise: the lowest and the highest value tell."""
    wide = flags.size
    if kind == SIGCLIP:
        variance[:] = squares / np.float32(n - 1)
    elif kind == PCLIP:
        _percentile(picked[at.sigma, :wide], centre, variance)
    else:
        _expect(noise[0], common**2, centre, variance)
    _limit_by_ends(picked[at.lowest, :wide], centre, picked[at.highest, :wide], variance, low, high, flags)


@jit
def _flag_by_frame(
    values: np.ndarray,
    centre: np.ndarray,
    kind: int,
    low: np.float32,
    high: np.float32,
    noise: np.ndarray,
    common: float,
    variance: np.ndarray,
    flags: np.ndarray,
) -> None:
    """Each frame has its noise: all values are looked at."""
    flags[:] = 0
    own = np.ones_like(centre)
    if kind == SIGCLIP:
        _weighted_squares(values, centre, noise, variance, own)
        own /= np.float32(values.shape[0] - 1)
    for i in range(values.shape[0]):
        _expect(noise[i], common**2, centre, variance)
        variance *= own
        _limit_by_frame(values[i, : flags.size], centre, variance, low, high, flags)


@jit
def _deviation(squares: np.ndarray, n: int, sigma: np.ndarray) -> None:
    for x in range(sigma.size):
        sigma[x] = np.sqrt(squares[x] / max(1, n - 1))


@jit
def combine_whole(
    values: np.ndarray,
    picked: np.ndarray,
    centre: np.ndarray,
    squares: np.ndarray,
    method: int,
    rule: Rejection,
    noise: np.ndarray,
    at: Places,
    common: np.ndarray,
    lacking: np.ndarray,
    found: np.ndarray,
    width: int,
    y0: int,
    value: np.ndarray,
    count: np.ndarray,
    sigma: np.ndarray,
    flags: np.ndarray,
) -> int:
    """Combine rows from y0 on as if no pixel lost a value; `flags` (blocks, STRIDE) says where that is wrong.

    `common` holds the sigma of each row for AVSIGCLIP, else 1. `count` and `sigma` may be empty. Gives how
    many pixels are flagged.
    """
    n, nx = values.shape[1], value.shape[1]
    blocks = (nx + width - 1) // width
    total = np.empty(width, dtype=np.float64)
    scratch = np.empty(width, dtype=np.float32)
    low, high = np.float32((STRICTER * rule.low) ** 2), np.float32((STRICTER * rule.high) ** 2)
    kind, flagged = rule.kind, 0
    for b in range(common.size * blocks):
        r, start = b // blocks, (b % blocks) * width
        wide = min(width, nx - start)
        here, into = flags[b, :wide], value[y0 + r, start : start + wide]
        around, variance = centre[b, :wide], scratch[:wide]
        if kind in (NONE, MINMAX):
            here[:] = 0
        elif rule.weighted and kind != PCLIP:
            _flag_by_frame(values[b], around, kind, low, high, noise, common[r], variance, here)
        else:
            _flag_by_ends(
                picked[b], squares[b, :wide], n, around, kind, low, high, at, noise, common[r], variance, here
            )
        if lacking[b]:
            for x in range(wide):
                here[x] |= 1 if found[b, x] < n else 0
        kept = picked[b, at.first : at.first + at.kept] if rule.kind == MINMAX else values[b]
        if method == MEAN:
            _mean(kept, total[:wide], into)
        elif method == MEDIAN:
            _middle(picked[b, at.lower, :wide], picked[b, at.upper, :wide], into)
        if count.shape[0] > 0:
            count[y0 + r, start : start + wide] = at.kept
        if sigma.shape[0] > 0:
            _squares(kept, into, variance)
            _deviation(variance, at.kept, sigma[y0 + r, start : start + wide])
        for x in range(wide):
            flagged += here[x]
    return flagged
