"""The board in a browser: cells are selected by pointer and keys, and acted on."""

import pytest
from live import wait_until
from nights import frame, noon
from playwright.sync_api import expect
from tests.web.conftest import faults_of

from marserver.archive.models import FinalTile
from marserver.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def survey():
    """Two fields with tiles in two bands, and one that waits."""
    for number, name in enumerate(("S1", "S2")):
        for band in ("U", "F378"):
            FinalTile.objects.create(
                field=name, band=band, status=1, date=noon(hours=24 * number), crval1=20.0 * number,
                crval2=-30.0, depth=21.0 + number, fwhm=1.2,
            )  # fmt: skip
    frame("waits", band="U", fld="S3")


def cell(page, name, band):
    return page.locator(f"tr[data-field='{name}'] .cell[data-band='{band}']")


def flags():
    return list(FinalTile.objects.order_by("field", "band").values_list("field", "band", "flag"))


def test_cells_are_selected_and_flagged_together(as_user, alice, survey):
    page = as_user("alice")
    expect(page.locator(".u-legend")).to_be_visible()  # the curve is drawn
    expect(page.get_by_label("Map of 2 fields")).to_be_visible()
    assert faults_of(page) == []
    cell(page, "S1", "U").click(modifiers=["Shift"])
    cell(page, "S2", "F378").click(modifiers=["Shift"])
    expect(page.get_by_text("4 cells selected, 4 with a tile")).to_be_visible()
    page.get_by_text("Flag, comment, process").click()
    page.get_by_label("seeing").check()
    page.get_by_label("background").check()
    page.get_by_label("flags as API calls").click()
    expect(page.get_by_role("dialog")).to_contain_text("mar call finaltiles type=setflag")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Set").first.click()
    expect(page.get_by_text("4 of 4 flagged")).to_be_visible()
    assert {flag for *_, flag in flags()} == {5}
    expect(cell(page, "S2", "F378")).to_have_text("F")
    expect(cell(page, "S2", "F378")).to_have_class("cell flagged chosen")
    assert faults_of(page) == []
    page.get_by_label("Comment", exact=True).fill("clouds at dawn")
    page.get_by_label("Comment", exact=True).press("Enter")
    expect(page.get_by_text("4 of 4 commented")).to_be_visible()
    assert set(FinalTile.objects.values_list("comments", flat=True)) == {"clouds at dawn"}


def test_keys_move_select_and_open(as_user, alice, survey):
    page = as_user("alice")
    cell(page, "S1", "U").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("2 cells selected, 2 with a tile")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-at=selection]")).to_be_hidden()
    page.keyboard.press(" ")
    expect(cell(page, "S2", "F378")).to_have_class("cell tile chosen")
    address = page.url
    page.goto("/queue")
    page.goto(address)
    expect(page.get_by_text("1 cell selected")).to_be_visible()  # it is in the address
    cell(page, "S2", "F378").press("Enter")
    page.wait_for_url(f"**/tiles/{FinalTile.objects.get(field='S2', band='F378').pk}")


def test_a_column_is_processed_and_what_is_refused_is_told(as_user, alice, survey):
    page = as_user("alice")
    page.get_by_label("Select U of all fields").click()
    expect(page.get_by_text("3 cells selected")).to_be_visible()
    page.get_by_text("Flag, comment, process").press("Enter")
    page.get_by_role("button", name="Process these cells").click()
    expect(page.get_by_text("1 of 3 put into the queue, 2 refused")).to_be_visible()
    expect(page.get_by_text("no valid science frame of S1 U")).to_be_visible()
    wait_until(lambda: Job.objects.filter(block="S3", band="U").exists())
    page.watched.complaints.clear()  # the browser tells of the two that were refused


def test_the_map_is_gone_through_by_keys(as_user, bob, survey):
    page = as_user("bob")
    link = page.locator("mar-skymap [data-at=link]")
    link.focus()
    expect(link).to_have_text("S1: 2 tiles, begun")
    page.keyboard.press("ArrowLeft")  # right ascension grows to the left
    expect(link).to_have_text("S2: 2 tiles, begun")
    page.keyboard.press("Enter")
    page.wait_for_url("**/field/S2")


def test_the_map_opens_a_field_and_filters_are_in_the_address(as_user, bob, survey):
    page = as_user("bob")
    page.locator("select[name=show]").select_option("depth")
    page.get_by_label("Field", exact=True).fill("s2")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/?field=s2**show=depth")
    expect(cell(page, "S2", "U")).to_have_text("22.00")
    assert faults_of(page) == []
    marks = page.evaluate("JSON.parse(document.querySelector('mar-skymap script').textContent)")
    x, y, name = marks[1][:3]
    page.evaluate(
        "([x, y]) => { const svg = document.querySelector('svg.sky');"
        "const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());"
        "svg.dispatchEvent(new MouseEvent('click', {clientX: at.x + 2, clientY: at.y, bubbles: true})); }",
        [x, y],
    )
    page.wait_for_url(f"**/field/{name}")
    assert faults_of(page) == []
