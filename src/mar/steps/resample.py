"""Resampling of a frame to the tile's grid, band of rows by band of rows."""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS

from mar.kernels import resample as kernel
from mar.steps.frame_rows import FrameRows
from mar.steps.grid import Grid
from mar.steps.lattice import STEP, area_lattice, look_up, position_lattice
from mar.steps.sky_mesh import RowReader, SkyMesh


@dataclass(frozen=True)
class PlacedFrame:
    """A frame and where it lies on the grid."""

    rows: FrameRows
    lattice: np.ndarray  #: (4, my, mx): frame column, frame row, factor, weight at the grid's nodes
    table: np.ndarray  #: of the interpolation

    def resample(self, y0: int, values: np.ndarray, weights: np.ndarray) -> None:
        """Fill the grid's rows from `y0` on: `values` and inverse variances `weights`, both (rows, nx).

        Weight 0: outside the frame. Negative weight: the nearest pixel of the frame is masked.
        """
        reach = self._frame_rows(y0, y0 + values.shape[0])
        if reach is None:
            values.fill(0)
            weights.fill(0)
            return
        image, bad = self.rows.window(*reach)
        kernel.resample(image, bad, reach[0], self.lattice, STEP, y0, self.table, values, weights)

    def overlaps(self) -> bool:
        """Whether any pixel of the frame lies on the grid."""
        return self._frame_rows(0, (self.lattice.shape[1] - 1) * STEP) is not None

    def _frame_rows(self, y0: int, y1: int) -> tuple[int, int] | None:
        """The rows of the frame that these rows of the grid need."""
        ny, nx = self.rows.shape
        part = self.lattice[:2, y0 // STEP : (y1 - 1) // STEP + 2]
        near = (part[0] > -2 * STEP) & (part[0] < nx + 2 * STEP)
        if not near.any():
            return None
        # one node further: a cell may enter the frame between its nodes
        near = near | np.roll(near, 1, axis=1) | np.roll(near, -1, axis=1)
        taps = self.table.shape[1]
        first = max(0, int(np.floor(part[1][near].min())) - taps)
        last = min(ny, int(np.ceil(part[1][near].max())) + taps)
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
    x, y = position_lattice(grid, wcs)
    factor = _area_factor(x, y, sky.shape, flux_scaling)
    noise = look_up(sky.rms_lattice(), x, y) * abs(scale) * factor
    weight = 1 / np.maximum(noise, np.finfo(np.float32).tiny ** 0.5) ** 2
    level = sky.level_lattice()
    rows = FrameRows(image, mask, level if subtract_sky else np.zeros_like(level), scale)
    return PlacedFrame(rows, np.stack([x, y, factor, weight]), kernel.interpolation_table(interpolation))


def _area_factor(x: np.ndarray, y: np.ndarray, shape: tuple[int, int], flux_scaling: str) -> np.ndarray:
    if flux_scaling == "none":
        return np.ones_like(x)
    area = area_lattice(x, y)
    if flux_scaling == "variable":
        return area
    centre = np.argmin((x - shape[1] / 2) ** 2 + (y - shape[0] / 2) ** 2)
    return np.full_like(area, area.flat[centre])
