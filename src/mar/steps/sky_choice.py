"""Which sky is taken off a frame: the mesh as it is, one safe for large galaxies, or a constant."""

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.ndimage import binary_dilation

from mar.steps.sky_mesh import SkyMesh

Mode = Literal["mesh", "galaxy", "constant"]
HIGH = 2.5  # sigma of the cells about the smooth sky, above which a cell shows something else
ROUNDS = 20
NEIGHBOURS = np.ones((3, 3), bool)


def chosen_sky(sky: SkyMesh, mode: Mode) -> SkyMesh:
    """The sky to subtract.

    "mesh" follows the sky, but takes the outskirts of what is larger than its cells for sky. "galaxy"
    replaces cells that stand out upwards, and their neighbours, by a polynomial of degree 2 through the
    others: the sky is smooth over a frame, a galaxy or a halo is not. Most cells must be sky.
    "constant" takes off the median of the cells and leaves every gradient in.
    """
    if mode == "constant":
        return replace(sky, level=np.full_like(sky.level, np.median(sky.level)))
    if mode == "galaxy":
        return without_galaxies(sky)
    return sky


def without_galaxies(sky: SkyMesh) -> SkyMesh:
    """A mesh whose outstanding cells follow the smooth sky of the others; with under 12 cells as it is."""
    terms = _terms(sky)
    if sky.level.size < 2 * terms.shape[-1]:
        return sky
    clean = np.ones(sky.level.shape, bool)
    for _ in range(ROUNDS):
        away = sky.level - _fitted(terms, sky.level, clean)
        # what a galaxy adds is upwards only: the lower half tells how much the sky itself scatters
        below = away[clean & (away < 0)]
        sigma = 1.4826 * np.median(-below) if below.size else 0.0
        now = ~binary_dilation(away > HIGH * sigma, NEIGHBOURS) if sigma > 0 else clean
        if now.sum() < max(terms.shape[-1], clean.size / 3) or (now == clean).all():
            break
        clean = now
    return replace(
        sky,
        level=np.where(clean, sky.level, _fitted(terms, sky.level, clean)),
        rms=np.where(clean, sky.rms, np.clip(_fitted(terms, sky.rms, clean), *_range(sky.rms[clean]))),
    )


def _terms(sky: SkyMesh) -> np.ndarray:
    """1, x, y, x^2, x y, y^2 of the cells: (cells in y, cells in x, 6)."""
    y, x = np.meshgrid(sky.y / sky.shape[0] - 0.5, sky.x / sky.shape[1] - 0.5, indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _fitted(terms: np.ndarray, values: np.ndarray, clean: np.ndarray) -> np.ndarray:
    return np.asarray(terms @ np.linalg.lstsq(terms[clean], values[clean], rcond=None)[0])


def _range(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())
