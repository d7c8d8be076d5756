"""Reference stars and the part of the sky that they are asked for."""

from dataclasses import dataclass, field

import numpy as np

MAS = np.pi / 180 / 3_600_000  # radian


@dataclass(frozen=True)
class Cone:
    """A circle on the sky (degrees, ICRS)."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


@dataclass(frozen=True)
class Stars:
    """Reference stars at one epoch; all arrays have one value per star."""

    ra_deg: np.ndarray
    dec_deg: np.ndarray
    magnitude: np.ndarray  #: NaN where unknown
    bands: dict[str, np.ndarray] = field(default_factory=dict)  #: magnitudes by band, NaN where unknown
    error_mas: float = 0.0  #: error of the positions per axis
    pack: str = ""  #: name of the pack that they come from

    def __len__(self) -> int:
        return len(self.ra_deg)

    def __getitem__(self, chosen: np.ndarray) -> "Stars":
        """The stars that a boolean array or indices choose."""
        return Stars(
            self.ra_deg[chosen],
            self.dec_deg[chosen],
            self.magnitude[chosen],
            {band: values[chosen] for band, values in self.bands.items()},
            self.error_mas,
            self.pack,
        )


def unit_vectors(ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
    """Directions (n, 3) of positions in degrees."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def separation_deg(cone: Cone, ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
    """Distances of positions from the centre of a cone, in degrees."""
    centre = unit_vectors(np.asarray(cone.ra_deg), np.asarray(cone.dec_deg))
    chord = np.linalg.norm(unit_vectors(ra_deg, dec_deg) - centre, axis=-1)
    return np.degrees(2 * np.arcsin(np.minimum(1.0, chord / 2)))


def moved(
    ra_deg: np.ndarray,
    dec_deg: np.ndarray,
    pmra_mas: np.ndarray,
    pmdec_mas: np.ndarray,
    years: float,
    parallax_mas: np.ndarray | None = None,
    year: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions after `years` of proper motion (mas/yr, that in RA already times cos DEC).

    Along the tangent of each star's direction, so that it also holds near the poles. With `parallax_mas` as
    seen from the Earth in that Julian `year` (ESA SP-1200, 1.2.8).
    """
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    step = years * (pmra_mas[:, None] * east + pmdec_mas[:, None] * north)
    if parallax_mas is not None and year is not None:
        step = step - parallax_mas[:, None] * earth_au(year)
    x, y, z = (unit_vectors(ra_deg, dec_deg) + MAS * step).T
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


def earth_au(year: float) -> np.ndarray:
    """Where the Earth is (3,), in astronomical units from the barycentre of the solar system, ICRS."""
    from astropy.coordinates import get_body_barycentric  # slow to import
    from astropy.time import Time

    place = get_body_barycentric("earth", Time(year, format="jyear", scale="tdb"), ephemeris="builtin")
    return np.asarray(place.xyz.to_value("au"))
