"""Smoothing that keeps waves at their full height: what is wider than a filter, or regular in a window."""

import numba
import numpy as np
from scipy import fft
from scipy.ndimage import uniform_filter

from mar.steps.rows import bands

BAND = 512  # rows worked on at a time
LARGEST_WINDOW, SMALLEST_WINDOW = 256, 32  # pixels, powers of two
LEAST_POWER = 6.0  # of the noise's: a wave weaker than that counts as noise


def smooth_twice(image: np.ndarray, known: np.ndarray, width: int) -> np.ndarray:
    """Running mean over `width` x `width` pixels, plus the running mean of what it missed (Tukey's twicing).

    Only `known` pixels count; the others become 0. Of a wave four widths long 99 % of the height is left,
    where one running mean leaves 90 %.
    """
    out = np.empty(image.shape, dtype=np.float32)
    for y0, y1 in bands(len(image), BAND):
        first, last = max(0, y0 - width), min(len(image), y1 + width)
        out[y0:y1] = _smooth_band(image[first:last], known[first:last], width)[y0 - first : y1 - first]
    return out


def _smooth_band(image: np.ndarray, known: np.ndarray, width: int) -> np.ndarray:
    weight = uniform_filter(known.astype(np.float32), width, mode="constant")
    smooth = _mean(np.where(known, image, np.float32(0)), weight, known, width)
    missed = np.where(known, image - smooth, np.float32(0))
    smooth += _mean(missed, weight, known, width)
    return smooth


def _mean(image: np.ndarray, weight: np.ndarray, known: np.ndarray, width: int) -> np.ndarray:
    mean = uniform_filter(image.astype(np.float32), width, mode="constant")
    return np.divide(mean, weight, out=np.zeros_like(mean), where=known & (weight > 0))


def filled(image: np.ndarray, known: np.ndarray, width: int) -> np.ndarray:
    """The image with its unknown pixels given the mean of the known ones in a box; 0 where there is none."""
    out = np.where(known, image, np.float32(0)).astype(np.float32, copy=False)
    for y0, y1 in bands(len(image), BAND):
        if known[y0:y1].all():
            continue
        first, last = max(0, y0 - width), min(len(image), y1 + width)
        weight = uniform_filter(known[first:last].astype(np.float32), width, mode="constant")
        light = uniform_filter(
            np.where(known[first:last], image[first:last], np.float32(0)), width, mode="constant"
        )
        mean = np.divide(light, weight, out=np.zeros_like(light), where=weight > 0.5 / width**2)
        out[y0:y1][~known[y0:y1]] = mean[y0 - first : y1 - first][~known[y0:y1]]
    return out


def only_waves(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The waves of an image (ny, nx) float32 without NaN, and the noise (one sigma) that is left in them.

    In half-overlapping windows, faded out at their edges, the Fourier modes that stand out of the noise are
    kept, each by the part of it that is not noise (Wiener), and the others dropped. The noise is the median
    of the window's own modes: few of them are waves. A mode's power is averaged with its neighbours', since
    the fading spreads each wave over three of them.
    """
    size = _window(image.shape)
    half, fade = size // 2, _fade(size)
    out = np.zeros(image.shape, dtype=np.float32)
    noise, windows = 0.0, 0
    for y in range(-half, image.shape[0], half):
        rows = _mirrored(y, size, image.shape[0])
        columns = np.arange(-half, image.shape[1], half)
        stack = np.stack([image[np.ix_(rows, _mirrored(int(x), size, image.shape[1]))] for x in columns])
        kept, variances = _waves_of(stack * fade)
        noise, windows = noise + float(variances.sum()), windows + len(columns)
        kept *= fade
        for x, part in zip(columns.tolist(), kept, strict=True):
            inside = _inside(y, size, image.shape[0]), _inside(x, size, image.shape[1])
            out[inside] += part[
                inside[0].start - y : inside[0].stop - y, inside[1].start - x : inside[1].stop - x
            ]
    return out, float(np.sqrt(noise / windows))


def _waves_of(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The waves of windows (n, size, size), and the variance of the noise left in each."""
    size = stack.shape[1]
    threads = numba.get_num_threads()
    modes = fft.rfft2(stack, workers=threads)
    power = modes.real**2 + modes.imag**2
    noise = np.median(power, axis=(1, 2), keepdims=True) / np.float32(np.log(2))
    power = np.maximum(uniform_filter(power, (1, 3, 3), mode="wrap"), np.float32(1e-30))
    part = np.where(power > LEAST_POWER * noise, 1 - noise / power, np.float32(0))
    waves = fft.irfft2(modes * part, s=stack.shape[1:], workers=threads)
    # the fading leaves a quarter of the variance, which all modes share
    return waves, noise[:, 0, 0] / (size * size / 4) * (part * part).mean(axis=(1, 2))


def _window(shape: tuple[int, ...]) -> int:
    """Side of the windows, an even power of two: a quarter of the image or less."""
    fitting = 2 ** int(np.log2(max(1, min(shape) // 4)))
    return int(np.clip(fitting, SMALLEST_WINDOW, LARGEST_WINDOW))


def _fade(size: int) -> np.ndarray:
    """A window whose square, half overlapping, sums to one."""
    along = np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
    return along[:, None] * along


def _mirrored(start: int, size: int, length: int) -> np.ndarray:
    """The places start .. start + size, mirrored at the borders 0 and `length`."""
    places = np.arange(start, start + size) % (2 * length)
    return np.where(places < length, places, 2 * length - 1 - places)


def _inside(start: int, size: int, length: int) -> slice:
    return slice(max(0, start), min(length, start + size))
