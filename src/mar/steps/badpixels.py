"""Bad pixels of the detector: hot ones in the master bias, cold ones in the master flat."""

import numpy as np

from mar.camera import Amplifier, Camera
from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.kernels.surface import departures, mark_above, mark_outside, upper_limit
from mar.kernels.threads import in_threads
from mar.masks import Bit, empty_mask
from mar.steps.surface import smooth_surface

SAMPLE = 400_000  # pixels that the noise is measured on, per amplifier


def hot_mask(master: np.ndarray, camera: Camera, config: Bias) -> np.ndarray:
    """Bit BAD (uint8) where a master bias (trimmed, ADU) stands out, amplifier by amplifier.

    A pixel is hot that lies more than `hot_sigma` above the smooth surface around it; sigma is the standard
    deviation of the amplifier after `hot_iterations` rounds of clipping at that limit. Pixels that are not
    finite are bad too.
    """
    data, mask = np.ascontiguousarray(master, dtype=np.float32), empty_mask(master.shape)

    def mark(amplifier: Amplifier) -> None:
        part = amplifier.trimmed
        surface = smooth_surface(data[part.slices], config.hot_cell)
        size = (part.y1 - part.y0) * (part.x1 - part.x0)
        step = max(1, size // SAMPLE)
        sampled = np.empty(-(-size // step), np.float32)
        departures(data, part.x0, part.y0, *surface, step, sampled)
        ordered = np.sort(sampled[np.isfinite(sampled)])
        limit = np.float32(upper_limit(ordered, config.hot_sigma, config.hot_iterations))
        mark_above(data, part.x0, part.y0, *surface, limit, np.uint8(Bit.BAD), mask)

    in_threads(mark, camera.amplifiers)
    return mask


def cold_mask(master: np.ndarray, camera: Camera, config: Flat) -> np.ndarray:
    """Bit BAD (uint8) where a master flat (trimmed, about 1) leaves its smooth surface, per amplifier.

    That is where flat / surface lies outside `cold_low` to `cold_high`, or is no number, or the flat is zero
    or less.
    """
    data, mask = np.ascontiguousarray(master, dtype=np.float32), empty_mask(master.shape)
    low, high = np.float32(config.cold_low), np.float32(config.cold_high)

    def mark(amplifier: Amplifier) -> None:
        part = amplifier.trimmed
        surface = smooth_surface(data[part.slices], config.cold_cell)
        mark_outside(data, part.x0, part.y0, *surface, low, high, np.uint8(Bit.BAD), mask)

    in_threads(mark, camera.amplifiers)
    return mask
