"""A smooth surface through an image: medians of boxes, bilinear in between."""

import numpy as np

from mar.kernels.boxes import box_statistics
from mar.kernels.surface import draw_out

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
    # along the short way first, so that only the last step is at full size
    y_centres, x_centres = ((edge[:-1] + edge[1:] - 1) / 2 for edge in (rows, columns))
    wide = np.ascontiguousarray(_stretch(medians, x_centres, data.shape[1]))
    surface = np.empty(data.shape, dtype=np.float32)
    if len(y_centres) == 1:
        surface[:] = wide
    else:
        draw_out(wide, *_between(y_centres, data.shape[0]), surface)
    return surface


def _filled(medians: np.ndarray) -> np.ndarray:
    """Boxes without a median take that of all."""
    known = np.isfinite(medians)
    return np.where(known, medians, np.median(medians[known]) if known.any() else np.nan)


def _stretch(values: np.ndarray, centres: np.ndarray, length: int) -> np.ndarray:
    """Linear interpolation and extrapolation along the rows, from box centres to every pixel."""
    if len(centres) == 1:
        return np.repeat(values, length, axis=1)
    left, share = _between(centres, length)
    return values[:, left] * (1 - share) + values[:, left + 1] * share


def _between(centres: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel the centre to its left, and how far it is on its way to the next."""
    at = np.arange(length)
    left = np.clip(np.searchsorted(centres, at, side="right") - 1, 0, len(centres) - 2)
    return left, (at - centres[left]) / (centres[left + 1] - centres[left])
