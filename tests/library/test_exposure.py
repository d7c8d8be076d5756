"""Headers of other origin: dates, angles and numbers as observatories really write them."""

from datetime import UTC, date, datetime

import pytest
from astropy.io.fits import Header

from mar.camera import load_camera
from mar.errors import BadHeader
from mar.exposure import FrameType, night_of, read_exposure


@pytest.fixture
def t80cam():
    return load_camera("t80cam")


def header(**cards):
    cards = {
        "EXPTIME": 40.0,
        "FILTER": "R",
        "OBJECT": "SPLUS-s25s10",
        "DATE-OBS": "2024-03-01T03:04:05.5",
        **cards,
    }
    return Header([(key, value) for key, value in cards.items() if value is not None])


def test_a_t80_south_header_with_sexagesimal_angles_and_numbers_as_text(t80cam):
    cards = {"RA": "12:19:33.874", "DEC": "-03:00:00.000", "EXPTIME": " 40.000 ", "AIRMASS": "1.06672 "}
    exposure = read_exposure(header(**cards), t80cam, "frame")
    assert exposure.ra_deg == pytest.approx(184.8911417, abs=1e-6)
    assert exposure.dec_deg == pytest.approx(-3.0)
    assert (exposure.exptime_s, exposure.airmass) == (40.0, 1.06672)
    assert exposure.date_obs == datetime(2024, 3, 1, 3, 4, 5, 500000, UTC)
    assert exposure.night == date(2024, 2, 29)


def test_a_javalambre_header_with_degrees_and_the_long_name_of_the_filter(t80cam):
    exposure = read_exposure(header(RA=290.087896, DEC="41.55138", FILTER="rSDSS"), t80cam, "frame")
    assert (exposure.ra_deg, exposure.dec_deg, exposure.band) == (290.087896, 41.55138, "R")


def test_a_range_of_local_times_gives_utc_where_the_date_has_no_time(t80cam):
    cards = {"DATE-OBS": "2024-03-01", "TIME": "21:10:00.25 to 21:10:40.25"}
    exposure = read_exposure(header(**cards), t80cam, "frame")
    assert exposure.date_obs == datetime(2024, 3, 2, 1, 10, 0, 250000, UTC)


def test_the_time_range_is_not_needed_where_the_date_has_a_time(t80cam):
    exposure = read_exposure(header(TIME="21:10:00 to 21:10:40"), t80cam, "frame")
    assert exposure.date_obs == datetime(2024, 3, 1, 3, 4, 5, 500000, UTC)


@pytest.mark.parametrize(
    ("cards", "kind"),
    [
        ({"EXPTIME": 0}, FrameType.BIAS),
        ({"IMAGETYP": "Bias frame"}, FrameType.BIAS),
        ({"FILENAME": "skyflat-R-001.fits"}, FrameType.FLAT),
        ({"IMAGETYP": "SKYFLAT"}, FrameType.FLAT),
        ({"IMAGETYP": "OBJECT"}, FrameType.SCI),
        ({}, FrameType.SCI),
    ],
)
def test_the_kind_of_a_frame(t80cam, cards, kind):
    assert read_exposure(header(**cards), t80cam, "frame").type is kind


def test_a_bias_needs_no_filter(t80cam):
    assert read_exposure(header(EXPTIME=0, FILTER=None), t80cam, "b").band is None


def test_blanks_of_a_field_become_dashes_and_nothing_leads_out_of_a_folder(t80cam):
    assert read_exposure(header(OBJECT="109 Felicitas"), t80cam, "f").field == "109-Felicitas"
    assert "/" not in read_exposure(header(OBJECT="../../etc/passwd"), t80cam, "f").field


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"FILTER": None}, "frame: no filter; one of FILTER"),
        ({"FILTER": "A"}, "no filter 'A'"),
        ({"DATE-OBS": None}, "no date; one of DATE-OBS"),
        ({"DATE-OBS": "yesterday at T"}, "is not a date"),
        ({"DATE-OBS": "2024-03-01"}, "has no time of day"),
        ({"EXPTIME": "long"}, "EXPTIME = 'long' is not a number"),
        ({"EXPTIME": None}, "no exposure time"),
        ({"EXPTIME": -1.0}, "no exposure time"),
        ({"RA": "here"}, "RA = 'here' is not an angle"),
    ],
)
def test_a_bad_header_is_refused_with_the_card_and_the_file(t80cam, cards, said):
    with pytest.raises(BadHeader, match=said):
        read_exposure(header(**cards), t80cam, "frame")


def test_the_night_is_that_of_the_site(t80cam):
    assert night_of(datetime(2024, 3, 2, 9, 0, tzinfo=UTC), t80cam.site) == date(2024, 3, 1)
    assert night_of(datetime(2024, 3, 1, 17, 30, tzinfo=UTC), t80cam.site) == date(2024, 3, 1)
