"""Resampling of a frame to the tile's grid, band of rows by band of rows."""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS

from mar.kernels import resample as kernel
from mar.steps.frame_rows import FrameRows
from mar.steps.grid import Grid
from mar.steps.lattice import STEP, Surface, area, look_up, nodes, position_surfaces
from mar.steps.sky_mesh import RowReader, SkyMesh

RMS_STEP = 64  #: pixels between the places where the noise of a frame is kept


@dataclass(frozen=True)
class PlacedFrame:
    """A frame and where it lies on the grid: a few numbers per 128 x 128 pixels, however large it is."""

    rows: FrameRows
    grid: Grid
    column: Surface  #: of the frame, over the grid
    row: Surface
    factor: float | None  #: for the values; None: the local ratio of the pixel areas
    noise: np.ndarray  #: rms at every RMS_STEP-th pixel of the frame, after scaling
    table: np.ndarray  #: of the interpolation

    def resample(self, y0: int, values: np.ndarray, weights: np.ndarray) -> None:
        """Fill the grid's rows from `y0` on: `values` and inverse variances `weights`, both (rows, nx).

        Weight 0: outside the frame. Negative weight: the nearest pixel of the frame is masked.
        """
        start = y0 // STEP * STEP
        rows = np.arange(start, y0 + values.shape[0] + STEP, STEP)
        x, y = self._positions(rows)
        reach = self._frame_rows(x, y)
        if reach is None:
            values.fill(0)
            weights.fill(0)
            return
        factor = self._factor(rows)
        weight = (look_up(self.noise, RMS_STEP, x, y) * factor) ** -2
        lattice = np.stack([x, y, factor, weight])
        image, bad = self.rows.window(*reach)
        kernel.resample(image, bad, reach[0], lattice, STEP, y0 - start, self.table, values, weights)

    def overlaps(self) -> bool:
        """Whether any pixel of the frame lies on the grid."""
        return self._frame_rows(*self._positions(nodes(self.grid.size))) is not None

    def _positions(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        columns = nodes(self.grid.size)
        return self.column.at(rows, columns), self.row.at(rows, columns)

    def _factor(self, rows: np.ndarray) -> np.ndarray:
        columns = nodes(self.grid.size)
        if self.factor is None:
            return area(self.column, self.row, rows, columns)
        return np.full((len(rows), len(columns)), self.factor)

    def _frame_rows(self, x: np.ndarray, y: np.ndarray) -> tuple[int, int] | None:
        """The rows of the frame that the cells between these positions need."""
        ny, nx = self.rows.shape
        near = (x > -2 * STEP) & (x < nx + 2 * STEP)
        if not near.any():
            return None
        # one node further: a cell may enter the frame between its nodes
        near = near | np.roll(near, 1, axis=1) | np.roll(near, -1, axis=1)
        taps = self.table.shape[1]
        first = max(0, int(np.floor(y[near].min())) - taps)
        last = min(ny, int(np.ceil(y[near].max())) + taps)
        return (first, last) if last - first >= taps else None


def place(
    image: RowReader,
    mask: RowReader | None,
    wcs: WCS,
    sky: SkyMesh,
    grid: Grid,
    scale: float,
    interpolation: str = "lanczos3",
    flux_scaling: str = "fixed",
    subtract_sky: bool = True,
) -> PlacedFrame:
    """Place a frame (ADU) on the grid; its values are sky-subtracted and multiplied by `scale`.

    `flux_scaling` is SWarp's: interpolation keeps the surface brightness, which a flat field has made right.
    "fixed" multiplies it by the ratio of the grid's to the frame's pixel area at the frame's centre,
    "variable" by the local ratio (it conserves the flux of each star where the frame was not flattened with
    the sky), "none" by 1.

    Weights are the inverse variance of the sky in the frame, after scaling: they hold what the vignetting
    does to the noise.
    """
    column, row = position_surfaces(grid, wcs)
    factor = {"none": 1.0, "variable": None}.get(flux_scaling, _central_area(column, row, grid, sky.shape))
    noise = np.maximum(sky.rms_over(RMS_STEP) * abs(scale), np.finfo(np.float32).tiny ** 0.5)
    level = sky.level_surface() if subtract_sky else None
    table = kernel.interpolation_table(interpolation)
    return PlacedFrame(FrameRows(image, mask, level, scale), grid, column, row, factor, noise, table)


def _central_area(column: Surface, row: Surface, grid: Grid, shape: tuple[int, int]) -> float:
    """Frame pixels per grid pixel where the grid is nearest to the frame's centre."""
    at = nodes(grid.size)
    away = (column.at(at, at) - shape[1] / 2) ** 2 + (row.at(at, at) - shape[0] / 2) ** 2
    y, x = np.unravel_index(np.argmin(away), away.shape)
    return float(area(column, row, at[[y]], at[[x]])[0, 0])
