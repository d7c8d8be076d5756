"""The image viewer in a browser."""

import re

import numpy as np
import pytest
from live import wait_until
from playwright.sync_api import expect
from tests.server.pages.pixels import noise, processed, put, sky_header, tile
from tests.web.conftest import faults_of

pytestmark = pytest.mark.django_db(transaction=True)

MIDDLE = """() => {
  const canvas = document.querySelector('.pixels canvas'), copy = document.createElement('canvas');
  if (!canvas) return [0, 0, 0, 0];
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(canvas, canvas.width >> 1, canvas.height >> 1, 1, 1, 0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data];
}"""


def shows(page, grey):
    """Wait until the middle of the image is that bright on the screen."""
    wait_until(lambda: page.evaluate(MIDDLE)[::3] == [grey, 255])


def opened(page, path):
    page.goto(path)
    expect(page.locator(".told")).to_be_hidden()
    wait_until(lambda: page.evaluate(MIDDLE)[3] > 0)
    return page


def flat(root, row, value):
    """A tile of one value, with a brighter first row and column to have limits."""
    data = np.full((700, 1100), value, np.float32)
    data[0] = 200
    put(root, row.file_path, data, sky_header())
    return row


def point_at_middle(page):
    box = page.locator(".sky").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_frame_is_zoomed_read_and_its_mask_shown(as_user, bob, root):
    row = processed(root)
    page = opened(as_user("bob"), f"/view/frame/{row.pk}")
    assert faults_of(page) == []
    page.keyboard.press("1")
    expect(page).to_have_url(re.compile("zoom=1(&|$)"))
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("zoom=1.6(&|$)"))
    point_at_middle(page)
    value = noise(7)[349, 549]
    expect(page.locator(".cursor")).to_contain_text(re.compile(r"x 5(49|50).* y 35\d.*23:59|00:00.*adu/s"))
    page.keyboard.press("i")
    facts = page.locator(".pixel")
    expect(facts).to_contain_text("RA, Dec")
    x, y = (
        int(number)
        for number in re.search(r"Pixel(\d+), (\d+)", facts.inner_text().replace("\n", "")).groups()
    )
    shown = float(re.search(r"Value([-\d.]+)", facts.inner_text().replace("\n", "")).group(1))
    assert abs(shown - noise(7)[y - 1, x - 1]) < 1, value  # quantised in the file
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("mask=111"))
    page.get_by_label("trail").uncheck()
    expect(page).to_have_url(re.compile("mask=103"))


def test_a_shared_address_opens_the_same_view(as_user, bob, root):
    row = tile(root)
    query = "x=300.0&y=200.0&zoom=2&low=90&high=110&stretch=asinh&marks=sources"
    page = opened(as_user("bob"), f"/view/tile/{row.pk}?{query}")
    expect(page.get_by_label("Limits")).to_have_value("hand")
    expect(page.get_by_label("Curve")).to_have_value("asinh")
    expect(page.locator(".marked")).to_contain_text("sources in view")
    point_at_middle(page)
    expect(page.locator(".cursor")).to_contain_text(re.compile(r"x (299|300|301)\.\d  y (199|200|201)\.\d"))
    assert query in page.url


def test_bands_are_blinked_by_key_and_the_view_stays(as_user, bob, root):
    dark, bright = flat(root, tile(root, "G"), 10), flat(root, tile(root, "R"), 90)
    page = opened(as_user("bob"), f"/view/tile/{dark.pk}?blink={bright.pk}&low=0&high=100")
    expect(page.locator(".now")).to_contain_text("F1 R is ready")
    shows(page, 26)
    page.locator(".sky").click()
    page.keyboard.press("Space")
    expect(page.locator(".now")).to_contain_text("Shown: F1 R")
    shows(page, 230)
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="Blink")).to_have_attribute("aria-pressed", "true")
    shows(page, 26)
    shows(page, 230)


def test_other_limits_are_drawn_and_wrong_ones_are_told(as_user, bob, root):
    page = opened(as_user("bob"), f"/view/tile/{flat(root, tile(root), 50).pk}?low=0&high=100")
    shows(page, 128)
    page.get_by_label("White").fill("200")
    page.get_by_label("White").press("Enter")
    shows(page, 64)
    page.get_by_label("Black").fill("300")
    page.get_by_label("Black").press("Tab")
    expect(page.get_by_label("White")).to_have_js_property("validationMessage", "White must be above black.")


def test_a_pixel_of_a_tile_leads_to_its_frames(as_user, bob, root):
    row, made = tile(root), processed(root)
    row.composed_by.add(made)
    page = opened(as_user("bob"), f"/view/tile/{row.pk}")
    page.keyboard.press("i")
    page.locator(".pixel").get_by_role("link", name="proc_a").click()
    page.wait_for_url(f"**/view/frame/{made.pk}?*")
    expect(page.locator(".told")).to_be_hidden()


def test_the_mask_of_what_is_blinked_with_comes_with_it(as_user, bob, root):
    bare, masked = processed(root, "proc_a"), processed(root, "proc_b")
    bare.bpmask = None
    bare.save()
    page = as_user("bob")
    with page.expect_request(lambda sent: f"/view/frame/{masked.pk}/mask/" in sent.url):
        page.goto(f"/view/frame/{bare.pk}?blink={masked.pk}&mask=8")
    expect(page.locator(".now")).to_contain_text("proc_b (processed) is ready")
    page.keyboard.press("Space")
    expect(page.locator(".now")).to_contain_text("Shown: proc_b")
    seen = "document.querySelector('mar-viewer').layers.get('frame-%d').mask.item.getOpacity()"
    assert page.evaluate(seen % masked.pk) == 1
    page.keyboard.press("Space")
    assert page.evaluate(seen % masked.pk) == 0
