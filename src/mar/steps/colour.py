"""Levels and brightness of a colour image: logarithmic scaling as Trilogy does it (Coe et al. 2012)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from astropy.stats import sigma_clipped_stats
from scipy.optimize import brentq

from mar.config.colour import Colour
from mar.kernels.stretch import log_stretch


class Levels(NamedTuple):
    """How values of one channel become brightness."""

    black: float  #: the value that is black, in the unit of the channel
    white: float  #: the value that is white
    steepness: float  #: of the logarithm, per unit of the channel


def find_levels(sample: np.ndarray, config: Colour) -> Levels:
    """Levels from a sample of a channel's pixels; NaN (no data) is left out.

    Black lies NOISESIG0 below the sky, NOISESIG above it has the brightness NOISELUM, and the brightest
    SATPERCENT of the pixels are white. A sample without contrast gives levels that make it black.
    """
    known = sample[np.isfinite(sample)]
    if known.size == 0:
        return Levels(0.0, 1.0, 1.0)
    sky, _, noise = sigma_clipped_stats(known, sigma=3, maxiters=8, cenfunc="mean")
    black = float(sky - config.noisesig0 * noise)
    grey = float(sky + config.noisesig * noise)
    white = float(np.percentile(known, 100 - config.satpercent))
    if not black < grey < white or (grey - black) / (white - black) > 0.99 * config.noiselum:
        return Levels(black, black + max(float(grey - black), 1e-6) / config.noiselum, 1e-3)
    return Levels(black, white, _steepness(grey - black, white - black, config.noiselum))


def _steepness(grey: float, white: float, brightness: float) -> float:
    """k such that log(1 + k grey) / log(1 + k white) is the brightness, for grey / white below it."""

    def excess(log_k: float) -> float:
        k = np.exp(log_k) / white
        return float(np.log1p(k * grey) / np.log1p(k * white) - brightness)

    return float(np.exp(brentq(excess, -18.0, 120.0)) / white)


def mix(bands: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of the bands of a channel, rows (n, nx) float32; NaN where all are 0, that is without data."""
    total = bands[0].astype(np.float32)
    covered = total != 0
    for band in bands[1:]:
        total += band
        covered |= band != 0
    total /= np.float32(len(bands))
    total[~covered] = np.nan
    return total


def paint(channels: Sequence[np.ndarray], levels: Sequence[Levels], config: Colour) -> np.ndarray:
    """Red, green and blue rows (n, nx) become pixels (n, nx, 3) uint8."""
    pixels = np.empty((*channels[0].shape, 3), np.uint8)
    for index, (channel, level) in enumerate(zip(channels, levels, strict=True)):
        plane = np.empty(channel.shape, np.uint8)
        log_stretch(channel, level.black, level.steepness, level.white, plane)
        pixels[..., index] = plane
    return pixels if config.colorsatfac == 1 else _saturate(pixels, config.colorsatfac)


def _saturate(pixels: np.ndarray, factor: float) -> np.ndarray:
    grey = pixels.mean(axis=2, dtype=np.float32, keepdims=True)
    return np.clip(grey + np.float32(factor) * (pixels - grey) + 0.5, 0, 255).astype(np.uint8)
