"""Every page, as a laptop shows it by day and a phone at night."""

import re

import pytest
from nights import bias_master, frame, frames
from tests.web.conftest import faults_of

from marserver.archive.models import FieldImage, FinalTile, SciByFilter
from marserver.jobs import log, queue
from marserver.jobs.models import Level
from marserver.jobs.queue import Order

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "no master bias block covers 2024-03-01: " + "x" * 60
DAY = {"block_start_date": "2024-03-01", "block_end_date": "2024-03-02"}


@pytest.fixture
def addresses(small_site, root, carol) -> list[str]:
    """The addresses of all pages of a survey with a few rows of everything."""
    raw = frames(3)
    failed = frame("SPLUS-20240301-" + "0" * 30, failed_step="ov", error=LONG)
    tile = FinalTile.objects.create(
        field="F1", band="R", status=1, fwhm=1.2, depth=21.0, date=failed.obs_date
    )
    image = FieldImage.objects.create(field="F1")
    block, master = SciByFilter.objects.create(band="R", **DAY), bias_master()
    block.scies.add(*raw, failed)
    tile.composed_by.add(*raw)
    waiting = [queue.enqueue(Order("process_biasblock", "biasblock", str(one), user="carol")) for one in "12"]
    log.write(Level.WARN, LONG)
    night = str(failed.night)
    lists = ["", "frames", "tiles", "images", "blocks", "quality", "queue", "logs", "search", "query"]
    lists += ["calendar?date=" + night, "configuration", "changes", "users", "account"]
    lists += ["frames?contains=nothing-is-named-so", "frames?order=password", "users/nobody"]
    rows = [f"frames/{failed.pk}", f"tiles/{tile.pk}", f"images/{image.pk}", f"night/{night}", "field/F1"]
    rows += [f"blocks/scibyfilter/{block.pk}", f"blocks/biasblock/{master.pk}", f"operations/{waiting[0].pk}"]
    rows += ["quality/field/F1", f"quality/night/{night}", f"quality/tile/{tile.pk}", f"view/tile/{tile.pk}"]
    return [f"/{path}" for path in lists + rows]


@pytest.mark.parametrize(
    ("colours", "width", "height"), [("light", 1366, 850), ("dark", 390, 844)], ids=["laptop", "phone"]
)
def test_every_page_is_whole(as_user, addresses, colours, width, height):
    page = as_user("carol")
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    wrong = {}
    for address in addresses:
        page.goto(address)
        if found := faults_of(page) + shape_of(page) + complaints_of(page, address):
            wrong[address] = found
        page.watched.complaints.clear()  # each page's own are told with its address
    assert not wrong, "\n".join(f"{address}: {found}" for address, found in wrong.items())


def complaints_of(page, address) -> list[str]:
    """What the browser complained of, but for what is not there and is asked for here."""
    absent = address == "/users/nobody" or address.startswith("/view/")  # the tile has no file
    return [words for words in page.watched.complaints if not (absent and "404" in words)]


def shape_of(page) -> list[str]:
    """What is wrong with the frame of a page: its title, its heading, its width."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    headings = page.locator("h1").count()
    found = [f"{wide} pixels wider than the screen"] if wide > 1 else []
    found += [f"{headings} main headings"] if headings != 1 else []
    if not re.fullmatch(r"\S.* · MAR", page.title()):
        found.append(f"the title {page.title()!r}")
    return found
