"""Cosmic rays: straight tracks of muons and winding ones of electrons."""

import numpy as np

from mar.masks import Bit

_STEPS_PER_PIXEL = 8
_CHARGE_PER_PIXEL = 500.0  # electrons that a muon leaves along a pixel of its path
_DEPTH_PX = 3.0  # of the silicon
_DIFFUSION_PX = 0.3


def cosmic_charge(
    shape: tuple[int, int], count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charge of `count` tracks on an image (ny, nx): row, column and electrons of each pixel touched."""
    tracks = [_track(shape, rng) for _ in range(count)]
    if not tracks:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    y, x, charge = (np.concatenate(parts) for parts in zip(*tracks, strict=True))
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    flat = y[inside] * shape[1] + x[inside]
    pixels, inverse = np.unique(flat, return_inverse=True)
    total = np.bincount(inverse, charge[inside], minlength=pixels.size)
    return pixels // shape[1], pixels % shape[1], total


def add_cosmics(
    image: np.ndarray, marked: np.ndarray, count: int, read_noise_e: float, rng: np.random.Generator
) -> None:
    """Add tracks to `image` (electrons); Bit.COSMIC in `marked` where they exceed 5 sigma of the noise."""
    y, x, charge = cosmic_charge((image.shape[0], image.shape[1]), count, rng)
    noise = np.sqrt(np.maximum(image[y, x], 0) + read_noise_e**2)
    seen = charge > 5 * noise
    marked[y[seen], x[seen]] |= np.uint8(Bit.COSMIC)
    image[y, x] += charge.astype(image.dtype)


def _track(shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One track, as many small deposits: rows, columns, electrons."""
    if rng.uniform() < 0.75:
        # The flux of muons goes as the squared cosine of the zenith angle, and the chip has a depth
        slant = np.sqrt(1 / rng.uniform(1e-4, 1) ** 0.5 - 1)
        length, bend = min(_DEPTH_PX * slant + 0.3, 300.0), 0.0
    else:
        length, bend = rng.uniform(2, 25), 0.25
    steps = max(4, int(length * _STEPS_PER_PIXEL))
    direction = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend, steps))
    y = rng.uniform(0, shape[0]) + np.cumsum(np.sin(direction)) * length / steps
    x = rng.uniform(0, shape[1]) + np.cumsum(np.cos(direction)) * length / steps
    blur = rng.normal(0, _DIFFUSION_PX, (2, steps))
    total = _CHARGE_PER_PIXEL * np.hypot(length, _DEPTH_PX) * rng.lognormal(0, 0.6)
    share = rng.gamma(2.0, size=steps)
    return np.rint(y + blur[0]).astype(int), np.rint(x + blur[1]).astype(int), total * share / share.sum()
