"""Resampling of a frame to the tile's grid, band of rows by band of rows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS

from mar.kernels import resample as any_way
from mar.kernels import two_pass
from mar.steps.frame_rows import FrameRows
from mar.steps.grid import Grid
from mar.steps.lattice import COARSE, STEP, Surface, area, look_up, nodes, position_surfaces
from mar.steps.sky_mesh import RowReader, SkyMesh

MESH_STEP = 64  #: pixels between the places where the level and noise of a frame are kept
STEEPEST = 0.1  #: columns per row, and the reverse, up to which two passes do


class Cut(NamedTuple):
    """What the rows of a grid need of a frame."""

    image: np.ndarray  #: rows of the frame
    bad: np.ndarray  #: their mask, 0 = to be trusted
    first_row: int  #: of the frame
    grid_row: int  #: where the lattice begins
    lattice: np.ndarray  #: (5, my, mx): column, row, level, factor, weight at every STEP-th pixel of the grid


@dataclass(frozen=True)
class PlacedFrame:
    """A frame and where it lies on the grid: a few numbers per 64 x 64 pixels, however large it is."""

    rows: FrameRows
    grid: Grid
    column: Surface  #: of the frame, over the grid
    row: Surface
    scale: float  #: for what is left after the sky
    area: float | None  #: frame pixels per grid pixel; None: the local ratio
    level: np.ndarray  #: of the sky at every MESH_STEP-th pixel of the frame
    noise: np.ndarray  #: rms there, after scaling
    interpolation: str
    turned: bool  #: so much against the grid that two passes do not do
    mirrored: bool  #: left and right of the frame change places first

    def cut(self, y0: int, y1: int) -> Cut | None:
        """What the rows y0 <= y < y1 of the grid need; None where the frame does not reach them."""
        rows = np.arange(y0 // STEP * STEP, y1 + STEP, STEP)
        columns = nodes(self.grid.size)
        x, y = self.column.at(rows, columns), self.row.at(rows, columns)
        reach = self._frame_rows(x, y)
        if reach is None:
            return None
        factor = area(self.column, self.row, rows, columns) if self.area is None else self.area
        level, noise = (look_up(values, MESH_STEP, x, y) for values in (self.level, self.noise))
        x = self.rows.shape[1] - 1 - x if self.mirrored else x
        lattice = np.stack(np.broadcast_arrays(x, y, level, factor * self.scale, (noise * factor) ** -2))
        return Cut(*self.rows.window(*reach), reach[0], int(rows[0]), lattice)

    def fill(self, cut: Cut | None, y0: int, values: np.ndarray, weights: np.ndarray) -> None:
        """Fill the grid's rows from `y0` on: `values` and inverse variances `weights`, both (rows, nx).

        Weight 0: outside the frame. Negative weight: the nearest pixel of the frame is masked.
        """
        if cut is None:
            values.fill(0)
            weights.fill(0)
            return
        image, bad, first_row, grid_row, lattice = cut
        where = first_row, lattice, STEP, y0 - grid_row
        if self.turned:
            table = any_way.interpolation_table(self.interpolation)
            any_way.resample(image, bad, *where, table, values, weights)
        else:
            two_pass.resample(image, bad, *where, self.interpolation, values, weights)

    def resample(self, y0: int, values: np.ndarray, weights: np.ndarray) -> None:
        """`fill` with the `cut` of these rows."""
        self.fill(self.cut(y0, y0 + len(values)), y0, values, weights)

    def overlaps(self) -> bool:
        """Whether any pixel of the frame lies on the grid."""
        at = nodes(self.grid.size, COARSE)
        return self._frame_rows(self.column.at(at, at), self.row.at(at, at), COARSE) is not None

    def weights_over(self, step: int) -> np.ndarray:
        """Inverse variance at every `step`-th pixel of the grid, also beyond the frame's edge."""
        at = nodes(self.grid.size, step)
        factor = area(self.column, self.row, at, at) if self.area is None else self.area
        noise = look_up(self.noise, MESH_STEP, self.column.at(at, at), self.row.at(at, at))
        return np.asarray((noise * factor) ** -2, np.float32)

    def _frame_rows(self, x: np.ndarray, y: np.ndarray, step: int = STEP) -> tuple[int, int] | None:
        """The rows of the frame that the cells between these positions need."""
        ny, nx = self.rows.shape
        near = (x > -2 * step) & (x < nx + 2 * step)
        if not near.any():
            return None
        # one node further: a cell may enter the frame between its nodes
        near = near | np.roll(near, 1, axis=1) | np.roll(near, -1, axis=1)
        taps = any_way.TAPS[self.interpolation]
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

    Weights are the inverse variance of the sky in the frame, after scaling: measured on the flat-fielded
    frame, they hold what the flat field does to the noise.
    """
    column, row = position_surfaces(grid, wcs)
    factor = {"none": 1.0, "variable": None}.get(flux_scaling, _central_area(column, row, grid, sky.shape))
    noise = np.maximum(sky.rms_over(MESH_STEP) * abs(scale), np.finfo(np.float32).tiny ** 0.5)
    level = sky.level_surface().over(sky.shape, MESH_STEP).astype(np.float32)
    turned, mirrored = _attitude(column, row, grid)
    rows = FrameRows(image, mask, float(np.median(level)), mirrored and not turned)
    return PlacedFrame(
        rows, grid, column, row, scale, factor, level * subtract_sky, noise, interpolation,
        turned or not interpolation.startswith("lanczos"), mirrored and not turned,
    )  # fmt: skip


def _attitude(column: Surface, row: Surface, grid: Grid) -> tuple[bool, bool]:
    """Whether a frame is turned or scaled too much for two passes, and whether it is mirrored."""
    at = nodes(grid.size, COARSE)
    along = column.at(at, at, along_x=1)
    across = max(np.abs(column.at(at, at, along_y=1)).max(), np.abs(row.at(at, at, along_x=1)).max())
    one_way = (along > 0).all() or (along < 0).all()
    even = np.abs(along).min() > 0.5 and np.abs(along).max() < 2
    return not (one_way and even and across < STEEPEST), bool(along.flat[0] < 0)


def _central_area(column: Surface, row: Surface, grid: Grid, shape: tuple[int, int]) -> float:
    """Frame pixels per grid pixel where the grid is nearest to the frame's centre."""
    at = nodes(grid.size, COARSE)
    away = (column.at(at, at) - shape[1] / 2) ** 2 + (row.at(at, at) - shape[0] / 2) ** 2
    y, x = np.unravel_index(np.argmin(away), away.shape)
    return float(area(column, row, at[[y]], at[[x]])[0, 0])
