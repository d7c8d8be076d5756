"""The stars of a catalogue that show the PSF."""

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from mar.config.reduction import Reduction


def psf_stars(catalogue: Table, config: Reduction, isolation_px: float = 0.0) -> Table:
    """At most FWHM_NOBJECTS isolated, round, unflagged stars, those of the highest signal to noise first.

    They lie within the limits FWHM_ISOAREAMIN, FWHM_ELLIPMAX, FWHM_SNmin and MAX_SNR, in the stellar locus of
    FWHM_IMAGE (three robust deviations about its mode), and have no other object within `isolation_px`.
    """
    snr = np.asarray(catalogue["FLUX_AUTO"]) / np.maximum(np.asarray(catalogue["FLUXERR_AUTO"]), 1e-30)
    width = np.asarray(catalogue["FWHM_IMAGE"], dtype=float)
    wanted = (
        (np.asarray(catalogue["FLAGS"]) == 0)
        & (np.asarray(catalogue["ELLIPTICITY"]) < config.fwhm_ellipmax)
        & (np.asarray(catalogue["ISOAREA_IMAGE"]) >= config.fwhm_isoareamin)
        & (snr >= config.fwhm_snmin)
        & (snr <= config.max_snr)
        & (width > 0)
        & (_nearest_px(catalogue) > isolation_px)
    )
    wanted[wanted] = _stellar(width[wanted])
    best = np.flatnonzero(wanted)
    best = best[np.argsort(-snr[best], kind="stable")][: config.fwhm_nobjects]
    return catalogue[best]


def _nearest_px(catalogue: Table) -> np.ndarray:
    """Distance of each object's nearest neighbour in pixels."""
    if len(catalogue) < 2:
        return np.full(len(catalogue), np.inf)
    places = np.column_stack([np.asarray(catalogue[name], dtype=float) for name in ("X_IMAGE", "Y_IMAGE")])
    return cKDTree(places).query(places, k=2)[0][:, 1]


def _stellar(width: np.ndarray) -> np.ndarray:
    """Which widths belong to the stellar locus: galaxies are wider, hot pixels narrower."""
    if width.size < 3:
        return np.ones(width.size, dtype=bool)
    # half-sample mode: the densest half of the densest half ... is where the stars are
    part = np.sort(width)
    while part.size > 4:
        half = (part.size + 1) // 2
        first = int(np.argmin(part[half - 1 :] - part[: part.size - half + 1]))
        part = part[first : first + half]
    mode = float(np.median(part))
    below = width[(width < mode) & (width > mode / 2)]
    spread = 1.4826 * float(np.median(mode - below)) if below.size else 0.0
    return np.abs(width - mode) <= 3 * max(spread, 0.02 * mode)
