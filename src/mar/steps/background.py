"""Background: the sky under the objects and its noise, smooth over the frame.

The mesh and the clipping are those of SExtractor (Bertin & Arnouts 1996, A&AS 117, 393), by `sep`
(Barbary 2016, JOSS 1, 58).
"""

from dataclasses import dataclass

import numpy as np
import sep

from mar.masks import UNUSABLE


@dataclass(frozen=True)
class Background:
    """The sky of one image. The arrays are made when asked for, so that nobody holds one for long."""

    _splines: sep.Background
    level_adu: float  #: typical level, in the units of the image
    rms_adu: float  #: typical noise of one pixel, in the units of the image

    def level(self) -> np.ndarray:
        """The sky in each pixel: (ny, nx) float32."""
        return self._splines.back(dtype=np.float32)

    def rms(self) -> np.ndarray:
        """The noise of the sky in each pixel, one sigma: (ny, nx) float32."""
        return self._splines.rms(dtype=np.float32)

    def subtracted_from(self, data: np.ndarray) -> np.ndarray:
        """A new (ny, nx) float32 image without its sky."""
        residual = data.astype(np.float32)
        self._splines.subfrom(residual)
        return residual


def estimate(
    data: np.ndarray,
    mask: np.ndarray | None = None,
    mesh_px: int = 256,
    filter_meshes: int = 3,
    bits: int = UNUSABLE,
) -> Background:
    """Measure the sky of `data` (ny, nx).

    In each mesh of `mesh_px` pixels the mode is found from clipped values, leaving out pixels with any of
    `bits` in `mask` (uint8) and those that are not finite; a median filter `filter_meshes` wide drops the
    meshes with bright objects, and a bicubic spline joins the rest.
    """
    pixels = np.ascontiguousarray(data, dtype=np.float32)
    splines = sep.Background(
        pixels,
        mask=_left_out(pixels, mask, bits),
        bw=mesh_px,
        bh=mesh_px,
        fw=filter_meshes,
        fh=filter_meshes,
    )
    return Background(splines, float(splines.globalback), float(splines.globalrms))


def _left_out(data: np.ndarray, mask: np.ndarray | None, bits: int) -> np.ndarray | None:
    masked = None if mask is None else (mask & np.uint8(bits)) != 0
    # a sum is finite only if all its terms are: no array of flags for the usual, clean frame
    if not np.isfinite(data.sum(dtype=np.float64)):
        holes = ~np.isfinite(data)
        masked = holes if masked is None else masked | holes
    return masked
