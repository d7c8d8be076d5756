"""Pictures of the pages for docs/web.md: `python docs/screens.py ROOT` on a data root with a reduced night.

A server runs in a thread on that root, and Debian's Chromium looks at each page: in light and dark, on a
laptop and a phone. The documents keep the laptop in light as NAME.webp and the other three side by side as
NAME-more.webp; with `--all FOLDER` each goes into a file of its own there. The root's camera is that of the
variable MAR_CAMERA (t80cam-mini for a demonstration). An account `screens` is made for it, and taken away at
the end.
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
KEPT = HERE / "screens"
SIZES: dict[str, dict[str, Any]] = {
    "laptop": {"viewport": {"width": 1366, "height": 850}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
COLOURS = ("light", "dark")
TALL = 1266  # pixels of a phone's page that the documents keep
SMALLER = 0.8  # the laptop in dark, beside the phones
GAP = 12
QUALITY = 78
NAME, PASSWORD = "screens", "a-look-at-the-pages"


def main() -> None:
    """Draw them."""
    asked = asked_for()
    os.environ |= {"MAR_ROOT": str(asked.root), "DJANGO_SETTINGS_MODULE": "marserver.settings"}
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the driver keeps an event loop
    tests = HERE.parent / "tests"
    sys.path += [str(tests), str(tests / "server")]
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
    frame = rows.IndividualFile.objects.filter(file_type="SCI", band=tile.band).order_by("pk")[0]
    made = rows.IndividualFile.objects.filter(file_type="PROCESSED", band=tile.band).order_by("pk")[0]
    image, block = rows.FieldImage.objects.first(), rows.FlatByFilter.objects.filter(band=tile.band).first()
    operation = Job.objects.filter(status="done").order_by("pk").last()
    new = f"new=flatbyfilter&band=R&start={frame.night}&end={frame.night}"
    found = {
        "login": "/login",
        "board": "/",
        "board-selected": f"/?show=depth#{tile.field}/R,{tile.field}/G",
        "field": f"/field/{tile.field}",
        "calendar": f"/calendar?date={frame.night}",
        "calendar-new": f"/calendar?date={frame.night}&{new}",
        "night": f"/night/{frame.night}",
        "quality": "/quality",
        "quality-field": f"/quality/field/{tile.field}",
        "quality-night": f"/quality/night/{frame.night}",
        "quality-tile": f"/quality/tile/{tile.pk}",
        "blocks": "/blocks/sciblock",
        "block": f"/blocks/flatbyfilter/{block.pk}" if block else "",
        "frames": "/frames",
        "frame": f"/frames/{frame.pk}",
        "tiles": "/tiles",
        "tile": f"/tiles/{tile.pk}",
        "images": "/images",
        "image": f"/images/{image.pk}" if image else "",
        "view": f"/view/tile/{tile.pk}?marks=reference&blink=weight-{tile.pk}",
        "view-frame": f"/view/frame/{made.pk}?mask=111",
        "view-colour": f"/view/image/{image.pk}" if image else "",
        "queue": "/queue",
        "operation": f"/operations/{operation.pk}" if operation else "",
        "logs": "/logs",
        "search": f"/search?endpoint=finaltiles&type=get&field={tile.field}",
        "query": "/query",
        "configuration": "/configuration",
        "changes": "/changes",
        "users": "/users",
        "account": "/account",
    }
    return {name: address for name, address in found.items() if address}


def ask_for_tiles(page: Any) -> None:
    """An example of the query, with its plot."""
    page.get_by_role("button", name="Seeing of the tiles").click()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Plot", exact=True).click()


def select_cells(page: Any) -> None:
    """The selection of the address with what can be done to it, below the table."""
    page.get_by_text("Flag, comment, process").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")


ACTS: dict[str, Callable[[Any], None]] = {  # what is done before a picture is taken
    "board-selected": select_cells,
    "search": lambda page: page.get_by_role("button", name="Send").click(),
    "query": ask_for_tiles,
    "configuration": lambda page: page.get_by_label("Find an item").fill("thresh"),
    "tile": lambda page: page.get_by_role("button", name="What would be done?").click(),
}


def look(url: str, asked: Namespace) -> None:
    """Open each page in the browser and keep its pictures."""
    folder = asked.all or KEPT
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in asked.only.split(",") if name]
    addresses = {name: address for name, address in pages().items() if not wanted or name in wanted}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        state = logged_in(browser.new_context(base_url=url))
        for name, address in addresses.items():
            known = None if name == "login" else state
            taken = {}
            for size, screen in SIZES.items():
                context = browser.new_context(base_url=url, storage_state=known, locale="en-CA", **screen)
                for colours in COLOURS:
                    taken[f"{colours}-{size}"] = draw(context, name, address, colours, size)
                context.close()
            keep(folder, name, taken, bool(asked.all))
        browser.close()


def logged_in(context: Any) -> Any:
    """What the browser keeps after the login page."""
    from login_page import log_in

    log_in(context.new_page(), NAME, PASSWORD)
    return context.storage_state()


def draw(context: Any, name: str, address: str, colours: str, size: str) -> Image.Image:
    """One picture: what a laptop shows at once, or the whole of a page on a phone."""
    page = context.new_page()
    page.emulate_media(color_scheme=colours)
    page.goto(address)
    with suppress(PlaywrightError):  # a log that is followed never ends
        page.wait_for_load_state("networkidle", timeout=5000)
    if name in ACTS:
        ACTS[name](page)
    page.wait_for_timeout(2500 if name.startswith("view") or name in ACTS else 800)  # what is drawn later
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 1:
        sys.stderr.write(f"{name} {colours} {size}: {wide} pixels wider than the screen\n")
    image = Image.open(BytesIO(page.screenshot(full_page=size == "phone"))).convert("RGB")
    page.close()
    return image


def keep(folder: Path, name: str, taken: dict[str, Image.Image], apart: bool) -> None:
    """Write the pictures of a page."""
    if apart:
        for view, image in taken.items():
            image.save(folder / f"{name}-{view}.png")
        return
    taken["light-laptop"].save(folder / f"{name}.webp", quality=QUALITY, method=6)
    beside([taken[view] for view in ("dark-laptop", "light-phone", "dark-phone")]).save(
        folder / f"{name}-more.webp", quality=QUALITY, method=6
    )


def beside(images: list[Image.Image]) -> Image.Image:
    """A laptop's picture, made smaller, and two of a phone, cut at their length, on grey."""
    laptop, *phones = images
    parts = [laptop.resize((int(laptop.width * SMALLER), int(laptop.height * SMALLER)))]
    parts += [phone.crop((0, 0, phone.width, min(phone.height, TALL))) for phone in phones]
    size = sum(part.width for part in parts) + GAP * 2, max(part.height for part in parts)
    sheet, x = Image.new("RGB", size, (128, 128, 128)), 0
    for part in parts:
        sheet.paste(part, (x, 0))
        x += part.width + GAP
    return sheet


if __name__ == "__main__":
    main()
