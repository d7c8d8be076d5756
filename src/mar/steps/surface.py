"""A smooth surface through each of some amplifiers: medians of boxes, bilinear in between."""

from typing import NamedTuple

import numpy as np

from mar.camera import Camera
from mar.kernels.networks import network_of
from mar.kernels.surface import box_medians, draw_along
from mar.kernels.threads import bands, in_threads

LEAST = 20  # usable pixels that a box needs
SAMPLE = 24  # pixels of a box that are looked at, along each side
AT_ONCE = 8  # rows of boxes that a thread takes


class Alike(NamedTuple):
    """Amplifiers of the same rows and width of a trimmed image."""

    y0: int
    y1: int
    nx: int  #: columns of each
    x0: np.ndarray  #: (amplifiers,), first column


class Surface(NamedTuple):
    """A smooth surface: in row y rows[left[y]] (1 - share[y]) + rows[left[y] + 1] share[y]."""

    x0: np.ndarray  #: (amplifiers,), their first columns in the image
    rows: np.ndarray  #: (2 or more, amplifiers x nx) float64, one amplifier beside the other
    left: np.ndarray  #: (ny,) integers
    share: np.ndarray  #: (ny,) float64


def alike(camera: Camera) -> list[Alike]:
    """The camera's amplifiers, those together that are read along the same rows."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for amplifier in camera.amplifiers:
        x0, x1, y0, y1 = amplifier.trimmed
        found.setdefault((y0, y1, x1 - x0), []).append(x0)
    return [Alike(*shape, np.array(sorted(x0))) for shape, x0 in found.items()]


def smooth_surface(data: np.ndarray, x0: np.ndarray, nx: int, cell: int) -> Surface:
    """The medians of boxes of about `cell` pixels, interpolated over amplifiers side by side.

    `data` (ny, columns) float32 are their rows, `x0` (amplifiers,) where each begins, `nx` pixels wide.
    The median of a box is that of the medians of its rows.
    Beyond the centres of the outermost boxes the slope goes on. Pixels that are not finite have no weight.
    An amplifier without a usable box gives NaN.
    """
    rows, columns = (np.linspace(0, n, max(1, round(n / cell)) + 1).astype(np.int64) for n in (len(data), nx))
    medians = _filled(_medians(data, x0, rows, columns, max(1, cell // SAMPLE)))
    # along the short way first: only what uses the surface works at full size
    y_centres, x_centres = ((edge[:-1] + edge[1:] - 1) / 2 for edge in (rows, columns))
    wide = np.empty((*medians.shape[:2], nx))
    draw_along(_two(medians, 2), *_between(x_centres, nx), wide)
    return Surface(x0, _two(wide.reshape(len(wide), -1), 0), *_between(y_centres, len(data)))


def _medians(
    data: np.ndarray, x0: np.ndarray, rows: np.ndarray, columns: np.ndarray, step: int
) -> np.ndarray:
    """The median of each box, (boxes in y, amplifiers, boxes in x); NaN where too few pixels are usable."""
    ys, xs = (_taken(edges, step) for edges in (rows, columns))
    shape = len(ys), len(x0), len(xs)
    xs = (x0[:, None, None] + xs).reshape(-1, xs.shape[1])
    medians, known = np.empty((len(ys), len(xs)), np.float32), np.empty((len(ys), len(xs)), np.bool_)
    networks = network_of(xs.shape[1]), network_of(ys.shape[1])

    def find(band: tuple[int, int]) -> None:
        here = slice(*band)
        box_medians(data, ys[here], xs, *networks, medians[here], known[here])

    in_threads(find, bands(len(ys), AT_ONCE))
    for j, i in np.argwhere(~known):
        values = data[np.ix_(ys[j], xs[i])]
        usable = values[np.isfinite(values)]
        medians[j, i] = np.median(usable) if usable.size >= LEAST else np.nan
    return medians.reshape(shape)


def _taken(edges: np.ndarray, step: int) -> np.ndarray:
    """Every step-th place between two edges, as many in each box, (boxes, places)."""
    many = int(np.diff(edges).min() + step - 1) // step
    return edges[:-1, None] + step * np.arange(many)


def _filled(medians: np.ndarray) -> np.ndarray:
    """Boxes without a median take that of all of their amplifier."""
    for a in range(medians.shape[1]):
        of = medians[:, a]
        known = np.isfinite(of)
        of[~known] = np.median(of[known]) if known.any() else np.nan
    return medians


def _two(values: np.ndarray, axis: int) -> np.ndarray:
    """Where there is but one value along an axis, it goes on."""
    return np.repeat(values, 2, axis) if values.shape[axis] == 1 else values


def _between(centres: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel the centre to its left, and how far it is on its way to the next; of one centre none."""
    at = np.arange(length)
    if len(centres) == 1:
        return np.zeros(length, np.int64), np.zeros(length)
    left = np.clip(np.searchsorted(centres, at, side="right") - 1, 0, len(centres) - 2)
    return left, (at - centres[left]) / (centres[left + 1] - centres[left])
