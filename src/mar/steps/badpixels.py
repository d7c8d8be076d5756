"""Bad pixels of the detector: hot ones in the master bias, cold ones in the master flat."""

import numpy as np

from mar.camera import Camera
from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.masks import Bit, empty_mask
from mar.steps.surface import smooth_surface

SAMPLE = 400_000  # pixels that the noise is measured on, per amplifier


def hot_mask(master: np.ndarray, camera: Camera, config: Bias) -> np.ndarray:
    """Bit BAD (uint8) where a master bias (trimmed, ADU) stands out, amplifier by amplifier.

    A pixel is hot that lies more than `hot_sigma` above the smooth surface around it; sigma is the standard
    deviation of the amplifier after `hot_iterations` rounds of clipping at that limit. Pixels that are not
    finite are bad too.
    """
    mask = empty_mask(master.shape)
    for amplifier in camera.amplifiers:
        part = master[amplifier.trimmed.slices]
        off = part - smooth_surface(part, config.hot_cell)
        limit = _upper_limit(off, config.hot_sigma, config.hot_iterations)
        mask[amplifier.trimmed.slices][~(off <= limit)] = Bit.BAD
    return mask


def _upper_limit(off: np.ndarray, sigmas: float, rounds: int) -> float:
    """The clipping limit above which deviations are outliers; NaN where nothing is finite."""
    sampled = off.ravel()[:: max(1, off.size // SAMPLE)]
    # in order, so that what is kept is a range and its median in the middle
    values = np.sort(sampled[np.isfinite(sampled)]).astype(np.float64)
    kept, limit = values, float("nan")
    for _ in range(rounds if values.size else 0):
        centre = float(kept[(kept.size - 1) // 2] + kept[kept.size // 2]) / 2
        reach = sigmas * float(kept.std())
        limit = centre + reach
        still = kept[(centre - kept <= reach) & (kept - centre <= reach)]
        if still.size == kept.size:
            break
        kept = still
    return limit


def cold_mask(master: np.ndarray, camera: Camera, config: Flat) -> np.ndarray:
    """Bit BAD (uint8) where a master flat (trimmed, about 1) leaves its smooth surface, per amplifier.

    That is where flat / surface lies outside `cold_low` to `cold_high`, or is no number, or the flat is zero
    or less.
    """
    mask = empty_mask(master.shape)
    for amplifier in camera.amplifiers:
        part = master[amplifier.trimmed.slices]
        surface = smooth_surface(part, config.cold_cell)
        good = (part > 0) & (part >= config.cold_low * surface) & (part <= config.cold_high * surface)
        mask[amplifier.trimmed.slices][~good] = Bit.BAD
    return mask
