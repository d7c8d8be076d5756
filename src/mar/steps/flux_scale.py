"""Relative transparency and seeing of the frames of a field, from the stars that they share."""

from collections.abc import Sequence

import numpy as np
from astropy.stats import sigma_clip
from astropy.table import Table
from scipy.spatial import cKDTree

ENOUGH_STARS = 5


def good_stars(catalogue: Table, min_snr: float = 20.0) -> Table:
    """Unflagged objects of a catalogue with FLUX_AUTO / FLUXERR_AUTO >= min_snr."""
    flux, error = np.asarray(catalogue["FLUX_AUTO"]), np.asarray(catalogue["FLUXERR_AUTO"])
    return catalogue[(np.asarray(catalogue["FLAGS"]) == 0) & (error > 0) & (flux >= min_snr * error)]


def seeing_px(catalogue: Table, min_snr: float = 20.0) -> float:
    """Median FWHM_IMAGE (pixels) of the good objects; NaN where there are too few."""
    width = np.asarray(good_stars(catalogue, min_snr)["FWHM_IMAGE"], dtype=float)
    width = width[width > 0]
    return float(np.median(width)) if width.size >= ENOUGH_STARS else float("nan")


def relative_scales(
    catalogues: Sequence[Table | None],
    exptimes_s: Sequence[float],
    min_snr: float = 20.0,
    match_radius_arcsec: float = 1.5,
) -> np.ndarray:
    """Factors (n,) that bring count rates of all frames to the transparency of the median frame.

    Stars are matched on the sky (ALPHA_J2000, DELTA_J2000, degrees) with those of the richest catalogue; the
    factor is the clipped median ratio of FLUX_AUTO per second. NaN for a frame without a catalogue or with
    fewer than five stars in common.
    """
    stars = [None if catalogue is None else good_stars(catalogue, min_snr) for catalogue in catalogues]
    richest = max((table for table in stars if table is not None), key=len, default=None)
    if richest is None or len(richest) < ENOUGH_STARS:
        return np.full(len(stars), np.nan)
    reference = cKDTree(_directions(richest))
    reference_flux = np.asarray(richest["FLUX_AUTO"], dtype=float)
    rates = np.array(
        [
            _ratio(table, reference, reference_flux, match_radius_arcsec) / exptime_s
            for table, exptime_s in zip(stars, exptimes_s, strict=True)
        ]
    )
    return np.nanmedian(rates) / rates


def _ratio(
    table: Table | None, reference: cKDTree, reference_flux: np.ndarray, radius_arcsec: float
) -> float:
    if table is None or len(table) == 0:
        return float("nan")
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    distance, partner = reference.query(_directions(table), distance_upper_bound=chord)
    matched = np.isfinite(distance)
    if matched.sum() < ENOUGH_STARS:
        return float("nan")
    flux = np.asarray(table["FLUX_AUTO"], dtype=float)[matched]
    logs = sigma_clip(np.log(flux / reference_flux[partner[matched]]), sigma=3, maxiters=5)
    return float(np.exp(np.ma.median(logs)))


def _directions(table: Table) -> np.ndarray:
    """Unit vectors (n, 3) of the objects."""
    ra, dec = np.radians(np.asarray(table["ALPHA_J2000"])), np.radians(np.asarray(table["DELTA_J2000"]))
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
