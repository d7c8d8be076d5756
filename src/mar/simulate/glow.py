"""The brightness of the night sky, with and without the moon."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
from astropy.coordinates import get_body
from astropy.time import Time

from mar.bands import Band
from mar.camera import Site
from mar.simulate.spectra import dark_sky_mag, moonlight_mag


class Moon(NamedTuple):
    """The moon as seen from a pointing."""

    separation_deg: float
    altitude_deg: float
    illuminated: float  #: fraction of the disc, 0 to 1
    angle_deg: float  #: direction to the moon on the sky, from north to east
    v_mag: float  #: scattered moonlight at the pointing, V mag/arcsec2; inf when it is down


def altitude_deg(site: Site, moment: datetime, ra: float, dec: float) -> float:
    """Altitude in degrees of a sky position (degrees); good to a tenth of a degree."""
    hour = np.radians(sidereal_deg(site, moment) - ra)
    latitude, d = np.radians(site.latitude_deg), np.radians(dec)
    sine = np.sin(latitude) * np.sin(d) + np.cos(latitude) * np.cos(d) * np.cos(hour)
    return float(np.degrees(np.arcsin(sine)))


def sidereal_deg(site: Site, moment: datetime) -> float:
    """Local mean sidereal time in degrees."""
    days = (moment - datetime(2000, 1, 1, 12, tzinfo=moment.tzinfo)).total_seconds() / 86400
    return (280.46062 + 360.98564737 * days + site.longitude_deg) % 360


def airmass(altitude: float) -> float:
    """Airmass at an altitude in degrees (Pickering 2002)."""
    altitude = max(altitude, 1.0)
    return float(1 / np.sin(np.radians(altitude + 244 / (165 + 47 * altitude**1.1))))


def moon_at(site: Site, moment: datetime, ra: float, dec: float) -> Moon:
    """The moon at `moment` (UTC) for a pointing in degrees, and the light it scatters there.

    Scattered light after Krisciunas & Schaefer 1991 (PASP 103, 1033).
    """
    time = Time(moment.replace(tzinfo=None), scale="utc")
    moon, sun = get_body("moon", time), get_body("sun", time)
    elongation = float(_separation(moon.ra.deg, moon.dec.deg, sun.ra.deg, sun.dec.deg))
    separation = float(_separation(ra, dec, moon.ra.deg, moon.dec.deg))
    height = altitude_deg(site, moment, moon.ra.deg, moon.dec.deg)
    east = np.radians(moon.ra.deg - ra)
    d, d0 = np.radians(moon.dec.deg), np.radians(dec)
    angle = np.arctan2(np.sin(east), np.cos(d0) * np.tan(d) - np.sin(d0) * np.cos(east))
    v_mag = _scattered(180 - elongation, separation, height, altitude_deg(site, moment, ra, dec))
    illuminated = (1 - np.cos(np.radians(elongation))) / 2
    return Moon(separation, height, float(illuminated), float(np.degrees(angle)), v_mag)


def _separation(ra: float, dec: float, ra2: float, dec2: float) -> float:
    a, d, d2 = np.radians(ra - ra2), np.radians(dec), np.radians(dec2)
    cosine = np.sin(d) * np.sin(d2) + np.cos(d) * np.cos(d2) * np.cos(a)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _scattered(phase_deg: float, separation: float, moon_height: float, height: float) -> float:
    if moon_height <= 0:
        return float("inf")
    extinction = 0.17  # mag per airmass in V
    illuminance = 10 ** (-0.4 * (3.84 + 0.026 * phase_deg + 4e-9 * phase_deg**4))
    rho = np.radians(separation)
    scatter = 10**5.36 * (1.06 + np.cos(rho) ** 2) + 10 ** (6.15 - separation / 40)
    through_moon, through = airmass(moon_height), airmass(height)
    glow = scatter * illuminance * 10 ** (-0.4 * extinction * through_moon)
    nanolamberts = glow * (1 - 10 ** (-0.4 * extinction * through))
    return float((20.7233 - np.log(nanolamberts / 34.08)) / 0.92104)


def sky_adu_s(band: Band, pixel_arcsec2: float, moon: Moon | None) -> tuple[float, float]:
    """Sky in ADU/s per pixel: all of it, and the moon's part."""
    dark = 10 ** (0.4 * (band.zeropoint_adu_s - dark_sky_mag(band.wavelength_nm))) * pixel_arcsec2
    if moon is None or not np.isfinite(moon.v_mag):
        return dark, 0.0
    light = moonlight_mag(band.wavelength_nm, moon.v_mag)
    moonlight = 10 ** (0.4 * (band.zeropoint_adu_s - light)) * pixel_arcsec2
    return dark + moonlight, moonlight
