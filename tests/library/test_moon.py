"""The Moon against almanacs."""

from datetime import UTC, date, datetime

import pytest
from astropy.utils.iers import conf as iers

from mar.camera import load_camera
from mar.exposure import Exposure, FrameType
from mar.steps.moon import moon_of

SITE = load_camera("t80cam").site


def exposure(moment, ra_deg=None, dec_deg=None, exptime_s=0.0):
    return Exposure("a", FrameType.SCI, "R", "F", moment, exptime_s, ra_deg, dec_deg, None, date(2024, 1, 1))


@pytest.mark.parametrize(
    ("moment", "illuminated"),
    [
        (datetime(2024, 1, 25, 17, 54, tzinfo=UTC), 1.0),  # full Moon
        (datetime(2024, 2, 9, 22, 59, tzinfo=UTC), 0.0),  # new Moon
        (datetime(2024, 2, 16, 15, 1, tzinfo=UTC), 0.5),  # first quarter
        (datetime(2024, 3, 3, 15, 23, tzinfo=UTC), 0.5),  # last quarter
    ],
)
def test_phases_of_the_almanac(moment, illuminated):
    assert moon_of(exposure(moment), SITE).illuminated == pytest.approx(illuminated, abs=0.012)


def test_the_moon_covered_the_sun_on_2019_july_2():
    """The eclipse over Cerro Tololo at 20:39 UTC; the Sun stood at RA 6h46m, Dec +23.0, 13 deg high."""
    moon = moon_of(exposure(datetime(2019, 7, 2, 20, 39, 30, tzinfo=UTC), 101.6, 23.01), SITE)
    assert moon.separation_deg < 0.35
    assert moon.altitude_deg == pytest.approx(13, abs=1.0)
    assert moon.illuminated < 0.001


def test_separation_is_that_of_the_field():
    eclipse = datetime(2019, 7, 2, 20, 39, 30, tzinfo=UTC)
    assert moon_of(exposure(eclipse, 101.6, -36.99), SITE).separation_deg == pytest.approx(60, abs=0.4)
    assert moon_of(exposure(eclipse, 0, 0), SITE, 281.6, -23.01).separation_deg == pytest.approx(180, abs=0.4)


def test_without_pointing_there_is_no_separation():
    cards = moon_of(exposure(datetime(2024, 1, 25, 17, 54, tzinfo=UTC)), SITE).cards()
    assert set(cards) == {"MOONMILL", "MOONMALT"}


def test_middle_of_the_exposure_counts():
    start = datetime(2024, 1, 25, 0, 0, tzinfo=UTC)
    short, long = (moon_of(exposure(start, exptime_s=s), SITE) for s in (0.0, 3600.0))
    assert abs(long.altitude_deg - short.altitude_deg) > 3


def test_future_dates_work_and_the_settings_stay():
    before = iers.auto_download, iers.auto_max_age
    moon = moon_of(exposure(datetime(2027, 5, 1, tzinfo=UTC), 10.0, -30.0), SITE)
    assert 0 <= moon.illuminated <= 1
    assert (iers.auto_download, iers.auto_max_age) == before
    assert set(moon.cards()) == {"MOONMILL", "MOONMALT", "MOONMSEP"}
