"""A smooth surface through an image: medians of boxes, bilinear in between."""

from typing import NamedTuple

import numpy as np

from mar.kernels.networks import network_of
from mar.kernels.surface import box_medians

LEAST = 20  # usable pixels that a box needs
SAMPLE = 24  # pixels of a box that are looked at, along each side


class Surface(NamedTuple):
    """A smooth surface: rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y] in row y of the image."""

    rows: np.ndarray  #: (2 or more, nx) float64
    left: np.ndarray  #: (ny,) integers
    share: np.ndarray  #: (ny,) float64


def smooth_surface(data: np.ndarray, cell: int) -> Surface:
    """The medians of boxes of about `cell` pixels of `data` (ny, nx), interpolated.

    The median of a box is that of the medians of its rows.
    Beyond the centres of the outermost boxes the slope goes on. Pixels that are not finite have no weight.
    An image without a usable box gives NaN.
    """
    rows, columns = (np.linspace(0, n, max(1, round(n / cell)) + 1).astype(np.int64) for n in data.shape)
    medians = _filled(_medians(data, rows, columns, max(1, cell // SAMPLE)))
    # along the short way first: only what uses the surface works at full size
    y_centres, x_centres = ((edge[:-1] + edge[1:] - 1) / 2 for edge in (rows, columns))
    wide = np.ascontiguousarray(_stretch(medians, x_centres, data.shape[1]), dtype=np.float64)
    if len(y_centres) == 1:
        return Surface(np.repeat(wide, 2, axis=0), np.zeros(len(data), np.int64), np.zeros(len(data)))
    return Surface(wide, *_between(y_centres, data.shape[0]))


def _medians(data: np.ndarray, rows: np.ndarray, columns: np.ndarray, step: int) -> np.ndarray:
    """The median of each box, (boxes in y, boxes in x); NaN where too few pixels are usable."""
    ys, xs = (_taken(edges, step) for edges in (rows, columns))
    medians = np.empty((len(ys), len(xs)), np.float32)
    known = np.empty(medians.shape, np.bool_)
    box_medians(data, ys, xs, network_of(xs.shape[1]), network_of(ys.shape[1]), medians, known)
    for j, i in np.argwhere(~known):
        values = data[np.ix_(ys[j], xs[i])]
        usable = values[np.isfinite(values)]
        medians[j, i] = np.median(usable) if usable.size >= LEAST else np.nan
    return medians


def _taken(edges: np.ndarray, step: int) -> np.ndarray:
    """Every step-th place between two edges, as many in each box, (boxes, places)."""
    many = int(np.diff(edges).min() + step - 1) // step
    return edges[:-1, None] + step * np.arange(many)


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
