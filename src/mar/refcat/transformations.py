"""Magnitudes in a band that a catalogue does not have, from a magnitude and a colour that it has."""

from dataclasses import dataclass

import numpy as np

from mar.refcat.stars import Stars

WAVELENGTH_TOLERANCE_NM = 25.0


@dataclass(frozen=True)
class Transformation:
    """band = magnitude + polynomial of the colour (first less second), for colours within the limits."""

    band: str
    wavelength_nm: float  #: of the band meant: other cameras may call other filters the same
    magnitude: str
    colour: tuple[str, str]
    coefficients: tuple[float, ...]  #: of the powers 0, 1, 2 ...
    limits: tuple[float, float]  #: of the colour
    scatter: float  #: of single stars, mag
    source: str


# coefficients and scatters of Table 5.9, colours of 5.10; beyond 2 those of G and R are for M giants only,
# which a catalogue does not tell from the many M dwarfs
_GAIA = "Gaia DR3 documentation 5.5.1; Riello et al. 2021, A&A 649, A3, appendix C (SDSS12)"
_TYCHO = "Tycho to Johnson, ESA SP-1200 1.3.20; Johnson to SDSS, Jester et al. 2005, AJ 130, 873"
TRANSFORMATIONS = (
    Transformation(
        "G",
        475.0,
        "GAIA_G",
        ("GAIA_BP", "GAIA_RP"),
        (-0.2199, 0.6365, 0.1548, -0.0064),
        (0.3, 2.0),
        0.0745,
        _GAIA,
    ),
    Transformation(
        "R",
        622.0,
        "GAIA_G",
        ("GAIA_BP", "GAIA_RP"),
        (0.09837, -0.08592, -0.1907, 0.1701, -0.02263),
        (0.0, 2.0),
        0.03776,
        _GAIA,
    ),
    Transformation(
        "I",
        758.0,
        "GAIA_G",
        ("GAIA_BP", "GAIA_RP"),
        (0.293, -0.6404, 0.09609, 0.002104),
        (0.5, 2.0),
        0.04092,
        _GAIA,
    ),
    Transformation(
        "Z",
        893.0,
        "GAIA_G",
        ("GAIA_BP", "GAIA_RP"),
        (0.4619, -0.8992, 0.08271, -0.005029),
        (-0.5, 4.5),
        0.04116,
        _GAIA,
    ),
    Transformation("G", 475.0, "TYCHO_VT", ("TYCHO_BT", "TYCHO_VT"), (-0.12, 0.42), (-0.2, 1.6), 0.1, _TYCHO),
    Transformation(
        "R", 622.0, "TYCHO_VT", ("TYCHO_BT", "TYCHO_VT"), (0.11, -0.447), (-0.2, 1.6), 0.1, _TYCHO
    ),
)
"""Sources that give the catalogue's magnitude less the band's are stored with the sign turned."""


def magnitudes_in(
    stars: Stars, band: str, wavelength_nm: float | None = None
) -> tuple[np.ndarray, Transformation | None] | None:
    """Magnitudes (n,) of the stars in `band`, NaN where unknown, and the transformation they come by.

    None where the catalogue has neither the band nor what a known transformation needs. A transformation is
    only taken where `wavelength_nm`, the band's own, is near that of the band it was made for.
    """
    if band in stars.bands:
        return np.asarray(stars.bands[band], dtype=float), None
    for one in TRANSFORMATIONS:
        needed = {one.magnitude, *one.colour}
        near = wavelength_nm is not None and abs(wavelength_nm - one.wavelength_nm) <= WAVELENGTH_TOLERANCE_NM
        if one.band == band and near and needed <= set(stars.bands):
            colour = np.asarray(stars.bands[one.colour[0]] - stars.bands[one.colour[1]], dtype=float)
            known = (colour >= one.limits[0]) & (colour <= one.limits[1])
            value = stars.bands[one.magnitude] + np.polynomial.polynomial.polyval(colour, one.coefficients)
            return np.where(known, value, np.nan), one
    return None
