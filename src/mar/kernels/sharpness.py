"""How sharp pixels are against the stars of the same image.

The rule is that of SDSS's Photo (Lupton et al. 2001, ASP Conf. Ser. 238, 269): a pixel was hit if two
opposite neighbours, along the row, the column or a diagonal, hold less together than they would in a star.
"""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.left_out import LeftOut, any_left_out
from mar.kernels.mesh import Sky, draw_row, sky_at, steps_from

BLOCK = 64  # pixels passed over together where none stands out
ROUGHLY = 1.001  # of single precision: rather a pixel too many for the closer look
_HALF = np.float32(0.5)


class Sharpness(NamedTuple):
    """What a pixel hit by a cosmic ray is like."""

    straight: float  #: mean of left and right (or below and above) over the middle, at most
    diagonal: float  #: the same of opposite corners
    sigmas: float  #: by which the pair is below that
    least: float  #: of the middle above the sky, sigma
    gain: float  #: e-/ADU
    read_variance: float  #: electrons^2
    confusion: float  #: ADU^2: variance of the level of the sky itself, where faint stars crowd


@jit
def _variance(value: float, rule: Sharpness) -> float:
    """Of a pixel, ADU^2."""
    return (max(value, 0.0) * rule.gain + rule.read_variance) / rule.gain**2


@jit
def _is_sharp(image, level, y, x, rule):  # type: ignore[no-untyped-def]
    peak = image[y, x] - level
    variance = _variance(image[y, x], rule)
    if not peak > rule.least * np.sqrt(_variance(level, rule)):
        return False
    ny, nx = image.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        if not (dy <= y < ny - dy and abs(dx) <= x < nx - abs(dx)):
            continue
        one, other = image[y - dy, x - dx], image[y + dy, x + dx]
        limit = rule.diagonal if dy != 0 and dx != 0 else rule.straight
        short = limit * peak - (0.5 * (one + other) - level)
        noise = limit**2 * variance + 0.25 * (_variance(one, rule) + _variance(other, rule))
        noise += (1 - limit) ** 2 * rule.confusion
        if short > rule.sigmas * np.sqrt(noise):
            return True
    return False


@jit
def sharper_than_stars(
    image: np.ndarray, sky: Sky, ys: np.ndarray, xs: np.ndarray, rule: Sharpness
) -> np.ndarray:
    """For each pixel (ys, xs) of `image` (ny, nx; ADU with its sky) whether it is too sharp for a star."""
    sure = np.empty(ys.size, dtype=np.bool_)
    for n in range(ys.size):
        sure[n] = _is_sharp(image, sky_at(sky, ys[n], xs[n]), ys[n], xs[n], rule)
    return sure


@jit
def _is_peak(image: np.ndarray, y: int, x: int) -> bool:
    ny, nx = image.shape
    if not (1 <= y < ny - 1 and 1 <= x < nx - 1):
        return False
    for v in range(y - 1, y + 2):
        for u in range(x - 1, x + 2):
            if (v != y or u != x) and not image[v, u] < image[y, x]:
                return False
    return True


@jit
def _any_above(row: np.ndarray, sky: np.ndarray, least: np.float32) -> np.bool:
    number = np.int32(0)
    for x in range(row.size):
        number += np.int32(row[x] - sky[x] > least)
    return number > 0


@jit
def _low(a: np.float32, b: np.float32) -> np.float32:
    return a if a < b else b


@jit
def _worth_a_look(below, here, above, level, least, bright, limits, flags):  # type: ignore[no-untyped-def]
    """Flag pixels that may be sharp, or bright peaks; the three rows begin and end a pixel beyond `level`."""
    for x in range(level.size):
        peak = here[x + 1] - level[x]
        pair = _low(here[x] + here[x + 2], below[x + 1] + above[x + 1])
        sharp = not _HALF * pair - level[x] >= limits[0] * peak
        pair = _low(below[x] + above[x + 2], below[x + 2] + above[x])
        sharp |= not _HALF * pair - level[x] >= limits[1] * peak
        top = _low(here[x + 1] - here[x], here[x + 1] - here[x + 2])
        top = _low(top, _low(here[x + 1] - below[x + 1], here[x + 1] - above[x + 1]))
        flags[x] = (peak > least) & (sharp | ((peak > bright) & (top > 0)))


@jit
def _lower_limit(cubics: np.ndarray, knots: np.ndarray, nx: int) -> float:
    """What none of nx pixels of a row of sky is below, whatever its cubics do between the knots."""
    low, last = np.inf, knots.size - 2
    for piece in range(last + 1):
        far = (nx if piece == last else knots[piece + 1]) - knots[piece]
        if piece == 0:
            far = max(far, knots[0])  # the first piece goes on before its knot
        a, b, c, d = cubics[0, piece], cubics[1, piece], cubics[2, piece], cubics[3, piece]
        low = min(low, d - ((abs(a) * far + abs(b)) * far + abs(c)) * far)
    return low


@jit
def _count_peak(image, level, y, x, counts):  # type: ignore[no-untyped-def]
    """Count a peak by the part of its height that its neighbours hold."""
    across = 0.5 * (image[y, x - 1] + image[y, x + 1]) - level
    along = 0.5 * (image[y - 1, x] + image[y + 1, x]) - level
    ratio = min(across, along) / (image[y, x] - level)
    if 0 <= ratio < 1:
        counts[int(ratio * counts.size)] += 1


@jit
def look_over(
    image: np.ndarray,
    sky: Sky,
    left_out: LeftOut,
    first: int,
    last: int,
    rule: Sharpness,
    bright: float,
    counts: np.ndarray,
) -> np.ndarray:
    """Rows and columns (n, 2) of the pixels that are sharp by `rule`, of the rows from `first` to `last`.

    `image` (ny, nx) float32, ADU, with its sky. In the same pass the peaks more than `bright` (ADU) above the
    sky and above their eight neighbours are counted by what their neighbours hold: the mean of left and
    right, or of below and above, whichever is less, over the middle, into `counts` (bins,) from 0 to 1.
    """
    ny, nx = image.shape
    level, steps = np.empty(nx, dtype=np.float32), steps_from(sky.knots, nx)
    flags = np.ones(BLOCK, dtype=np.uint8)
    eights = flags.view(np.uint64)  # most have no flag
    limits = np.float32(ROUGHLY * rule.straight), np.float32(ROUGHLY * rule.diagonal)
    brighter = np.float32(bright / ROUGHLY)
    places, n = np.empty((1024, 2), dtype=np.int64), 0
    for y in range(first, last):
        draw_row(sky.rows[y], sky.knots, steps, level)
        lowest = rule.least * np.sqrt(_variance(_lower_limit(sky.rows[y], sky.knots, nx), rule))
        least = np.float32(min(lowest, bright) / ROUGHLY)
        for start in range(0, nx, BLOCK):
            stop = min(nx, start + BLOCK)
            if not _any_above(image[y, start:stop], level[start:stop], least):
                continue
            flags[:] = 1
            if 0 < y < ny - 1 and start > 0 and stop < nx:
                below, here = image[y - 1, start - 1 : stop + 1], image[y, start - 1 : stop + 1]
                above = image[y + 1, start - 1 : stop + 1]
                _worth_a_look(below, here, above, level[start:stop], least, brighter, limits, flags)
            for eight in range(eights.size):
                if eights[eight] == 0:
                    continue
                for x in range(start + 8 * eight, min(stop, start + 8 * eight + 8)):
                    if flags[x - start] == 0:
                        continue
                    peak = image[y, x] - level[x]
                    if peak > bright and _is_peak(image, y, x) and not any_left_out(left_out, y, x, 0):
                        _count_peak(image, level[x], y, x, counts)
                    if _is_sharp(image, level[x], y, x, rule):
                        if n == len(places):
                            places = np.concatenate((places, np.empty_like(places)))
                        places[n, 0], places[n, 1] = y, x
                        n += 1
    return places[:n]
