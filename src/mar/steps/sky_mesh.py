"""The background of a frame as a small mesh of levels, measured while its rows stream past."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numba import get_num_threads
from scipy.ndimage import distance_transform_edt, median_filter
from scipy.special import erf

from mar.errors import BadImage
from mar.kernels.mesh import mesh_row
from mar.masks import UNUSABLE, Bit
from mar.steps.lattice import Surface

SAMPLE = 32768  #: pixels looked at in a cell: the level is known to 1 % of the noise of a pixel
READ_AHEAD = 3  # mesh rows that are held while others are measured
NOT_SKY = int(UNUSABLE | Bit.HOLE | Bit.OBJECT)


class RowReader(Protocol):
    """An image of which bands of rows can be read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """The rows y0 <= y < y1, (y1 - y0, nx); they stay as they are while others are read."""


@dataclass(frozen=True)
class SkyMesh:
    """Level and rms (cells in y, cells in x) at the centres of the cells, in the frame's unit."""

    y: np.ndarray  #: rows of the centres
    x: np.ndarray  #: columns of the centres
    level: np.ndarray
    rms: np.ndarray
    shape: tuple[int, int]  #: of the frame

    def level_surface(self) -> Surface:
        """The level as a bicubic spline."""
        return Surface.through(self.y, self.x, self.level)

    def rms_over(self, step: int) -> np.ndarray:
        """The rms at every `step`-th pixel of the frame, never below half the smallest cell's."""
        rms = Surface.through(self.y, self.x, self.rms).over(self.shape, step)
        return np.maximum(rms, 0.5 * self.rms.min()).astype(np.float32)


def measure_sky(
    image: RowReader, mask: RowReader | None, cell: int, filter_size: int = 5, clip_sigma: float = 3.0
) -> SkyMesh:
    """Background mesh of cells of about `cell` pixels, median-filtered over filter_size x filter_size cells.

    The rule of SExtractor (Bertin & Arnouts 1996): values clipped about the median, level
    2.5 median - 1.5 mean unless the cell is crowded. Cells without enough sky take the nearest one's. Masked
    pixels and those of detected objects are left out. Raises BadImage where no cell has sky.
    """
    mesh = sky_cells(image, mask, NOT_SKY, cell, filter_size, clip_sigma)
    return replace(mesh, rms=mesh.rms / _noise_left(clip_sigma))


def sky_cells(
    image: RowReader,
    mask: RowReader | None,
    bits: int,
    cell: int,
    filter_size: int,
    clip_sigma: float = 3.0,
    sample: int = SAMPLE,
) -> SkyMesh:
    """As `measure_sky`, with the mask bits of choice, and the rms that of the values left by the clipping.

    In cells of more than `sample` pixels every second, third ... pixel of every second, third ... row is
    looked at.
    """
    ny, nx = image.shape[:2]
    row_edges, column_edges = _edges(ny, cell), _edges(nx, cell)
    level = np.empty((len(row_edges) - 1, len(column_edges) - 1))
    rms = np.empty_like(level)
    stride = max(1, int(np.ceil(cell / np.sqrt(sample))))
    nothing = np.zeros((0, 0), np.uint8)
    measured: deque[Future[None]] = deque()
    with ThreadPoolExecutor(get_num_threads()) as pool:
        for index, (y0, y1) in enumerate(pairwise(row_edges)):
            rows = np.ascontiguousarray(image.rows(y0, y1), dtype=np.float32)
            masked = nothing if mask is None else np.ascontiguousarray(mask.rows(y0, y1))
            into = level[index], rms[index]
            measured.append(
                pool.submit(mesh_row, rows, masked, bits, column_edges, stride, clip_sigma, *into)
            )
            if len(measured) > READ_AHEAD:  # no more rows are held
                measured.popleft().result()
        for one in measured:
            one.result()
    if not np.isfinite(level).any():
        raise BadImage("no part of the frame shows the sky: all of it is masked")
    y = (row_edges[:-1] + row_edges[1:] - 1) / 2
    x = (column_edges[:-1] + column_edges[1:] - 1) / 2
    return SkyMesh(y, x, _smooth(level, filter_size), _smooth(rms, filter_size), (ny, nx))


def _noise_left(clip_sigma: float) -> float:
    """Standard deviation of normal values of which those beyond clip_sigma have been cut off."""
    density = np.exp(-(clip_sigma**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sqrt(1 - 2 * clip_sigma * density / erf(clip_sigma / np.sqrt(2))))


def _edges(length: int, cell: int) -> np.ndarray:
    """Edges of equal cells as near to `cell` pixels as fit."""
    return np.linspace(0, length, max(1, round(length / cell)) + 1).round().astype(int)


def _smooth(mesh: np.ndarray, size: int) -> np.ndarray:
    """The mesh with its empty cells filled by the nearest, and the median of size x size cells taken."""
    empty = ~np.isfinite(mesh)
    if empty.any():
        nearest = distance_transform_edt(empty, return_distances=False, return_indices=True)
        mesh = mesh[tuple(nearest)]
    half = size // 2
    if half == 0 or mesh.size == 1:
        return mesh
    smooth = np.empty_like(mesh)
    # a smaller window at the edge, with the cell still in its middle, as SExtractor has it
    up, across = (np.minimum(half, np.minimum(np.arange(n), np.arange(n)[::-1])) for n in mesh.shape)
    for height in range(half + 1):
        for width in range(half + 1):
            here = np.ix_(up == height, across == width)
            smooth[here] = median_filter(mesh, (2 * height + 1, 2 * width + 1))[here]
    return smooth
