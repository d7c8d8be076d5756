"""Where the Moon stood, and how bright it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import astropy.units as u
import numpy as np
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils.iers import conf as iers

from mar.camera import Site
from mar.exposure import Exposure


class Moon(NamedTuple):
    """The Moon of an exposure."""

    illuminated: float  #: fraction of the disc, 0-1
    separation_deg: float | None  #: from the field; None where that is not known
    altitude_deg: float  #: above the horizon of the site, without refraction

    def cards(self) -> dict[str, tuple[float, str]]:
        """Header cards; the separation is left out where it is not known."""
        cards = {
            "MOONMILL": (round(self.illuminated, 4), "illuminated fraction of the Moon"),
            "MOONMALT": (round(self.altitude_deg, 2), "[deg] altitude of the Moon"),
        }
        if self.separation_deg is not None:
            cards["MOONMSEP"] = (round(self.separation_deg, 2), "[deg] of the Moon from the field")
        return cards


def moon_of(
    exposure: Exposure, site: Site, ra_deg: float | None = None, dec_deg: float | None = None
) -> Moon:
    """The Moon in the middle of an exposure, as seen from the site; a tenth of a degree or better.

    The field is the exposure's own pointing (degrees) unless another is given. From astropy's built-in
    ephemeris; nothing is downloaded, so dates beyond the known rotation of the Earth are a little less exact.
    """
    ra_deg = exposure.ra_deg if ra_deg is None else ra_deg
    dec_deg = exposure.dec_deg if dec_deg is None else dec_deg
    place = EarthLocation.from_geodetic(
        site.longitude_deg * u.deg, site.latitude_deg * u.deg, site.height_m * u.m
    )
    with _what_is_installed():
        moment = Time(exposure.date_obs) + 0.5 * exposure.exptime_s * u.s
        moon, sun = (get_body(name, moment, place, ephemeris="builtin") for name in ("moon", "sun"))
        altitude = moon.transform_to(AltAz(obstime=moment, location=place)).alt
        separation = None
        if ra_deg is not None and dec_deg is not None:
            field = SkyCoord(ra_deg * u.deg, dec_deg * u.deg).transform_to(moon.frame)
            separation = float(_direction(moon).separation(_direction(field)).deg)
    return Moon(_illuminated(moon, sun), separation, float(altitude.deg))


@contextmanager
def _what_is_installed() -> Iterator[None]:
    """The Earth's rotation from the tables at hand, however old: it moves the Moon by milliarcseconds."""
    with (
        iers.set_temp("auto_download", False),
        iers.set_temp("auto_max_age", None),
        iers.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        yield


def _direction(place: SkyCoord) -> SkyCoord:
    """The direction alone: the Moon's distance plays no part in its separation from a field."""
    return SkyCoord(place.ra, place.dec)


def _illuminated(moon: SkyCoord, sun: SkyCoord) -> float:
    """Fraction of the disc in sunlight, from the angle between Sun and Moon (Meeus 1998, chapter 48)."""
    elongation = _direction(moon).separation(_direction(sun))
    phase = np.arctan2(sun.distance * np.sin(elongation), moon.distance - sun.distance * np.cos(elongation))
    return float((1 + np.cos(phase)) / 2)
