"""Pictures of the pages for docs/web.md: `python docs/screens.py ROOT` on a data root with a reduced night.

A server runs in a thread on that root, and Debian's Chromium looks at each page. With `--all FOLDER` each
is drawn in light and dark, on a laptop and a phone; without it those that the documents keep are. An account
`screens` is made for it, and taken away at the end.
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
KEPT = HERE / "screens"
SIZES = {"laptop": (1366, 850), "phone": (390, 844)}
COLOURS = ("light", "dark")
MAIN = ("board", "calendar", "tile", "view", "queue", "search")
MOST_BYTES = 60_000
NAME, PASSWORD = "screens", "a-look-at-the-pages"


def main() -> None:
    """Draw them."""
    asked = asked_for()
    os.environ |= {"MAR_ROOT": str(asked.root), "DJANGO_SETTINGS_MODULE": "marserver.settings"}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the driver keeps an event loop
    sys.path.append(str(HERE.parent / "tests" / "server"))
    import django

    django.setup()
    from live import running_server

    account(there=True)
    try:
        with running_server() as url:
            look(url, asked)
    finally:
        account(there=False)


def asked_for() -> Namespace:
    """What the command line asks for."""
    words = ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("root", type=Path, help="a data root with a reduced night")
    words.add_argument("--all", type=Path, metavar="FOLDER", help="every page in every way, into this folder")
    words.add_argument("--only", default="", help="names of pages, with commas")
    return words.parse_args()


def account(there: bool) -> None:
    """Make the account that looks, or take it away."""
    from django.core.management import call_command

    from marserver.accounts.models import User

    call_command("migrate", verbosity=0)
    User.objects.filter(username=NAME).delete()
    if there:
        User.objects.create_user(NAME, "screens@example.org", PASSWORD, role="administrator")


def pages() -> dict[str, str]:
    """The address of each page, by name; those of rows show the first of this root."""
    from marserver.archive import models as rows
    from marserver.jobs.models import Job

    tile = rows.FinalTile.objects.filter(isvalid=True, band="R").first() or rows.FinalTile.objects.get()
    frame = rows.IndividualFile.objects.filter(file_type="SCI").order_by("pk")[0]
    image, block = rows.FieldImage.objects.first(), rows.BiasBlock.objects.first()
    operation = Job.objects.filter(status="done").order_by("pk").last()
    found = {
        "board": "/",
        "field": f"/field/{tile.field}",
        "calendar": f"/calendar?date={frame.night}",
        "night": f"/night/{frame.night}",
        "quality": "/quality",
        "quality-field": f"/quality/field/{tile.field}",
        "quality-night": f"/quality/night/{frame.night}",
        "quality-tile": f"/quality/tile/{tile.pk}",
        "blocks": "/blocks/sciblock",
        "block": f"/blocks/biasblock/{block.pk}" if block else "",
        "frames": "/frames",
        "frame": f"/frames/{frame.pk}",
        "tiles": "/tiles",
        "tile": f"/tiles/{tile.pk}",
        "images": "/images",
        "image": f"/images/{image.pk}" if image else "",
        "view": f"/view/tile/{tile.pk}",
        "queue": "/queue",
        "operation": f"/operations/{operation.pk}" if operation else "",
        "logs": "/logs",
        "search": "/search?endpoint=finaltiles&type=get",
        "query": "/query",
        "configuration": "/configuration",
        "changes": "/changes",
        "users": "/users",
        "account": "/account",
    }
    return {name: address for name, address in found.items() if address}


def views(name: str, everything: bool) -> Iterator[tuple[str, str]]:
    """The colours and sizes in which a page is drawn."""
    for colours in COLOURS:
        for size in SIZES:
            kept = (colours, size) == ("light", "laptop")
            kept = kept or (name in MAIN and colours != "light" and size == "laptop")
            kept = kept or (name in MAIN and (colours, size) == ("light", "phone"))
            if everything or kept:
                yield colours, size


def look(url: str, asked: Namespace) -> None:
    """Open each page in the browser and keep its picture."""
    folder = asked.all or KEPT
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in asked.only.split(",") if name]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(base_url=url)
        page = context.new_page()
        log_in(page)
        for name, address in pages().items():
            if wanted and name not in wanted:
                continue
            page.goto(address)
            for colours, size in views(name, bool(asked.all)):
                draw(page, folder / f"{name}-{colours}-{size}.png", colours, size)
        browser.close()


def log_in(page) -> None:
    """By the login page."""
    page.goto("/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def draw(page, path: Path, colours: str, size: str) -> None:
    """One picture: what a laptop shows at once, or the whole of a page on a phone."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colours)
    page.reload()
    with suppress(PlaywrightTimeout):  # a log that is followed never ends
        page.wait_for_load_state("networkidle", timeout=10_000)
    page.wait_for_timeout(800)  # charts, and what is drawn when its data are there
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 1:
        sys.stderr.write(f"{path.name}: {wide} pixels wider than the screen\n")
    path.write_bytes(small(page.screenshot(full_page=size == "phone")))


def small(png: bytes) -> bytes:
    """The picture with so few colours (at most 128) that it is not large; at half its size if it must be."""
    image = Image.open(BytesIO(png)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, 3000)))
    for picture, number in (
        (image, 128),
        (image, 64),
        (image, 16),
        (image.reduce(2), 64),
        (image.reduce(2), 32),
    ):
        made = BytesIO()
        few = picture.quantize(number, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(made, "png", optimize=True)
        if made.tell() <= MOST_BYTES:
            break
    return made.getvalue()


if __name__ == "__main__":
    main()
