"""Satellite trails: straight lines from edge to edge."""

from typing import NamedTuple

import numpy as np

from mar.masks import Bit
from mar.simulate.paint import paint_trail


class Trail(NamedTuple):
    """A trail through the pixel (x, y)."""

    x: float
    y: float
    angle_deg: float  #: from +x towards +y
    peak_e: float
    sigma_px: float  #: of the Gaussian profile across it


def draw_trail(
    shape: tuple[int, int], noise_e: float, seeing_sigma_px: float, rng: np.random.Generator
) -> Trail:
    """A trail near the middle of the image with a peak of 3 to 40 times the noise of a sky pixel."""
    ny, nx = shape
    return Trail(
        nx * rng.uniform(0.25, 0.75),
        ny * rng.uniform(0.25, 0.75),
        rng.uniform(0, 180),
        noise_e * float(np.exp(rng.uniform(np.log(3), np.log(40)))),
        seeing_sigma_px * rng.uniform(1.0, 1.8),
    )


def add_trail(
    image: np.ndarray, marked: np.ndarray, trail: Trail, read_noise_e: float, rng: np.random.Generator
) -> None:
    """Add `trail` to `image` (electrons); Bit.TRAIL in `marked` where it exceeds the local noise."""
    wave, phase = rng.uniform(0.3, 2) * max(image.shape), rng.uniform(0, 2 * np.pi)
    angle = np.radians(trail.angle_deg)
    bit, variance = np.uint8(Bit.TRAIL), read_noise_e**2
    paint_trail(
        image, marked, bit, trail.x, trail.y, angle, trail.peak_e, trail.sigma_px, wave, phase, variance
    )
