"""A smooth surface through an image: medians of boxes, bilinear in between."""

import numpy as np

from mar.kernels.boxes import box_statistics

LEAST = 20  # usable pixels that a box needs
SAMPLE = 24  # pixels of a box that are looked at, along each side


def smooth_surface(data: np.ndarray, cell: int) -> np.ndarray:
    """The median of boxes of about `cell` pixels, interpolated, as float32 of the shape of `data` (ny, nx).

    Beyond the centres of the outermost boxes the slope goes on. Pixels that are not finite have no weight.
    An image without a usable box gives NaN.
    """
    rows, columns = (np.linspace(0, n, max(1, round(n / cell)) + 1).astype(np.int64) for n in data.shape)
    boxes = np.empty((len(rows) - 1, len(columns) - 1, 3))
    image = np.ascontiguousarray(data, dtype=np.float32)
    unmasked = np.zeros((0, 0), dtype=np.uint8)
    box_statistics(image, unmasked, 0, rows, columns, max(1, cell // SAMPLE), LEAST, boxes)
    medians = _filled(boxes[..., 1])
    for axis, (edge, length) in enumerate(zip((rows, columns), data.shape, strict=True)):
        medians = _stretch(medians, (edge[:-1] + edge[1:] - 1) / 2, length, axis)
    return medians.astype(np.float32)


def _filled(medians: np.ndarray) -> np.ndarray:
    """Boxes without a median take that of all."""
    known = np.isfinite(medians)
    return np.where(known, medians, np.median(medians[known]) if known.any() else np.nan)


def _stretch(values: np.ndarray, centres: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Linear interpolation and extrapolation along one axis, from box centres to every pixel."""
    if len(centres) == 1:
        return np.repeat(values, length, axis=axis)
    at = np.arange(length)
    left = np.clip(np.searchsorted(centres, at, side="right") - 1, 0, len(centres) - 2)
    share = (at - centres[left]) / (centres[left + 1] - centres[left])
    share = share[:, None] if axis == 0 else share[None, :]
    return np.take(values, left, axis) * (1 - share) + np.take(values, left + 1, axis) * share
