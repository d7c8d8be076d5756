"""How sharp pixels are against the stars of the same image.

The rule is that of SDSS's Photo (Lupton et al. 2001, ASP Conf. Ser. 238, 269): a pixel was hit if two
opposite neighbours, along the row, the column or a diagonal, hold less together than they would in a star.
"""

from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit, parallel_jit, rows_in_parallel


class Sharpness(NamedTuple):
    """What a pixel hit by a cosmic ray is like."""

    straight: float  #: mean of left and right (or below and above) over the middle, at most
    diagonal: float  #: the same of opposite corners
    sigmas: float  #: by which the pair is below that
    least: float  #: of the middle above the sky, sigma
    gain: float  #: e-/ADU
    read_variance: float  #: electrons^2


@jit
def _variance(value: float, rule: Sharpness) -> float:
    """Of a pixel, ADU^2."""
    return (max(value, 0.0) * rule.gain + rule.read_variance) / rule.gain**2


@jit
def _is_sharp(image, sky, y, x, rule):  # type: ignore[no-untyped-def]
    level = sky[y, x]
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
        if short > rule.sigmas * np.sqrt(noise):
            return True
    return False


@jit
def sharper_than_stars(
    image: np.ndarray, sky: np.ndarray, ys: np.ndarray, xs: np.ndarray, rule: Sharpness
) -> np.ndarray:
    """For each pixel (ys, xs) of `image` (ny, nx; ADU with its sky) whether it is too sharp for a star."""
    sure = np.empty(ys.size, dtype=np.bool_)
    for n in range(ys.size):
        sure[n] = _is_sharp(image, sky, ys[n], xs[n], rule)
    return sure


@jit
def _is_peak(image: np.ndarray, y: int, x: int) -> bool:
    for v in range(y - 1, y + 2):
        for u in range(x - 1, x + 2):
            if (v != y or u != x) and not image[v, u] < image[y, x]:
                return False
    return True


@parallel_jit
def peak_ratios(
    image: np.ndarray, sky: np.ndarray, left_out: np.ndarray, least: float, counts: np.ndarray
) -> None:
    """Count the peaks of an image by the part of their height that their neighbours hold.

    Peaks are pixels more than `least` (ADU) above the sky and above their eight neighbours. Counted is the
    mean of left and right, or of below and above, whichever is less, over the middle: into `counts` (parts of
    the rows, bins), whose bins go from 0 to 1.
    """
    parts, bins = counts.shape
    for part in rows_in_parallel(parts):
        y0, y1 = part * image.shape[0] // parts, (part + 1) * image.shape[0] // parts
        for y in range(max(1, y0), min(y1, image.shape[0] - 1)):
            for x in range(1, image.shape[1] - 1):
                peak = image[y, x] - sky[y, x]
                if not peak > least or left_out[y, x] or not _is_peak(image, y, x):
                    continue
                across = 0.5 * (image[y, x - 1] + image[y, x + 1]) - sky[y, x]
                along = 0.5 * (image[y - 1, x] + image[y + 1, x]) - sky[y, x]
                ratio = min(across, along) / peak
                if 0 <= ratio < 1:
                    counts[part, int(ratio * bins)] += 1
