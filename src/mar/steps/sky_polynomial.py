"""The sky of a frame as a polynomial of second degree: what fringes lie on."""

from dataclasses import dataclass

import numpy as np

from mar.errors import BadImage
from mar.kernels.boxes import box_statistics
from mar.steps.rows import Rows

GRID = 16  # boxes along each side
LEAST = 100  # usable pixels that a box needs
SAMPLE = 64  # pixels of a box that are looked at, along each side
CLIP_SIGMA = 3.0
ROUNDS = 10


def terms(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """1, x, y, x^2, xy, y^2 at coordinates from -1 to 1, along a new last axis."""
    y, x = np.broadcast_arrays(y, x)
    return np.stack([np.ones(x.shape), x, y, x * x, x * y, y * y], axis=-1)


def unit(at: np.ndarray, length: int) -> np.ndarray:
    """Pixels 0..length-1 as -1..1."""
    return 2.0 * at / max(1, length - 1) - 1.0


@dataclass(frozen=True)
class SkyPolynomial:
    """The sky of one frame."""

    coefficients: np.ndarray  #: of 1, x, y, x^2, xy, y^2
    shape: tuple[int, ...]  #: of the frame
    level: float  #: mean over the frame, ADU
    noise: float  #: of a pixel, ADU

    def rows(self, y0: int, y1: int) -> np.ndarray:
        """The rows y0 <= y < y1, float32 ADU."""
        one, x, y, xx, xy, yy = self.coefficients
        across = unit(np.arange(self.shape[1]), self.shape[1])[None, :]
        up = unit(np.arange(y0, y1), self.shape[0])[:, None]
        return ((one + x * across + xx * across**2) + up * (y + xy * across) + yy * up**2).astype(np.float32)


def fit_sky(image: Rows, mask: Rows | None, bits: int) -> SkyPolynomial:
    """Fit the modes of 16 x 16 boxes, read in bands of rows; boxes beyond 3 sigma are left out.

    Pixels that are not finite or have any of the mask's `bits` take no part. Raises BadImage where fewer than
    a quarter of the boxes has sky.
    """
    ny, nx = image.shape[:2]
    y_edges, x_edges = (np.linspace(0, n, min(GRID, n) + 1).astype(np.int64) for n in (ny, nx))
    boxes = np.empty((len(y_edges) - 1, len(x_edges) - 1, 3))
    step = max(1, min(ny, nx) // GRID // SAMPLE)
    for j, (y0, y1) in enumerate(zip(y_edges[:-1].tolist(), y_edges[1:].tolist(), strict=True)):
        rows = np.ascontiguousarray(image.rows(y0, y1), dtype=np.float32)
        masked = np.zeros((0, 0), dtype=np.uint8) if mask is None else np.ascontiguousarray(mask.rows(y0, y1))
        box_statistics(rows, masked, bits, np.array([0, y1 - y0]), x_edges, step, LEAST, boxes[j : j + 1])
    used = np.isfinite(boxes[..., 0])
    if used.sum() < used.size / 4:
        raise BadImage(f"only {used.sum()} of {used.size} boxes show sky")
    y, x = (unit((edges[:-1] + edges[1:] - 1) / 2, n) for edges, n in ((y_edges, ny), (x_edges, nx)))
    coefficients = _fit(terms(y[:, None], x[None, :])[used], boxes[..., 0][used])
    level = float(coefficients @ np.array([1, 0, 0, 1 / 3, 0, 1 / 3]))
    return SkyPolynomial(coefficients, (ny, nx), level, float(np.median(boxes[..., 2][used])))


def _fit(design: np.ndarray, modes: np.ndarray) -> np.ndarray:
    kept = np.ones(len(modes), dtype=bool)
    for _ in range(ROUNDS):
        coefficients = np.linalg.lstsq(design[kept], modes[kept], rcond=None)[0]
        off = np.abs(modes - design @ coefficients)
        still = off <= CLIP_SIGMA * max(1.4826 * float(np.median(off[kept])), 1e-6)
        if (still == kept).all() or still.sum() < 2 * design.shape[1]:
            break
        kept = still
    return coefficients
