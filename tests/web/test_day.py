"""A day of an operator in the browser: from raw frames to a tile that was reviewed and reduced again.

The pixels are a simulated night's, the worker is the real one.
"""

import re
import shutil
import time
from pathlib import Path

import pytest
from live import in_background
from playwright.sync_api import expect

from mar.io.names import Layout
from mar.refcat.packs import RefCat
from marserver.archive.fields import KEPT_S
from marserver.archive.models import FinalTile, IndividualFile
from marserver.jobs.models import Job
from marserver.jobs.worker import Worker
from marserver.reduction.tasks import TASKS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
WITHIN_MS = 300_000


@pytest.fixture
def site(small_site, root, night):
    """A data root with a night of one band that was not scanned yet."""
    other = shutil.ignore_patterns("*_Z.fits", "*-Z.fits")
    shutil.copytree(night.raw, root / "20240301", ignore=other)
    layout = Layout(root)
    layout.make_folders()
    RefCat(layout.reference).add(Path(night.reference), "simulated")
    return root


@pytest.fixture
def worker(site):
    """Somebody does what is queued, in the background."""
    over = []

    def work():
        hands = Worker(TASKS)
        while not over:
            if not hands.run_one():
                time.sleep(0.1)

    thread = in_background(work)
    yield
    over.append(True)
    thread.join()


def ends(page) -> None:
    """Wait on the page of an operation until it is done."""
    page.wait_for_url("**/operations/*")
    expect(page.locator("#operation .chip").first).to_have_text(re.compile("Done|Failed"), timeout=WITHIN_MS)
    assert page.locator("#operation .chip").first.inner_text() == "Done", page.locator("main").inner_text()


def new_block(page, kind: str, band: str = "") -> None:
    """Make a block of the whole night in the calendar; ends on its page."""
    page.goto("/calendar")
    page.get_by_role("button", name="New block").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-at=kind]").select_option(kind)
    if band:
        dialog.locator("[name=band]").select_option(band)
    dialog.get_by_label("First day").fill("2024-03-01")
    dialog.get_by_label("Last day").fill("2024-03-02")
    expect(dialog.locator("[data-at=count]")).to_contain_text("match")
    dialog.get_by_role("button", name="Create").click()
    page.wait_for_url(f"**/blocks/{kind}/*")


def process(page) -> None:
    """Look at the plan of a block, process it and wait for its end."""
    page.get_by_role("button", name="What would be done?").click()
    expect(page.locator(".plan")).to_contain_text("nothing was changed")
    page.get_by_role("button", name="Process", exact=True).click()
    ends(page)


def test_a_day_from_raw_frames_to_a_tile_that_is_reduced_again(as_user, alice, site, worker):
    page = as_user("alice")
    page.on("dialog", lambda asked: asked.accept())

    page.goto("/queue")
    page.get_by_role("button", name="20240301/").click()
    page.get_by_role("button", name="Scan", exact=True).click()
    ends(page)
    expect(page.locator("#operation")).to_contain_text("New frames")

    page.goto("/night/2024-03-01")
    expect(page.locator("main")).to_contain_text("bias")
    new_block(page, "biasblock")
    process(page)
    new_block(page, "flatbyfilter", "R")
    process(page)
    new_block(page, "sciblock")
    page.get_by_role("button", name="What would be done?").click()
    expect(page.locator(".plan")).to_contain_text("3 frames used")
    page.get_by_role("button", name="Process", exact=True).click()
    page.wait_for_url("**/operations/*")
    expect(page.locator("progress")).to_be_visible(timeout=60_000)  # it is seen while it runs
    ends(page)

    tiles = page.get_by_role("link", name=re.compile(r"SPLUS-s25s10.* R\b|R.*SPLUS-s25s10"))
    page.goto("/")
    until = time.monotonic() + 2 * KEPT_S
    while tiles.count() == 0 and time.monotonic() < until:  # the board may be older than the tile
        page.wait_for_timeout(1000)
        page.reload()
    tiles.first.click()
    page.wait_for_url("**/tiles/*")
    tile = FinalTile.objects.get()
    assert tile.ncombine == 3
    before = tile.checksum
    page.get_by_role("link", name="Open in the viewer").click()
    page.wait_for_url("**/view/tile/*")
    expect(page.locator("canvas").first).to_be_visible()

    page.goto(f"/tiles/{tile.pk}")
    page.get_by_label("satellites").check()
    page.get_by_role("button", name="Flag", exact=True).click()
    expect(page.locator(".chip.bad")).to_have_text("satellites")
    tile.refresh_from_db()
    assert tile.flag == 1 << 5

    worst = IndividualFile.objects.filter(file_type="SCI").order_by("pk").first()
    page.goto(f"/frames/{worst.pk}")
    page.get_by_role("button", name="Invalidate").click()
    expect(page.get_by_text("It is invalid.")).to_be_visible()

    page.goto(f"/tiles/{tile.pk}")
    page.get_by_label("First set the frames back").select_option("4")
    page.get_by_role("button", name="Process", exact=True).click()
    ends(page)
    tile.refresh_from_db()
    assert tile.ncombine == 2
    assert tile.checksum != before
    page.goto(f"/tiles/{tile.pk}")
    expect(page.locator("main")).to_contain_text("setflag")  # its history tells the whole day
    assert Job.objects.filter(status="failed").count() == 0


def test_a_job_that_fails_while_its_page_is_open_is_shown_as_such(as_user, alice, small_site, root):
    page = as_user("alice")
    (root / "empty").mkdir()
    page.goto("/queue")
    page.get_by_role("button", name="empty/").click()
    page.get_by_role("button", name="Scan", exact=True).click()
    page.wait_for_url("**/operations/*")
    expect(page.locator("#operation .chip").first).to_have_text("Todo")

    def broken(work):
        raise OSError("no space left on device")

    hands = Worker({**TASKS, "scan_folder": broken})
    thread = in_background(hands.run_one)
    expect(page.locator("#operation .chip").first).to_have_text("Failed", timeout=20_000)
    thread.join()
    expect(page.locator("#operation")).to_contain_text("no space left")
    page.goto("/queue")
    expect(page.get_by_text("Free space on the disk")).to_be_visible()


def test_a_server_that_goes_away_is_told_and_comes_back(as_user, alice, root):
    page = as_user("alice")
    page.goto("/queue")
    page.get_by_label("Folder below").fill("20240399")
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("does not answer", timeout=20_000)
    page.context.set_offline(False)
    expect(page.locator("mar-session")).to_be_hidden(timeout=20_000)
    expect(page.get_by_label("Folder below")).to_have_value("20240399")
    page.watched.complaints.clear()  # the browser tells of the network
