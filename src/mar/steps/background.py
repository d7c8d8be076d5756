"""Background: the sky under the objects and its noise, smooth over the frame.

The mesh, the clipping and the spline are those of SExtractor (Bertin & Arnouts 1996, A&AS 117, 393).
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from mar.kernels.mesh import draw_rows
from mar.kernels.threads import bands, in_threads
from mar.masks import UNUSABLE
from mar.steps.rows import ArrayRows
from mar.steps.sky_mesh import sky_cells

BAND_ROWS = 256


@dataclass(frozen=True)
class Cubics:
    """A natural bicubic spline through the cells of a mesh, row by row; it goes on beyond the outer cells."""

    knots: np.ndarray  #: columns (pieces + 1,) between which the pieces lie
    rows: np.ndarray  #: their coefficients (ny, 4, pieces), of the third power first
    shape: tuple[int, int]  #: of the frame

    @classmethod
    def through(cls, y: np.ndarray, x: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> "Cubics":
        """Through `values` (cells in y, cells in x) at rows `y` and columns `x`."""
        y, values = _two_or_more(y, values)
        x, turned = _two_or_more(x, values.T)
        along_y = CubicSpline(y, turned.T, axis=0, bc_type="natural")(np.arange(shape[0]))
        rows = np.empty((shape[0], 4, len(x) - 1))

        def cut(band: tuple[int, int]) -> None:
            pieces = CubicSpline(x, along_y[slice(*band)], axis=1, bc_type="natural").c  # (4, pieces, rows)
            rows[slice(*band)] = pieces.transpose(2, 0, 1)

        in_threads(cut, bands(shape[0], BAND_ROWS))
        return cls(x.astype(float), rows, shape)

    def drawn(self) -> np.ndarray:
        """The spline in each pixel: (ny, nx) float32."""
        image = np.empty(self.shape, np.float32)

        def draw(band: tuple[int, int]) -> None:
            draw_rows(self.rows[slice(*band)], self.knots, image[slice(*band)])

        in_threads(draw, bands(self.shape[0], BAND_ROWS))
        return image


def _two_or_more(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A single row of values stands twice: a spline needs two."""
    if len(at) > 1:
        return at, values
    return np.array([at[0] - 1, at[0] + 1]), np.repeat(values, 2, axis=0)


@dataclass(frozen=True)
class Background:
    """The sky of one image. The arrays are made when asked for, so that nobody holds one for long."""

    levels: Cubics
    noises: Cubics
    level_adu: float  #: typical level, in the units of the image
    rms_adu: float  #: typical noise of one pixel, in the units of the image

    def level(self) -> np.ndarray:
        """The sky in each pixel: (ny, nx) float32."""
        return self.levels.drawn()

    def rms(self) -> np.ndarray:
        """The noise of the sky in each pixel, one sigma: (ny, nx) float32."""
        return self.noises.drawn()

    def subtracted_from(self, data: np.ndarray) -> np.ndarray:
        """A new (ny, nx) float32 image without its sky."""
        residual = self.level()
        np.subtract(data, residual, out=residual, dtype=np.float32, casting="same_kind")
        return residual


def estimate(
    data: np.ndarray,
    mask: np.ndarray | None = None,
    mesh_px: int = 256,
    filter_meshes: int = 3,
    bits: int = UNUSABLE,
) -> Background:
    """Measure the sky of `data` (ny, nx).

    In each mesh of about `mesh_px` pixels the mode is found from clipped values, leaving out pixels with any
    of `bits` in `mask` (uint8) and those that are not finite; a median filter `filter_meshes` wide drops the
    meshes with bright objects, and a bicubic spline joins the rest. Raises BadImage where all is masked.
    """
    readers = ArrayRows(data), None if mask is None else ArrayRows(mask)
    cells = sky_cells(*readers, int(bits), mesh_px, filter_meshes, sample=mesh_px**2)
    levels, noises = (
        Cubics.through(cells.y, cells.x, values, cells.shape) for values in (cells.level, cells.rms)
    )
    return Background(levels, noises, float(np.median(cells.level)), float(np.median(cells.rms)))
