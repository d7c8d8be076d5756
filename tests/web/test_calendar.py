"""The calendar in a browser: a drag over nights makes a block of them."""

from datetime import timedelta

import pytest
from nights import DAY, bias_master, frame, frames, noon
from playwright.sync_api import expect
from tests.web.conftest import faults_of

from marserver.archive.models import BiasBlock, FlatByFilter, Superflat
from marserver.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def night():
    """Biases, flats and science of a night."""
    frames(3, "BIAS", when=noon(hours=1))
    frames(4, "FLAT", band="F395", when=noon(hours=2))
    frame("sci", band="F395", fld="S1")


def drag(page, first, last):
    """From the middle of a day to that of another one."""
    for day, then in ((first, page.mouse.down), (last, page.mouse.up)):
        box = page.locator(f".fc-day[data-date='{day}'] .fc-daygrid-day-number").bounding_box()
        page.mouse.move(box["x"] - 20, box["y"] + box["height"] / 2, steps=4)
        then()


def test_a_drag_over_nights_counts_frames_and_makes_a_block(as_user, alice, night):
    bias_master(start=DAY - timedelta(days=3), end=DAY - timedelta(days=3))
    page = as_user("alice")
    page.goto("/calendar")
    expect(page.get_by_text("3 bias, 4 flats, 1 science")).to_be_visible()
    expect(page.locator(".fc-event.biasblock")).to_contain_text("✓ done")
    assert page.url.endswith("?date=2024-03&view=dayGridMonth")
    assert faults_of(page) == []
    drag(page, DAY, DAY + timedelta(days=1))
    dialog = page.get_by_role("dialog", name="New block")
    expect(dialog.get_by_label("Last day")).to_have_value("2024-03-02")
    expect(dialog.get_by_text("3 frames match")).to_be_visible()
    dialog.get_by_label("Kind").select_option("flatbyfilter")
    expect(dialog.get_by_text("Choose a band.")).to_be_visible()
    dialog.locator("[name=band]").select_option("F395")
    expect(dialog.get_by_text("4 frames match")).to_be_visible()
    assert faults_of(page) == []
    dialog.get_by_role("button", name="Create").click()
    page.wait_for_url("**/blocks/flatbyfilter/*")
    block = FlatByFilter.objects.get()
    assert (block.band, block.block_end_date, block.flats.count()) == ("F395", DAY + timedelta(days=1), 4)


def test_a_block_is_made_by_keys_alone(as_user, alice, night):
    page = as_user("alice")
    page.goto("/calendar?new=biasblock&start=2024-03-01&end=2024-03-01")
    dialog = page.get_by_role("dialog", name="New block")
    expect(dialog.get_by_text("3 frames match")).to_be_visible()
    dialog.get_by_role("button", name="Close").press("Enter")
    page.get_by_role("button", name="New block").press("Enter")
    dialog.get_by_label("Only names that contain").fill("bias-1")
    expect(dialog.get_by_text("1 frame match")).to_be_visible()
    dialog.get_by_label("Only names that contain").press("Enter")
    page.wait_for_url("**/blocks/biasblock/*")
    assert BiasBlock.objects.get().bias.count() == 1


def test_a_night_makes_what_is_missing(as_user, alice, night):
    page = as_user("alice")
    page.goto("/calendar")
    page.get_by_text("3 bias, 4 flats, 1 science").click()
    page.wait_for_url("**/night/2024-03-01")
    assert faults_of(page) == []
    page.get_by_role("button", name="Create a block: flat for F395").click()
    page.wait_for_url("**/blocks/flatbyfilter/*")
    page.goto("/night/2024-03-01")
    page.get_by_role("button", name="Process block").click()
    page.wait_for_url("**/operations/*")
    assert Job.objects.get().kind == "flatbyfilter"


def test_a_phone_shows_a_list(as_user, bob, night):
    Superflat.objects.create(block_start_date=DAY, block_end_date=DAY + timedelta(days=9), band="Z")
    page = as_user("bob")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/calendar")
    expect(page.locator(".fc-list-event.night")).to_contain_text("3 bias")
    expect(page.locator(".fc-list-event.superflat").first).to_contain_text("to do")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(page) == []


def test_an_ended_session_is_told_while_the_calendar_is_open(as_user, alice, night):
    page = as_user("alice")
    page.goto("/calendar")
    expect(page.get_by_text("3 bias, 4 flats, 1 science")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()
    page.watched.complaints.clear()  # the browser tells of the 401
