"""Slow, obvious twins of the kernels that measure sources and their sky."""

import numpy as np


def cell_level(values, clip_sigma=3.0):
    """Mode and standard deviation of a cell, from the values themselves instead of a histogram."""
    kept = np.sort(np.asarray(values, dtype=float))
    kept = kept[np.abs(kept - kept.mean()) <= 5 * kept.std()]
    while True:
        middle, spread = np.median(kept), kept.std()
        inside = kept[np.abs(kept - middle) <= clip_sigma * spread]
        if len(inside) == len(kept):
            break
        kept = inside
    if abs(kept.mean() - middle) >= 0.3 * spread:
        return middle, spread
    return 2.5 * middle - 1.5 * kept.mean(), spread


def _grid(image, x, y):
    j, i = np.mgrid[: image.shape[0], : image.shape[1]]
    return i - x, j - y


def kron(image, x, y, a, b, theta, factor=2.5, least=3.5, reach=6.0):
    """Flux in the Kron ellipse and its size in axes; pixels count whole or not at all."""
    dx, dy = _grid(image, x, y)
    along, across = dx * np.cos(theta) + dy * np.sin(theta), dy * np.cos(theta) - dx * np.sin(theta)
    radius = np.hypot(along / a, across / b)
    inside = radius <= reach
    axes = max(least, factor * (radius * image)[inside].sum() / image[inside].sum())
    return image[radius <= axes].sum(), axes


def circle(image, x, y, radius, fine=5):
    """Flux and area of a circle, pixels in `fine` x `fine` pieces."""
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    dx, dy = _grid(image, x, y)
    share = sum(np.hypot(dx + u, dy + v) < radius for u in steps for v in steps) / fine**2
    return (share * image).sum(), share.sum()


def window(image, x, y, sigma, noise, gain):
    """Windowed position, signal to noise, and the sum of the squared errors of both coordinates."""
    for _ in range(16):
        dx, dy = _grid(image, x, y)
        r2 = dx**2 + dy**2
        weight = np.where(r2 <= 16 * sigma**2, np.exp(-0.5 * r2 / sigma**2), 0)
        light = (weight * image).sum()
        step = (weight * image * dx).sum() / light, (weight * image * dy).sum() / light
        x, y = x + 2 * step[0], y + 2 * step[1]
        if np.hypot(*step) < 1e-4:
            break
    variance = weight**2 * (noise**2 + np.maximum(image, 0) / gain)
    error2 = 4 * (variance * (r2 + 2 * 0.0833)).sum() / light**2
    return x, y, light / np.sqrt(variance.sum()), error2
