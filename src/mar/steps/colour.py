"""Levels and brightness of a colour image: the logarithm of Trilogy (Coe et al. 2012), or Lupton's asinh."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from astropy.stats import sigma_clipped_stats
from scipy.optimize import brentq

from mar.bands import Band
from mar.config.colour import Colour
from mar.kernels.stretch import add_band, asinh_stretch, log_stretch, mean_of_bands

# the Sun's absolute magnitudes (AB) in u g r i z, Willmer (2018, ApJS 236, 47)
_SUN_NM, _SUN_MAG = (355.0, 468.0, 616.0, 748.0, 893.0), (6.39, 5.11, 4.65, 4.53, 4.50)


class Levels(NamedTuple):
    """How values of one channel become brightness."""

    black: float  #: the value that is black, in the unit of the channel
    white: float  #: the value that is white; Lupton: of intensity 1
    steepness: float  #: of the logarithm, per unit of the channel; Lupton: the softening


def find_levels(sample: np.ndarray, config: Colour) -> Levels:
    """Trilogy's levels from a sample of a channel's pixels; NaN (no data) is left out.

    Black lies NOISESIG0 below the sky, NOISESIG above it has the brightness NOISELUM, and the brightest
    SATPERCENT of the pixels are white. A sample without contrast gives levels that make it black.
    """
    known = sample[np.isfinite(sample)]
    if known.size == 0:
        return Levels(0.0, 1.0, 1.0)
    sky, noise = _sky(known)
    black = sky - config.noisesig0 * noise
    grey = sky + config.noisesig * noise
    white = float(np.percentile(known, 100 - config.satpercent))
    if not black < grey < white or (grey - black) / (white - black) > 0.99 * config.noiselum:
        return Levels(black, black + max(grey - black, 1e-6) / config.noiselum, 1e-3)
    return Levels(black, white, _steepness(grey - black, white - black, config.noiselum))


def find_common_levels(
    samples: Sequence[np.ndarray], responses: Sequence[float], config: Colour
) -> list[Levels]:
    """Lupton's levels of the channels, from samples of their pixels; NaN (no data) is left out.

    `responses` are what each channel gives for light that is to be white. Black lies NOISESIG0 below the sky,
    in units of the noise of the mean of the channels, and so the sky is grey, too.
    """
    known = [sample[np.isfinite(sample)] for sample in samples]
    skies, noises = np.transpose([_sky(one) if one.size else (0.0, 0.0) for one in known])
    light = np.asarray(responses, dtype=float)
    noise = float(np.sqrt(np.sum((noises / light) ** 2)) / len(light)) or 1e-6
    black = skies - config.noisesig0 * noise * light
    white = black + config.lupton_stretch * noise * light
    return [Levels(float(low), float(high), config.lupton_q) for low, high in zip(black, white, strict=True)]


def response(bands: Sequence[Band]) -> float:
    """What the mean of some bands gives, relative to other bands, for a star with the colours of the Sun."""
    sun = [np.interp(band.wavelength_nm, _SUN_NM, _SUN_MAG) for band in bands]
    return float(
        np.mean([10 ** (0.4 * (band.zeropoint_adu_s - mag)) for band, mag in zip(bands, sun, strict=True)])
    )


def _sky(known: np.ndarray) -> tuple[float, float]:
    """Sky and noise by clipping."""
    sky, _, noise = sigma_clipped_stats(known, sigma=3, maxiters=8, cenfunc="mean")
    return float(sky), float(noise)


def _steepness(grey: float, white: float, brightness: float) -> float:
    """k such that log(1 + k grey) / log(1 + k white) is the brightness, for grey / white below it."""

    def excess(log_k: float) -> float:
        k = np.exp(log_k) / white
        return float(np.log1p(k * grey) / np.log1p(k * white) - brightness)

    return float(np.exp(brentq(excess, -18.0, 120.0)) / white)


def mix(bands: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of the bands of a channel, rows (n, nx) float32; NaN where all are 0, that is without data."""
    total = np.zeros(bands[0].shape, np.float32)
    covered = np.zeros(total.shape, np.bool_)
    for band in bands:
        add_band(np.ascontiguousarray(band, np.float32), total, covered)
    mean_of_bands(total, covered, len(bands))
    return total


def paint(
    channels: Sequence[np.ndarray], levels: Sequence[Levels], config: Colour, out: np.ndarray | None = None
) -> np.ndarray:
    """Red, green and blue rows (n, nx) float32 become pixels (n, nx, 3) uint8, `out` where given."""
    pixels = np.empty((*channels[0].shape, 3), np.uint8) if out is None else out
    if config.scaling == "lupton":
        black = np.array([level.black for level in levels], np.float32)
        span = np.array([level.white - level.black for level in levels], np.float32)
        red, green, blue = channels
        asinh_stretch(red, green, blue, black, span, levels[0].steepness, pixels)
    else:
        for index, (channel, level) in enumerate(zip(channels, levels, strict=True)):
            log_stretch(channel, level.black, level.steepness, level.white, pixels[..., index])
    if config.colorsatfac != 1:
        _saturate(pixels, config.colorsatfac)
    return pixels


def _saturate(pixels: np.ndarray, factor: float) -> None:
    grey = pixels.mean(axis=2, dtype=np.float32, keepdims=True)
    pixels[...] = np.clip(grey + np.float32(factor) * (pixels - grey) + 0.5, 0, 255)
