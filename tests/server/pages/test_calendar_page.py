"""The calendar, and a night: what was observed, its masters, what is missing."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from nights import BANDS, DAY, bias_master, flat_master, frame, frames, noon

from marserver.archive import nights
from marserver.archive.models import BiasBlock, FlatByFilter, FlatsBlock, IndividualFile, SciBlock, Superflat

pytestmark = pytest.mark.django_db

EVENTS = {"start": "2024-02-26T00:00:00-03:00", "end": "2024-04-08T00:00:00-03:00"}


def a_night():
    """Biases and flats at dusk, science after midnight (UTC): a night of two days."""
    dusk, late = noon(hours=22), noon(DAY + timedelta(days=1), hours=3)
    for number in range(3):
        frame(f"bias-{number}", "BIAS", when=dusk)
        frame(f"flat-{number}", "FLAT", fld="skyflat", when=dusk)
    frame("flat-f395", "FLAT", band="F395", fld="skyflat", when=dusk)
    for band in ("R", "F395", "U"):
        frame(f"sci-{band}", band=band, fld="S1", when=late)
    IndividualFile.objects.update(night=DAY)


def dates(first=0, last=0):
    return {"block_start_date": DAY + timedelta(days=first), "block_end_date": DAY + timedelta(days=last)}


def events_of(browser, **asked):
    return browser.get("/calendar/events", asked or EVENTS).json()


def text_of(page):
    """The text of some HTML."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_night_is_told_with_its_frames_and_leads_to_its_page(browser):
    a_night()
    (one,) = events_of(browser)
    assert (one["start"], one["url"]) == ("2024-03-01", "/night/2024-03-01")
    assert one["title"] == "3 bias, 4 flats, 3 science"


def test_blocks_are_bars_that_tell_kind_days_and_state(browser):
    bias = bias_master(start=DAY, end=DAY + timedelta(days=1))
    FlatByFilter.objects.create(**dates(), band="R")
    BiasBlock.objects.create(**dates(), isvalid=False)
    BiasBlock.objects.create(**dates(100, 101))
    first, second = events_of(browser)
    assert first["title"] == f"bias {bias.pk} ✓ done"
    assert (first["start"], first["end"]) == ("2024-03-01", "2024-03-03")  # the end is the day after
    assert first["url"] == f"/blocks/biasblock/{bias.pk}"
    assert re.fullmatch(r"flat R \d+ ○ to do", second["title"])


def test_parts_of_a_block_are_within_its_bar(browser):
    whole = FlatsBlock.objects.create(**dates())
    whole.flats_by_filter.add(flat_master())
    (one,) = events_of(browser)
    assert one["url"] == f"/blocks/flatblock/{whole.pk}"


def test_a_fringe_frame_of_months_is_seen_in_its_middle(browser):
    Superflat.objects.create(**dates(-90, 90), band="Z", status=1)
    (one,) = events_of(browser)
    assert one["title"].startswith("fringe Z")


@pytest.mark.parametrize(
    "asked",
    [
        {"start": "x", "end": "2024-03-01"},
        {"start": "2024-03-02", "end": "2024-03-01"},
        {"start": "2000-01-01", "end": "2024-01-01"},
    ],
)
def test_a_range_that_is_none_or_too_long_is_refused(browser, asked):
    assert browser.get("/calendar/events", asked).status_code == 400


@pytest.mark.parametrize("count", [1, 40])
def test_the_events_take_as_many_queries_for_a_night_as_for_many(browser, count, django_assert_num_queries):
    for number in range(count):
        frame(f"s{number}", when=noon(DAY + timedelta(days=number)))
        bias_master(start=DAY + timedelta(days=number), end=DAY + timedelta(days=number))
    with django_assert_num_queries(9):  # login 2, frames, six kinds of blocks
        events_of(browser)


def counted(browser, **asked):
    return text_of(
        browser.get("/calendar/count", {"start": "2024-03-01", "end": "2024-03-02", **asked}).content.decode()
    )


def test_frames_are_counted_before_a_block_is_made(browser, call):
    a_night()
    frame("bad", "BIAS", isvalid=False)
    assert counted(browser, kind="biasblock").startswith("3 frames match")
    assert "R 3" in counted(browser, kind="flatblock")
    assert counted(browser, kind="flatbyfilter", band="F395").startswith("1 frame match")
    assert counted(browser, kind="sciblock", contains="sci-U,sci-R").startswith("2 frames match")
    assert counted(browser, kind="sciblock", end="2024-03-01") == "No valid frame matches."
    answer = call(
        "sciblock", type="create", startDate="2024-03-01", endDate="2024-03-02", contains="sci-U,sci-R"
    )
    assert answer["count"] == 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "nonsense"}, "Choose a kind."),
        ({"kind": "flatbyfilter"}, "Choose a band."),
        ({"kind": "biasblock", "start": ""}, "Give the first and the last day."),
        ({"kind": "biasblock", "end": "2024-02-01"}, "The first day is after the last one."),
        (
            {"kind": "sciblock", "contains": ",".join(map(str, range(200)))},
            "contains: 200 patterns are too many",
        ),
    ],
)
def test_a_count_says_what_is_missing(browser, asked, words):
    assert words in counted(browser, **asked)


def night(browser, day="2024-03-01"):
    return browser.get(f"/night/{day}").content.decode()


def row_of(page, what):
    """The row of a master."""
    (row,) = re.findall(rf'<th scope="row">{what}</th>(.*?)</tr>', page, re.S)
    return row


def test_a_night_shows_what_was_observed(browser):
    a_night()
    page = text_of(night(browser))
    assert "3 bias" in page
    assert "4 flats" in page
    assert "S1" in page


def test_masters_are_those_that_the_reduction_takes(browser):
    a_night()
    bias_master(end=DAY + timedelta(days=9))
    best = bias_master(end=DAY + timedelta(days=1))
    row = row_of(night(browser), "bias")
    assert f'href="/blocks/biasblock/{best.pk}"' in row
    assert "nothing" in row


def test_what_is_missing_is_made_by_one_button(browser, call):
    a_night()
    row = row_of(night(browser), "flat for F395")
    assert "no valid, processed F395 flat block for 2024-03-02" in row
    body = dict(re.findall(r'name="(\w+)" value="([^"]*)"', row))
    assert body == {"type": "create", "startDate": "2024-03-01", "endDate": "2024-03-02", "band": "F395"}
    made = call("flatbyfilter", **body)
    row = row_of(night(browser), "flat for F395")
    assert f"Process block {made['id']}" in row
    FlatByFilter.objects.update(status=1, master_path="m.fits")
    assert "nothing" in row_of(night(browser), "flat for F395")


def test_where_no_frame_could_make_it_other_days_are_chosen(browser):
    a_night()
    assert "new=flatbyfilter&amp;band=U" in row_of(night(browser), "flat for U")


def test_science_without_a_block_gets_one(browser):
    a_night()
    assert "Create a science block" in night(browser)
    SciBlock.objects.create(**dates(0, 1))
    assert "Create a science block" not in night(browser)


def test_frames_that_failed_are_told(browser):
    a_night()
    IndividualFile.objects.filter(file_name="sci-R").update(failed_step="am", error="clouds <b>")
    page = night(browser)
    assert "clouds &lt;b&gt;" in page
    assert "1 failed" in page


def test_nights_lead_to_their_neighbours(browser):
    for day in (date(2024, 2, 20), DAY, date(2024, 3, 9)):
        frame(f"s{day}", when=noon(day))
    assert nights.neighbours(DAY) == (date(2024, 2, 20), date(2024, 3, 9))
    page = night(browser)
    assert 'href="/night/2024-02-20"' in page
    assert 'href="/night/2024-03-09"' in page


@pytest.mark.parametrize("count", [1, 12])
def test_a_night_takes_as_many_queries_with_one_band_as_with_all(
    browser, count, django_assert_max_num_queries
):
    for band in BANDS[:count]:
        frames(3, band=band)
        frames(3, "FLAT", band=band)
    with django_assert_max_num_queries(16):
        night(browser)


@pytest.mark.parametrize("day", ["2024-02-30", "yesterday", "2024-03", "0001-01-01"])
def test_what_is_no_day_is_404(browser, day):
    assert browser.get(f"/night/{day}").status_code == 404


def test_an_empty_calendar_and_an_empty_night_say_what_to_do(browser):
    assert "Scan a folder" in browser.get("/calendar").content.decode()
    assert "scan it" in night(browser)


def test_a_viewer_makes_no_block(browser_of, bob):
    a_night()
    client = browser_of(bob)
    assert "New block" not in client.get("/calendar").content.decode()
    assert "<mar-call" not in night(client)


@pytest.mark.parametrize("path", ["/calendar", "/calendar/events", "/calendar/count", "/night/2024-03-01"])
def test_the_calendar_needs_a_login(root, path):
    assert Client().get(path)["Location"].startswith("/login?next=")
    assert Client().get(path, headers={"HX-Request": "true"}).status_code == 401
