"""Smooth functions of an image, known at every STEP-th pixel and interpolated between by the kernels."""

import numpy as np
from astropy.wcs import WCS
from scipy.interpolate import RectBivariateSpline

from mar.steps.grid import Grid

STEP = 16  #: pixels between the nodes; linear interpolation of a TPV of 1 degree errs by < 1e-3 pixel
COARSE = 128  #: pixels between the positions that are computed exactly


def nodes(length: int, step: int = STEP) -> np.ndarray:
    """Zero-based pixels 0, step, 2 step ... up to the first beyond the last pixel."""
    return np.arange(0, length + step, step)


def refine(y: np.ndarray, x: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Cubic spline through `values` at rows `y` and columns `x`, at the nodes of an image of that shape.

    With fewer than four rows or columns the degree is lower; beyond the outermost values it stays constant.
    """
    y, values = _two_or_more(y, values)
    x, turned = _two_or_more(x, values.T)
    spline = RectBivariateSpline(y, x, turned.T, kx=min(3, len(y) - 1), ky=min(3, len(x) - 1))
    rows, columns = nodes(shape[0]), nodes(shape[1])
    return np.ascontiguousarray(spline(np.clip(rows, y[0], y[-1]), np.clip(columns, x[0], x[-1])))


def _two_or_more(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A single row of values stands twice: a spline needs two."""
    if len(at) > 1:
        return at, values
    return np.array([at[0] - 1, at[0] + 1]), np.repeat(values, 2, axis=0)


def position_lattice(grid: Grid, frame_wcs: WCS) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows (zero-based) in the frame of the grid's nodes, two arrays (my, mx)."""
    coarse = nodes(grid.size, COARSE)
    columns, rows = np.meshgrid(coarse, coarse)
    x, y = grid.pixels_of(frame_wcs, columns.ravel().astype(float), rows.ravel().astype(float))
    exact = [_extrapolated(at.reshape(columns.shape), columns, rows) for at in (x, y)]
    return tuple(refine(coarse, coarse, at, grid.shape) for at in exact)  # type: ignore[return-value]


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


def area_lattice(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Frame pixels per grid pixel at the nodes, from the positions (my, mx) of position_lattice."""
    x_row, x_column = np.gradient(x, STEP)
    y_row, y_column = np.gradient(y, STEP)
    return np.abs(x_column * y_row - x_row * y_column)


def look_up(lattice: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of a frame's `lattice` at its pixels x, y; beyond the frame those of its edge."""
    row = np.clip(np.rint(y / STEP).astype(int), 0, lattice.shape[0] - 1)
    column = np.clip(np.rint(x / STEP).astype(int), 0, lattice.shape[1] - 1)
    return lattice[row, column]
