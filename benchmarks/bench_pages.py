"""The pages of the web interface at a survey's size: until the HTML is there, and until the browser shows it.

    make bench-pages                                             # a million rows, SQLite and PostgreSQL
    python benchmarks/bench_pages.py --scale 10 --only sqlite    # a hundred thousand
    python benchmarks/bench_pages.py --root DIR --only sqlite    # fills DIR the first time, keeps it

At scale 1 the archive holds a million individualfiles, at scale 10 a tenth of them. Every page is asked for
some times by a raw socket with the cookies of a login (seconds to the last byte, the first time told apart:
the server has nothing in its memory then), once within a process that counts its queries, and some times by
Chromium without a window, which tells when it painted the first content. At the end twenty operators look at
pages that ask again by themselves, and each part is asked for as fast as it is answered.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench_api import EVER, Asker
from conventions import Bar, Figures, main
from light import Line, get, paced
from service import PASSWORD, TESTS, Place, Service, database, place, running

NAME = "bench-pages"
WAITING = 300  # operations in the queue
FIRST_PAINT_S = 1.0
OPERATORS = 20
PAINT = "() => performance.getEntriesByName('first-contentful-paint').map(one => one.startTime / 1000)"
NO_PAINT = ("/board/survey", "/calendar/events", "/calendar/count", "/queue/folders")  # parts of pages
# Every page of the menu, its heavier addresses, and a page about one of each kind
ASKED = """
/ /?page=30 /?show=depth&order=-newest /?state=failed /?state=raw&band=U /?field=00 /board/survey
/field/{field} /calendar /calendar/events?start={month}-01&end={month}-28
/calendar/count?kind=sciblock&start=2017-01-01&end={night} /night/{night} /night/{waits} /quality
/quality?band=R&figure=depth /quality/field/{field} /quality/tile/{tile} /quality/night/{night} /blocks
/blocks/scibyfilter /blocks/flatbyfilter?page=50 /blocks/biasblock/{biasblock} /blocks/flatblock/{flatblock}
/blocks/sciblock/{sciblock} /blocks/scibyfilter/{scibyfilter} /frames /frames?page=5000
/frames?order=obsDate&page=5000 /frames?file_type=SCI&band=R /frames?file_type=PROCESSED
/frames?band=F395&page=100 /frames?error=1 /frames?error=1&file_type=SCI /frames?valid=0
/frames?contains={name} /frames?contains=proc_S2018&page=20
/frames?start=2017-01-01&end={night}&band=R&page=100 /frames?field={field} /frames/{frame} /tiles
/tiles?order=fwhm /tiles?order=-updated_at /tiles?flag=2&page=20 /tiles?band=R&page=20 /tiles/{tile} /images
/images?order=-updated_at /images/{image} /queue /queue/folders /operations/{operation} /logs
/logs?level=CRITICAL /logs?text=solved /logs?operation={operation} /search /query /configuration /changes
/changes?user=alice&kind=finaltiles /changes?kind=nothing /users /account
"""


@dataclass
class Page:
    """One page and what it took."""

    path: str
    seconds: list[float] = field(default_factory=list)  #: until the last byte, the first time first
    queries: int = 0
    kilobytes: float = 0.0
    processor_ms: float = 0.0  #: of the server, for one of the later times
    paints: list[float] = field(default_factory=list)  #: seconds until the first content was painted

    @property
    def first_paint_s(self) -> float | None:
        """The median; None for a part of a page."""
        return statistics.median(self.paints) if self.paints else None


@dataclass
class PageFigures(Figures):
    """What one database gave, with every page."""

    pages: list[Page] = field(default_factory=list)


def paths(asker: Asker) -> list[str]:
    """The pages that are asked for, of what the archive holds."""

    def some(kind: str, **body: Any) -> dict[str, Any]:
        row: dict[str, Any] = asker.ask(kind, type="get", limit=1, **(body or EVER)).msg[0]
        return row

    tile, waits = some("finaltiles"), some("individualfile", order="-obsDate", **EVER)
    frame = tile["composedBy"][0]
    there = {
        "field": tile["field"],
        "tile": tile["id"],
        "image": some("fieldimage")["id"],
        "frame": frame["id"],
        "name": frame["file_name"][-12:],
        "night": frame["night"],
        "month": frame["night"][:7],
        "waits": waits["night"],
        "operation": asker.ask("getOperations", nums=1).msg[0]["id"],
    }
    kinds = ("biasblock", "flatblock", "sciblock", "scibyfilter")
    there |= {kind: some(kind)["id"] for kind in kinds}
    return ASKED.format(**there).split()


@contextmanager
def browser(service: Service) -> Iterator[Any]:
    """A window of Chromium in which somebody has logged in."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(TESTS))
    from login_page import log_in
    from parts import need

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(need("chromium")), args=["--no-sandbox"])
        context = chromium.new_context(base_url=service.url, viewport={"width": 1366, "height": 850})
        window = context.new_page()
        log_in(window, NAME, PASSWORD)
        yield window
        chromium.close()


def painted_s(window: Any, path: str) -> float:
    """From the request of a page to its first content."""
    window.goto(path, wait_until="load")
    while not (found := window.evaluate(PAINT)):  # wait_for_function would need what the pages forbid
        window.wait_for_timeout(20)
    return float(found[0])


def ask(service: Service, cookies: str, path: str, times: int) -> Page:
    """A page by a raw socket; RuntimeError where it is refused."""
    found = Page(path)
    line = Line(service.url)
    before = 0.0
    for number in range(times + 1):
        before = service.processor_s() if number == 1 else before
        reply = line.ask(get(path, cookies))
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {reply.content[:300]!r}")
        found.seconds.append(reply.last_s)
        found.kilobytes = len(reply.content) / 1e3
    line.close()
    found.processor_ms = (service.processor_s() - before) / times * 1e3
    return found


def queries(here: Place, asked: list[str]) -> list[int]:
    """How many queries each page takes, by a process with nothing in its memory."""
    command = [sys.executable, "-W", "ignore", __file__, "--queries", str(here.root)]
    done = subprocess.run(
        command, env=here.environment, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    found: list[int] = json.loads(done.stdout)
    return found


def count_queries(root: Path, asked: list[str]) -> list[int]:
    """The same, within that process."""
    from marserver.root import enter

    enter(root)
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from marserver.accounts.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=NAME))
    found = []
    for path in asked:
        with CaptureQueriesContext(connection) as caught:
            client.get(path)
        found.append(len(caught))
    return found


def fill_queue(root: Path) -> None:
    """Operations that wait."""
    from marserver.root import enter

    enter(root)
    from django.utils.timezone import now

    from marserver.jobs.models import Job

    Job.objects.filter(function="bench").delete()
    Job.objects.bulk_create(
        Job(function="bench", kind="bench", target=f"bench {n}", block=str(n), queued_at=now())
        for n in range(WAITING)
    )


def operators(
    service: Service, cookies: str, pages: list[str], seconds: float
) -> tuple[list[Bar], list[str]]:
    """Twenty operators: each follows the log, and asks for a part of a page every three seconds."""
    asked = [get(path, cookies, part=True) for path in pages]
    followers = [Line(service.url) for _ in range(OPERATORS)]
    for line in followers:
        line.raw.sendall(get("/media/follow_logs", cookies))
    rate = OPERATORS / 3
    found = paced(service.url, asked, rate, OPERATORS, seconds)
    for line in followers:
        line.close()
    words = f"{OPERATORS} operators"
    bars = [
        Bar(f"{words}: answers of 500 and above", found.failures, 1),
        Bar(f"{words}: p95", found.p95_ms / 1e3, FIRST_PAINT_S, unit="s"),
    ]
    told = [f"{words}: {found.rate:.1f} parts/s, median {found.median_ms:.0f} ms, p95 {found.p95_ms:.0f} ms"]
    for path, request in zip(pages, asked, strict=True):
        most = paced(service.url, [request], 2000, OPERATORS, 0.1)  # 200, as fast as they are answered
        told.append(f"part {path}: {most.rate:.0f}/s at most")
    return bars, told


class Found(NamedTuple):
    """What one database gave."""

    pages: list[Page]
    bars: list[Bar]
    remarks: list[str]


def bench(arguments: argparse.Namespace, root: Path, url: str) -> Found:
    """All pages on one database."""
    here, count = place(root, url), round(1_000_000 / arguments.scale)
    if not (root / "CONFIG" / "bench-pages-filled").exists():
        here.add_user(NAME, "administrator")
        here.mar("admin", "fill", "--rows", str(count))
        (root / "CONFIG" / "bench-pages-filled").touch()
    here.give_password(NAME)
    command = [sys.executable, "-W", "ignore", __file__, "--waiting", str(root)]
    subprocess.run(command, env=here.environment, check=True)
    with running(here, "serve") as service:
        asked = [path for path in paths(Asker(service, NAME)) if arguments.page in path]
        with browser(service) as window:
            cookies = "; ".join(f"{one['name']}={one['value']}" for one in window.context.cookies())
            pages = [ask(service, cookies, path, arguments.times) for path in asked]
            for page in pages:
                if not page.path.startswith(NO_PAINT):
                    page.paints = [painted_s(window, page.path) for _ in range(arguments.rounds)]
        parts = ["/queue", asked_of(pages, "/operations/"), "/", "/board/survey"]
        bars, told = operators(service, cookies, parts, arguments.seconds)
    for page, number in zip(pages, queries(here, asked), strict=True):
        page.queries = number
    paints = [
        Bar(f"first paint of {page.path}", page.first_paint_s, FIRST_PAINT_S, unit="s")
        for page in pages
        if page.paints
    ]
    return Found(pages, [*paints, *bars], told)


def asked_of(pages: list[Page], begin: str) -> str:
    """The first page whose address begins so."""
    return next((page.path for page in pages if page.path.startswith(begin)), begin)


def show_pages(name: str, pages: list[Page]) -> None:
    """A line for each page."""
    title = f"{name}: seconds until the last byte and until the first paint"
    heads = ("page", "first time", "median", "largest", "cpu ms", "queries", "kB", "paint", "largest")
    table = Table(*heads, title=title, title_justify="left")
    for page in pages:
        later = page.seconds[1:]
        figures = [page.seconds[0], statistics.median(later), max(later)]
        paints = [page.first_paint_s, max(page.paints)] if page.paints else [None, None]
        words = [f"{one:.3f}" for one in figures]
        words += [f"{page.processor_ms:.0f}", str(page.queries), f"{page.kilobytes:.0f}"]
        table.add_row(page.path, *words, *("" if one is None else f"{one:.2f}" for one in paints))
    Console(width=150).print(table)


def figures(name: str, arguments: argparse.Namespace) -> Figures:
    """All pages of one database, the first paint of each with its bar."""
    with tempfile.TemporaryDirectory(prefix="mar-pages-") as folder, database(name) as url:
        root = (arguments.root or Path(folder)).resolve()
        found = bench(arguments, root, url)
    show_pages(name, found.pages)
    return PageFigures(name, bars=found.bars, remarks=found.remarks, pages=found.pages)


def sqlite(arguments: argparse.Namespace) -> Figures:
    """The pages on SQLite."""
    return figures("sqlite", arguments)


def postgresql(arguments: argparse.Namespace) -> Figures:
    """The pages on a throw-away PostgreSQL server."""
    return figures("postgresql", arguments)


def more(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--times", type=int, default=5, help="askings of each page behind the first one")
    parser.add_argument("--seconds", type=float, default=20, help="of the twenty operators")
    parser.add_argument("--page", default="", help="only pages with this in their address")
    parser.add_argument("--root", type=Path, help="data root, kept; default a new one, removed at the end")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--queries"]:
        print(json.dumps(count_queries(Path(sys.argv[2]), json.load(sys.stdin))))
        raise SystemExit
    if sys.argv[1:2] == ["--waiting"]:
        fill_queue(Path(sys.argv[2]))
        raise SystemExit
    works = {"sqlite": sqlite, "postgresql": postgresql}
    raise SystemExit(main(__doc__ or "", works, scale=1, extra=more))
