"""Smooth functions of an image: cubic splines, given to the kernels at every STEP-th pixel."""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import map_coordinates

from mar.steps.grid import Grid

STEP = 32  #: pixels between the nodes; linear interpolation of a TPV of 1 degree errs by < 1e-3 pixel
COARSE = 128  #: pixels between the positions that are computed exactly


def nodes(length: int, step: int = STEP) -> np.ndarray:
    """Zero-based pixels 0, step, 2 step ... up to the first beyond the last pixel."""
    return np.arange(0, length + step, step)


@dataclass(frozen=True)
class Surface:
    """A cubic spline through values on a grid of rows and columns; constant beyond them."""

    spline: RectBivariateSpline
    rows: tuple[float, float]  #: the outermost ones
    columns: tuple[float, float]

    @classmethod
    def through(cls, y: np.ndarray, x: np.ndarray, values: np.ndarray) -> "Surface":
        """Through `values` at rows `y` and columns `x`; with fewer than four of them the degree is lower."""
        y, values = _two_or_more(y, values)
        x, turned = _two_or_more(x, values.T)
        spline = RectBivariateSpline(y, x, turned.T, kx=min(3, len(y) - 1), ky=min(3, len(x) - 1))
        return cls(spline, (y[0], y[-1]), (x[0], x[-1]))

    def at(self, rows: np.ndarray, columns: np.ndarray, along_y: int = 0, along_x: int = 0) -> np.ndarray:
        """Values (or derivatives) at all crossings of ascending rows and columns, (rows, columns)."""
        rows, columns = np.clip(rows, *self.rows), np.clip(columns, *self.columns)
        return np.ascontiguousarray(self.spline(rows, columns, dx=along_y, dy=along_x))

    def over(self, shape: tuple[int, int], step: int = STEP) -> np.ndarray:
        """Values at every `step`-th pixel of an image of that shape."""
        return self.at(nodes(shape[0], step), nodes(shape[1], step))


def _two_or_more(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A single row of values stands twice: a spline needs two."""
    if len(at) > 1:
        return at, values
    return np.array([at[0] - 1, at[0] + 1]), np.repeat(values, 2, axis=0)


def position_surfaces(grid: Grid, frame_wcs: WCS) -> tuple[Surface, Surface]:
    """Column and row (zero-based) in the frame as functions of the grid's pixel."""
    coarse = nodes(grid.size, COARSE)
    columns, rows = np.meshgrid(coarse, coarse)
    x, y = grid.pixels_of(frame_wcs, columns.ravel().astype(float), rows.ravel().astype(float))
    exact = (_extrapolated(at.reshape(columns.shape), columns, rows) for at in (x, y))
    column, row = (Surface.through(coarse, coarse, at) for at in exact)
    return column, row


def _extrapolated(at: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Positions with those that have no solution (far off the frame) put where a plane has them."""
    known = np.isfinite(at)
    if known.all():
        return at
    if known.sum() < 3:
        return np.full(at.shape, -1e9)
    plane = np.column_stack([np.ones(at.size), columns.ravel(), rows.ravel()])
    fit = np.linalg.lstsq(plane[known.ravel()], at[known], rcond=None)[0]
    return np.where(known, at, (plane @ fit).reshape(at.shape))


def area(x: Surface, y: Surface, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Frame pixels per grid pixel at the crossings of the grid's rows and columns."""
    x_row, y_row = (at.at(rows, columns, along_y=1) for at in (x, y))
    x_column, y_column = (at.at(rows, columns, along_x=1) for at in (x, y))
    return np.abs(x_column * y_row - x_row * y_column)


def look_up(values: np.ndarray, step: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What Surface.over gave at every `step`-th pixel, at pixels x, y; beyond the image as at its edge."""
    return map_coordinates(values, [y / step, x / step], order=1, mode="nearest", output=np.float64)
