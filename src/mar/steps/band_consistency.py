"""How well the positions of a field's stars agree from band to band: 66 pairs of twelve bands."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from mar.steps.matching import pairs_within
from mar.steps.projection import to_plane
from mar.steps.sources import FLAG_BLENDED

LEAST_STARS = 5  # that a median rests on
_MAS = 3_600_000.0  # in a degree


class Offsets(NamedTuple):
    """Stars that two bands share: where they are, and the second band's position minus the first's."""

    places_deg: np.ndarray  #: (n, 2) on the tangent plane of the field, to the east and to the north
    shifts_mas: np.ndarray  #: (n, 2) to the east and to the north


class BandPair(NamedTuple):
    """How two bands lie to each other, the second minus the first; NaN where they share too few stars."""

    first: str
    second: str
    east_mas: float  #: median
    north_mas: float
    rms_mas: float  #: robust scatter of single stars, mean of both axes
    error_mas: float  #: of the medians, per axis
    stars: int  #: in common

    @property
    def offset_mas(self) -> float:
        """Length of the median offset."""
        return float(np.hypot(self.east_mas, self.north_mas))


class VectorMap(NamedTuple):
    """Median shifts in cells of the field, one value for each cell with stars enough."""

    places_deg: np.ndarray  #: (n, 2) middles of the cells
    shifts_mas: np.ndarray  #: (n, 2)


def star_places(catalogue: Table, centre: tuple[float, float], least_snr: float = 20.0) -> np.ndarray:
    """Places (n, 2) of the clean sources of a tile, degrees on the plane that touches the sky at `centre`.

    Clean: no flag but blended, and signal to noise `least_snr` or better. By windowed positions.
    """
    clean = (np.asarray(catalogue["FLAGS"]).astype(int) & ~FLAG_BLENDED) == 0
    good = catalogue[clean & (np.asarray(catalogue["SNR_WIN"]) >= least_snr)]
    ra, dec = (np.asarray(good[name], dtype=float) for name in ("ALPHAWIN_J2000", "DELTAWIN_J2000"))
    places = np.stack(to_plane(ra, dec, *centre), -1)
    return places[np.isfinite(places).all(axis=1)]


def band_offsets(
    stars: Mapping[str, np.ndarray], radius_arcsec: float = 1.0
) -> dict[tuple[str, str], Offsets]:
    """The stars that each pair of bands shares within `radius_arcsec`, from the places of each band."""
    return {
        (first, second): _offsets(stars[first], stars[second], radius_arcsec / 3600)
        for first, second in combinations(stars, 2)
    }


def _offsets(first: np.ndarray, second: np.ndarray, radius_deg: float) -> Offsets:
    if not len(first) or not len(second):
        return Offsets(np.empty((0, 2)), np.empty((0, 2)))
    of_second, of_first = pairs_within(second, first, radius_deg)
    places = first[of_first]
    return Offsets(places, (second[of_second] - places) * _MAS)


def band_pairs(offsets: Mapping[tuple[str, str], Offsets]) -> list[BandPair]:
    """Median offset, scatter and number of common stars of each pair of bands."""
    return [_pair(first, second, one.shifts_mas) for (first, second), one in offsets.items()]


def _pair(first: str, second: str, shifts_mas: np.ndarray) -> BandPair:
    stars = len(shifts_mas)
    if stars < LEAST_STARS:
        return BandPair(first, second, *(float("nan"),) * 4, stars)
    east, north = np.median(shifts_mas, axis=0)
    scatter = 1.4826 * np.median(np.abs(shifts_mas - [east, north]), axis=0)
    rms = float(np.mean(scatter))
    # the median of a normal distribution is sqrt(pi / 2) less certain than the mean
    error = float(np.sqrt(np.pi / 2) * rms / np.sqrt(stars))
    return BandPair(first, second, float(east), float(north), rms, error, stars)


def vector_map(band: str, offsets: Mapping[tuple[str, str], Offsets], cells: int = 5) -> VectorMap:
    """Where in the field a band lies off the others: medians over all its pairs, in cells x cells.

    The cells divide the square that holds the stars of all pairs.
    """
    own = [(one, 1 if second == band else -1) for (first, second), one in offsets.items()
           if band in (first, second)]  # fmt: skip
    places = np.concatenate([one.places_deg for one, _ in own] or [np.empty((0, 2))])
    shifts = np.concatenate([sign * one.shifts_mas for one, sign in own] or [np.empty((0, 2))])
    half = max((float(np.abs(one.places_deg).max(initial=0)) for one in offsets.values()), default=0.0)
    cell = np.clip(((places / (half or 1.0) + 1) / 2 * cells).astype(int), 0, cells - 1)
    found = [
        (((np.array(at) + 0.5) / cells * 2 - 1) * half, np.median(shifts[here], axis=0))
        for at in np.ndindex(cells, cells)
        if (here := (cell == at).all(axis=1)).sum() >= LEAST_STARS
    ]
    middles, medians = zip(*found, strict=True) if found else ((), ())
    return VectorMap(np.reshape(middles, (-1, 2)), np.reshape(medians, (-1, 2)))
