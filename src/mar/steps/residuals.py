"""How well the sources of an image lie on the reference stars."""

from typing import NamedTuple

import numpy as np
from astropy.table import Table

from mar.refcat.stars import Stars
from mar.steps.matching import pairs_within
from mar.steps.projection import to_plane
from mar.steps.sources import FLAG_BLENDED

_MAS = 3_600_000.0  # in a degree


class Residuals(NamedTuple):
    """Sources minus reference stars, one value per matched star, mas."""

    east_mas: np.ndarray
    north_mas: np.ndarray
    matched: Table | None = None  #: their rows in the catalogue

    @property
    def rms_mas(self) -> float:
        """Robust rms per axis about the median (1.4826 median absolute deviations); NaN of nothing."""
        if not len(self.east_mas):
            return float("nan")
        axes = (self.east_mas, self.north_mas)
        return float(1.4826 * np.mean([np.median(np.abs(axis - np.median(axis))) for axis in axes]))

    @property
    def offset_mas(self) -> tuple[float, float]:
        """Median to the east and to the north; NaN of nothing."""
        if not len(self.east_mas):
            return float("nan"), float("nan")
        return float(np.median(self.east_mas)), float(np.median(self.north_mas))


def residuals(
    sources: Table,
    reference: Stars,
    centre: tuple[float, float],
    radius_arcsec: float = 1.0,
    least_snr: float = 20,
) -> Residuals:
    """Residuals of clean sources (ALPHAWIN_J2000, DELTAWIN_J2000) within `radius_arcsec` of a star."""
    clean = (np.asarray(sources["FLAGS"]).astype(int) & ~FLAG_BLENDED) == 0
    good = sources[clean & (np.asarray(sources["SNR_WIN"]) >= least_snr)]
    if not len(good) or not len(reference):
        return Residuals(np.empty(0), np.empty(0))
    seen = np.stack(
        to_plane(np.asarray(good["ALPHAWIN_J2000"]), np.asarray(good["DELTAWIN_J2000"]), *centre), -1
    )
    true = np.stack(to_plane(reference.ra_deg, reference.dec_deg, *centre), -1)
    source, star = pairs_within(seen, true, radius_arcsec / 3600)
    east, north = ((seen[source] - true[star]) * _MAS).T
    return Residuals(east, north, good[source])
