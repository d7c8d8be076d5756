"""Choose the sources that the astrometry rests on: bright, round, uncrowded, evenly over the frame."""

import numpy as np
from astropy.table import Table

from mar.config.reduction import Reduction
from mar.config.scamp import Scamp
from mar.masks import Bit
from mar.steps import sources as detection

_SPOILED = detection.FLAG_SATURATED | detection.FLAG_TRUNCATED | detection.FLAG_OVERFLOW
_BAD_BITS = int(Bit.BAD | Bit.COSMIC | Bit.TRAIL)
_ENOUGH = 60  # with this many, blended stars can be left out


def usable(sources: Table, shape: tuple[int, ...], scamp: Scamp, reduction: Reduction) -> Table:
    """The sources fit for astrometry, brightest first; blended ones too, the bright ones of a crowd."""
    x, y, margin = sources["XWIN_IMAGE"], sources["YWIN_IMAGE"], reduction.cat_margin
    good = np.asarray(sources["SNR_WIN"] >= scamp.sn_thresholds[0])
    good &= np.asarray(sources["FLUX_AUTO"] > 0)
    width = np.asarray(sources["FWHM_IMAGE"])
    good &= (width >= scamp.fwhm_thresholds[0]) & (width <= scamp.fwhm_thresholds[1])
    good &= (np.asarray(sources["FLAGS"]) & _SPOILED) == 0
    good &= (np.asarray(sources["IMAFLAGS_ISO"]) & _BAD_BITS) == 0
    good &= np.asarray((x > margin) & (x <= shape[1] - margin) & (y > margin) & (y <= shape[0] - margin))
    chosen = sources[good]
    return chosen[np.argsort(-np.asarray(chosen["FLUX_AUTO"]), kind="stable")]


def unblended(sources: Table) -> Table:
    """Those that no neighbour pulls aside, where they are enough for a fit; else all."""
    alone = (np.asarray(sources["FLAGS"]) & detection.FLAG_BLENDED) == 0
    return sources[alone] if np.count_nonzero(alone) >= _ENOUGH else sources


def evenly(x: np.ndarray, y: np.ndarray, shape: tuple[int, ...], cells: int, each: int) -> np.ndarray:
    """Indices of the first `each` stars of each of cells x cells parts of the frame, order kept.

    `x`, `y` are pixels counted from 1 of stars ordered by brightness.
    """
    column = np.clip((np.asarray(x) - 0.5) / shape[1] * cells, 0, cells - 1).astype(int)
    row = np.clip((np.asarray(y) - 0.5) / shape[0] * cells, 0, cells - 1).astype(int)
    cell = row * cells + column
    order = np.argsort(cell, kind="stable")
    _, start, count = np.unique(cell[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(start, count)
    return np.sort(order[rank < each])
