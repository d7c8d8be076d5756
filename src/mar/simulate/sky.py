"""The simulated sky: stars and galaxies of one field, with positions, motions and magnitudes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from astropy.table import Table, vstack

from mar.bands import Band
from mar.simulate.chance import chance
from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects
from mar.simulate.spectra import colours
from mar.simulate.wcs import make_wcs

REFERENCE_EPOCH = 2016.0
_STARS_AT_16 = 1000.0  # stars brighter than R = 16 per square degree at density 1
_GALAXIES_AT_18 = 200.0  # galaxies brighter than R = 18 per square degree
_BRIGHTEST = 9.0


class SkyField(NamedTuple):
    """A pointing of the survey."""

    name: str
    ra: float  #: degrees, ICRS
    dec: float


def make_sources(
    field: SkyField,
    size_deg: tuple[float, float],
    bands: Sequence[Band],
    conditions: Conditions,
    effects: Effects,
    seed: int,
) -> Table:
    """All sources in a rectangle of `size_deg` (height, width) around the field.

    Columns: RA, DEC (degrees, ICRS at epoch 2016.0), PMRA (with cos Dec), PMDEC (mas/yr), KIND
    (star or galaxy), MAG (R), MAG_<band>, TEFF (K), and for galaxies RE (half-light radius, arcsec),
    AXIS_RATIO, PA (degrees from north to east), SERSIC.
    """
    parts = []
    if effects.stars:
        parts.append(_stars(size_deg, conditions, effects, chance(seed, field.name, "stars")))
    if effects.galaxies:
        parts.append(_galaxies(size_deg, conditions, chance(seed, field.name, "galaxies")))
    table = vstack(parts) if parts else _table(np.zeros((2, 0)), np.zeros(0), np.zeros(0), "star")
    _place(table, field, size_deg)
    for band in bands:
        table[f"MAG_{band.name}"] = table["MAG"] + colours(table["TEFF"].data, band.wavelength_nm)
    table["FIELD"] = np.full(len(table), field.name)
    return table


def density_for(size_deg: tuple[float, float]) -> float:
    """Stars relative to a high galactic latitude, so that even a small field has some hundreds."""
    return max(1.0, 0.4 / (size_deg[0] * size_deg[1]))


def at_epoch(sources: Table, year: float) -> tuple[np.ndarray, np.ndarray]:
    """RA and Dec in degrees of the sources in that year."""
    years = year - REFERENCE_EPOCH
    dec = sources["DEC"].data + sources["PMDEC"].data * years / 3.6e6
    ra = sources["RA"].data + sources["PMRA"].data * years / 3.6e6 / np.cos(np.radians(dec))
    return ra, dec


def _stars(
    size: tuple[float, float], conditions: Conditions, effects: Effects, rng: np.random.Generator
) -> Table:
    density = conditions.density or density_for(size)
    mag = _draw_magnitudes(density * _STARS_AT_16 * size[0] * size[1], conditions.faintest_mag, rng)
    temperature = np.clip(rng.lognormal(np.log(5200), 0.22, mag.size), 3200, 15000)
    table = _table(rng.uniform(-0.5, 0.5, (2, mag.size)), mag, temperature, "star")
    if effects.proper_motion:
        # Near stars move fast: a Student t has their tail
        motion = conditions.proper_motion_mas * rng.standard_t(4, (2, mag.size)) / np.sqrt(2)
        table["PMRA"], table["PMDEC"] = motion
    return table


def _draw_magnitudes(at_16: float, faintest: float, rng: np.random.Generator) -> np.ndarray:
    """Magnitudes whose counts grow as 10^(0.28 m) to R = 17 and as 10^(0.18 m) beyond."""
    grid = np.linspace(_BRIGHTEST, faintest, 500)
    at_17 = at_16 * 10**0.28
    counts = np.where(grid < 17, at_16 * 10 ** (0.28 * (grid - 16)), at_17 * 10 ** (0.18 * (grid - 17)))
    drawn = rng.uniform(counts[0], counts[-1], rng.poisson(counts[-1] - counts[0]))
    return np.interp(drawn, counts, grid)


def _galaxies(size: tuple[float, float], conditions: Conditions, rng: np.random.Generator) -> Table:
    area = size[0] * size[1]
    faintest = min(conditions.faintest_mag, 21.0)
    expected = _GALAXIES_AT_18 * area * 10 ** (0.42 * (faintest - 18))
    mag = np.maximum(faintest + np.log10(rng.uniform(0, 1, rng.poisson(expected))) / 0.42, 14.0)
    early = rng.uniform(size=mag.size) < 0.3
    table = _table(
        rng.uniform(-0.5, 0.5, (2, mag.size)),
        mag,
        np.where(early, rng.normal(4300, 200, mag.size), rng.normal(5600, 600, mag.size)).clip(3500, 9000),
        "galaxy",
    )
    table["RE"] = 3.0 * 10 ** (-0.12 * (mag - 17) + rng.normal(0, 0.15, mag.size))
    inclined = np.hypot(0.15, rng.uniform(0, 1, mag.size)) / np.hypot(0.15, 1)
    table["AXIS_RATIO"] = np.where(early, rng.uniform(0.5, 1, mag.size), inclined)
    table["PA"] = rng.uniform(0, 180, mag.size)
    table["SERSIC"] = np.where(early, 4.0, 1.0)
    return vstack([table, _show_pieces(rng)])


def _show_pieces(rng: np.random.Generator) -> Table:
    """A large spiral (bulge and disc) and an edge-on disc near the middle, to judge the pictures by."""
    spiral, edge_on = rng.uniform(-0.3, 0.3, (2, 2))
    places = np.stack([spiral, spiral, edge_on], axis=1)
    table = _table(places, np.array([14.6, 13.6, 15.0]), np.array([4400.0, 6600.0, 5200.0]), "galaxy")
    table["RE"] = [2.5, 14.0, 9.0]
    table["AXIS_RATIO"] = [0.85, 0.55, 0.15]
    table["PA"] = [40.0, 40.0, 120.0]
    table["SERSIC"] = [4.0, 1.0, 1.0]
    return table


def _table(places: np.ndarray, mag: np.ndarray, temperature: np.ndarray, kind: str) -> Table:
    """RA and DEC hold places in units of the field's size until the field places them."""
    blank = np.zeros(mag.size)
    return Table(
        {
            "RA": places[0],
            "DEC": places[1],
            "PMRA": blank,
            "PMDEC": blank,
            "KIND": np.full(mag.size, kind, dtype="U6"),
            "MAG": mag,
            "TEFF": temperature,
            "RE": blank,
            "AXIS_RATIO": blank + 1,
            "PA": blank,
            "SERSIC": blank,
        }
    )


def _place(table: Table, field: SkyField, size_deg: tuple[float, float]) -> None:
    plane = make_wcs((1, 1), 3600.0, (field.ra, field.dec))
    x, y = table["RA"].data * size_deg[1], table["DEC"].data * size_deg[0]
    table["RA"], table["DEC"] = plane.pixel_to_sky(x, y)
