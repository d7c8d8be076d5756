"""Small grey previews of images and masks."""

import numpy as np

from mar.config.thumbs import Thumbs
from mar.kernels.stretch import block_mean
from mar.steps.picture import png_bytes


def thumbnail(data: np.ndarray, config: Thumbs) -> np.ndarray:
    """A small picture (ceil(ny / SHRINK), ceil(nx / SHRINK)) uint8 of an image (ny, nx); north is up.

    "logistic" puts the sky at a quarter of the brightness and saturates gently; "linear" runs from the
    1st to the 99.5th percentile, "log" from two deviations below the sky. NaNs are black, and so is an image
    without any value.
    """
    small = _shrunk(np.asarray(data), config.shrink)
    known = small[np.isfinite(small)]
    if known.size == 0:
        return np.zeros(small.shape, np.uint8)
    bright = _STRETCHES[config.type](small.astype(np.float64), known.astype(np.float64))
    pixels = np.nan_to_num(255 * np.clip(bright, 0, 1)).round().astype(np.uint8)
    return np.ascontiguousarray(pixels[::-1])


def mask_thumbnail(mask: np.ndarray, config: Thumbs) -> np.ndarray:
    """The same for a mask: a block is the whiter the more of its pixels are marked, and one suffices to show.

    A fifth of the brightness for a single marked pixel, white for a block of which a quarter is marked.
    """
    part = _shrunk((np.asarray(mask) != 0).view(np.uint8), config.shrink)
    bright = np.where(part > 0, np.clip(0.2 + 3.2 * part, 0, 1), 0)
    return np.ascontiguousarray((255 * bright).round().astype(np.uint8)[::-1])


def thumbnail_png(data: np.ndarray, config: Thumbs) -> bytes:
    """The thumbnail of an image as the bytes of a PNG."""
    return png_bytes(thumbnail(data, config))


def mask_thumbnail_png(mask: np.ndarray, config: Thumbs) -> bytes:
    """The thumbnail of a mask as the bytes of a PNG."""
    return png_bytes(mask_thumbnail(mask, config))


def _shrunk(data: np.ndarray, shrink: int) -> np.ndarray:
    small = np.empty((-(-data.shape[0] // shrink), -(-data.shape[1] // shrink)), np.float32)
    block_mean(data, shrink, small)
    return small


def _spread(known: np.ndarray) -> tuple[float, float]:
    """Middle and robust deviation; where most values are equal, that of all."""
    middle = float(np.median(known))
    deviation = 1.4826 * float(np.median(np.abs(known - middle))) or float(known.std())
    return middle, deviation or 1.0


def _logistic(small: np.ndarray, known: np.ndarray) -> np.ndarray:
    middle, deviation = _spread(known)
    # a quarter for the sky: 1 / (1 + 3)
    return 1 / (1 + 3 * np.exp(np.clip(-(small - middle) / (3 * deviation), -50, 50)))


def _linear(small: np.ndarray, known: np.ndarray) -> np.ndarray:
    low, high = np.percentile(known, [1, 99.5])
    return (small - low) / ((high - low) or 1.0)


def _log(small: np.ndarray, known: np.ndarray) -> np.ndarray:
    middle, deviation = _spread(known)
    low, high = middle - 2 * deviation, max(float(np.percentile(known, 99.9)), middle + 10 * deviation)
    return np.log1p(100 * np.clip((small - low) / (high - low), 0, None)) / np.log(101)


_STRETCHES = {"logistic": _logistic, "linear": _linear, "log": _log}
