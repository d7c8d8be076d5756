"""Catalogues with a stamp of each source, as PSFEx wants them."""

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table

BLANK = np.float32(-1e30)


def extraction_header(header: Header, level: float, noise: float, gain: float) -> Header:
    """The image's header with what PSFEx asks of whoever extracted: sky, its noise, gain (e-/ADU)."""
    told = header.copy()
    told["SEXBKGND"] = (float(level), "level of the sky")
    told["SEXBKDEV"] = (float(noise), "noise of the sky")
    told["SEXGAIN"] = (float(gain), "[e-/adu] gain")
    return told


def with_vignets(table: Table, subtracted: np.ndarray, excluded: np.ndarray | None, side: int = 35) -> Table:
    """The table with VIGNET (side, side): the sky-free image around each source.

    `subtracted` (ny, nx) has no sky; pixels beyond it, and where `excluded` (bool), hold SExtractor's -1e30.
    """
    half = side // 2
    clean = subtracted if excluded is None else np.where(excluded, BLANK, subtracted)
    padded = np.pad(np.asarray(clean, dtype=np.float32), half, constant_values=BLANK)
    x, y = (np.rint(np.asarray(table[name], dtype=float)).astype(int) - 1 for name in ("X_IMAGE", "Y_IMAGE"))
    stamps = np.lib.stride_tricks.sliding_window_view(padded, (side, side))[y, x]
    whole = table.copy()
    whole["VIGNET"] = stamps
    whole["VIGNET"].unit = "count"
    return whole
