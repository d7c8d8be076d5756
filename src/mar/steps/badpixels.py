"""Bad pixels of the detector: hot ones in the master bias, cold ones in the master flat."""

import numpy as np

from mar.camera import Camera
from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.kernels.ordering import ascending
from mar.kernels.surface import GROUP, departures, mark_above, mark_outside, upper_limit
from mar.kernels.threads import bands, in_threads
from mar.masks import Bit, empty_mask
from mar.steps.surface import Surface, alike, smooth_surface

SAMPLE = 400_000  # pixels that the noise is measured on, per amplifier
BAND = 8 * GROUP  # rows that a thread takes


def hot_mask(master: np.ndarray, camera: Camera, config: Bias) -> np.ndarray:
    """Bit BAD (uint8) where a master bias (trimmed, ADU) stands out, amplifier by amplifier.

    A pixel is hot that lies more than `hot_sigma` above the smooth surface around it; sigma is the standard
    deviation of the amplifier after `hot_iterations` rounds of clipping at that limit. Pixels that are not
    finite are bad too.
    """
    data, mask = np.ascontiguousarray(master, dtype=np.float32), empty_mask(master.shape)
    for here in alike(camera):
        part, marked = data[here.y0 : here.y1], mask[here.y0 : here.y1]
        surface = smooth_surface(part, here.x0, here.nx, config.hot_cell)
        _mark_hot(part, surface, here.nx, config, marked)
    return mask


def _mark_hot(data: np.ndarray, surface: Surface, nx: int, config: Bias, mask: np.ndarray) -> None:
    """Amplifiers side by side: one pass over their pixels, then only where something may stand out."""
    amplifiers, size = len(surface.x0), len(data) * nx
    step = max(1, size // SAMPLE)
    sampled = np.empty((amplifiers, -(-size // step)), np.float32)
    highest = np.empty((-(-len(data) // GROUP), amplifiers * nx), np.float32)

    def measure(band: tuple[int, int]) -> None:
        departures(data, *surface, *band, step, sampled, highest)

    def mark(a: int) -> None:
        limit = upper_limit(ascending(sampled[a]), config.hot_sigma, config.hot_iterations)
        mark_above(data, *surface, a, np.float32(limit), np.uint8(Bit.BAD), highest, mask)

    in_threads(measure, bands(len(data), BAND))
    in_threads(mark, range(amplifiers))


def cold_mask(master: np.ndarray, camera: Camera, config: Flat) -> np.ndarray:
    """Bit BAD (uint8) where a master flat (trimmed, about 1) leaves its smooth surface, per amplifier.

    That is where flat / surface lies outside `cold_low` to `cold_high`, or is no number, or the flat is zero
    or less.
    """
    data, mask = np.ascontiguousarray(master, dtype=np.float32), empty_mask(master.shape)
    low, high = np.float32(config.cold_low), np.float32(config.cold_high)

    for here in alike(camera):
        part, marked = data[here.y0 : here.y1], mask[here.y0 : here.y1]
        surface = smooth_surface(part, here.x0, here.nx, config.cold_cell)
        _mark_cold(part, surface, (low, high), marked)
    return mask


def _mark_cold(
    data: np.ndarray, surface: Surface, limits: tuple[np.float32, np.float32], mask: np.ndarray
) -> None:
    def mark(band: tuple[int, int]) -> None:
        mark_outside(data, *surface, *band, *limits, np.uint8(Bit.BAD), mask)

    in_threads(mark, bands(len(data), BAND))
