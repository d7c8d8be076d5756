"""Offsets between bands whose truth is known."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.testing import assert_allclose

from mar.steps.band_consistency import band_offsets, band_pairs, star_places, vector_map

CENTRE = (0.02, -60.0)  # across 0 h
MAS = 1 / 3_600_000
TRUE = {"G": (0.0, 0.0), "R": (12.0, -7.0), "Z": (-30.0, 4.0)}  # mas, east and north
NOISE_MAS = 20.0


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def sky(rng):
    """True places of 800 stars, degrees east and north of the centre."""
    return rng.uniform(-0.5, 0.5, (800, 2))


def catalogue(places, rng, noise_mas=NOISE_MAS):
    """A band's catalogue: three stars in four, a tenth of spurious sources, some flagged, some faint."""
    seen = places[rng.random(len(places)) < 0.75]
    seen = seen + rng.normal(0, noise_mas * MAS, seen.shape)
    false = rng.uniform(-0.5, 0.5, (len(seen) // 10, 2))
    spoilt = seen[:60] + 0.4 / 3600
    east, north = np.concatenate([seen[60:], false, spoilt]).T
    dec = CENTRE[1] + north
    table = Table({"ALPHAWIN_J2000": (CENTRE[0] + east / np.cos(np.radians(dec))) % 360})
    table["DELTAWIN_J2000"] = dec
    table["FLAGS"] = np.r_[np.zeros(len(east) - 60, int), np.tile([4, 1], 30)]
    table["SNR_WIN"] = np.r_[np.full(len(east) - 60, 80.0), np.full(60, 90.0)]
    return table


def bands(sky, rng, **more):
    """The places of each band, shifted by its true offset."""
    return {
        band: star_places(catalogue(sky + np.array(shift) * MAS, rng, **more), CENTRE)
        for band, shift in TRUE.items()
    }


def test_offsets_of_all_pairs_are_recovered(sky, rng):
    pairs = band_pairs(band_offsets(bands(sky, rng)))
    assert [(pair.first, pair.second) for pair in pairs] == [("G", "R"), ("G", "Z"), ("R", "Z")]
    for pair in pairs:
        east, north = np.subtract(TRUE[pair.second], TRUE[pair.first])
        assert pair.stars > 300
        assert pair.error_mas < 2.5
        assert abs(pair.east_mas - east) < 4 * pair.error_mas
        assert abs(pair.north_mas - north) < 4 * pair.error_mas
        assert pair.rms_mas == pytest.approx(NOISE_MAS * np.sqrt(2), rel=0.15)


def test_stars_are_those_that_astropy_pairs(sky, rng):
    stars = bands(sky, rng)
    offsets = band_offsets(stars)["G", "R"]
    first, second = (SkyCoord(*(stars[band] + [180, 0]).T, unit="deg", frame="icrs") for band in ("G", "R"))
    index, distance, _ = second.match_to_catalog_sky(first)
    assert len(offsets.places_deg) == len(np.unique(index[distance.arcsec < 1]))


def test_twelve_bands_make_66_pairs(sky):
    assert len(band_offsets({f"F{number}": sky for number in range(12)})) == 66


def test_flagged_and_faint_sources_do_not_count(sky, rng):
    table = catalogue(sky, rng)
    assert len(star_places(table, CENTRE)) == np.count_nonzero(table["FLAGS"] == 0)
    assert len(star_places(table, CENTRE, least_snr=1000)) == 0


def test_bands_without_common_stars_have_no_offset(sky):
    pairs = band_pairs(band_offsets({"G": sky[:4], "R": sky[:4], "Z": sky[:0]}))
    assert [pair.stars for pair in pairs] == [4, 0, 0]
    assert np.isnan([pair.offset_mas for pair in pairs]).all()


def test_a_map_shows_where_a_band_is_off(sky):
    """R lies right in the west and 50 mas to the north in the east."""
    off = sky + np.where(sky[:, :1] > 0, [0.0, 50 * MAS], 0.0)
    offsets = band_offsets({"G": sky, "R": off, "I": sky, "Z": sky})
    there = vector_map("R", offsets, cells=4)
    assert there.places_deg.shape == (16, 2)
    assert_allclose(there.shifts_mas[:, 1], np.where(there.places_deg[:, 0] > 0, 50, 0), atol=1e-3)
    assert_allclose(there.shifts_mas[:, 0], 0, atol=1e-3)
    assert_allclose(vector_map("G", offsets, cells=4).shifts_mas, 0, atol=1e-3)  # it is R that is off


def test_a_map_of_nothing_is_empty():
    assert vector_map("R", {}).shifts_mas.shape == (0, 2)
