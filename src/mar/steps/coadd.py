"""Frames on one grid become one image: the mean of what agrees, weighted by how well each frame knows it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mar.config.coadd import Coadd
from mar.kernels import clipped_mean
from mar.steps.grid import Grid
from mar.steps.resample import PlacedFrame

_METHODS = {
    "clipped": clipped_mean.CLIPPED,
    "weighted": clipped_mean.WEIGHTED,
    "median": clipped_mean.MEDIAN,
}


class TileRows(NamedTuple):
    """A band of rows of a tile."""

    value: np.ndarray  #: (rows, nx) float32, in the unit of the placed frames
    weight: np.ndarray  #: (rows, nx) float32, inverse variance of the value; 0 = no trustworthy value
    number: np.ndarray  #: (rows, nx) int16, frames that went into it


def coadd(values: np.ndarray, weights: np.ndarray, config: Coadd) -> TileRows:
    """Combine resampled rows (n, rows, nx) with their inverse variances, as configured.

    The clipped mean is that of Gruen et al. (2014): weights come from the sky alone and differ in nothing
    between a star's core and its wings, so the PSF of the tile is linear.
    """
    shape = values.shape[1:]
    tile = TileRows(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int16))
    method = _METHODS[config.method]
    clipped_mean.coadd(values, weights, method, config.clip_sigma, config.clip_fraction, *tile)
    return tile


def coadd_rows(frames: Sequence[PlacedFrame], grid: Grid, y0: int, y1: int, config: Coadd) -> TileRows:
    """The rows y0 <= y < y1 of the tile."""
    values = np.empty((len(frames), y1 - y0, grid.size), np.float32)
    weights = np.empty_like(values)
    for index, frame in enumerate(frames):
        frame.resample(y0, values[index], weights[index])
    return coadd(values, weights, config)


def band_rows(n_frames: int, grid: Grid, memory_mb: int) -> int:
    """Rows per band (16 to 256) such that the resampled frames take about `memory_mb`."""
    row_mb = 8e-6 * n_frames * grid.size
    return int(np.clip(memory_mb / row_mb, 16, 256)) // 16 * 16
