"""The service at a survey's size, through HTTP: what an operator's requests cost, and what the server stands.

    make bench-api                                              # a million rows, SQLite and PostgreSQL
    python benchmarks/bench_api.py --scale 10 --only sqlite --seconds 5   # a hundred thousand
    python benchmarks/bench_api.py --root DIR --only sqlite      # fills DIR the first time, keeps it

At scale 1 the archive holds a million individualfiles, at scale 10 a tenth of them.

The questions come from this machine by raw sockets. The peer is the present system on
SQLite with as many rows, one client; its figures were measured elsewhere, so the factor is a guide.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from conventions import Bar, Figures, main
from light import Latencies, Line, Reply, paced, post
from service import Place, Service, database, place, running

EVER = {"startDate": "2000-01-01", "endDate": "2100-01-01"}
CLIENTS, RATE = 50, 200.0
WAITING = 10_000


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    figure: float
    unit: str = "ms"
    bar: float | None = None
    above: bool = False  # the figure must be above the bar
    peer: float | None = None  # ms
    remark: str = ""

    def remarked(self) -> str:
        """What the table of bars does not say; nothing where there is nothing more."""
        figure = f"{self.figure:.4g} {self.unit}" if self.bar is None else ""
        factor = f"{self.peer / self.figure:.1f} times faster than the peer" if self.peer else ""
        words = "; ".join(word for word in (figure, factor, self.remark) if word)
        return f"{self.work}: {words}" if words else ""


@dataclass(frozen=True)
class Questions:
    """What is asked, chosen from what the archive holds."""

    ids: list[int]
    tiles: list[tuple[str, str]]
    night: dict[str, str]
    wide: dict[str, str]
    field: str


class Asker:
    """One client on one connection."""

    def __init__(self, service: Service, name: str = "bench-operator") -> None:
        self.service = service
        self.token = service.token(name)
        self.line = Line(service.url)

    def ask(self, endpoint: str, keep: bool = True, **body: Any) -> Reply:
        """One question; RuntimeError where it is refused."""
        request = post(endpoint, self.token, **body)
        try:
            reply = self.line.ask(request, keep)
        except ConnectionError:  # idle for too long
            self.line = Line(self.service.url)
            reply = self.line.ask(request, keep)
        if reply.status != 200:
            raise RuntimeError(f"{endpoint} {body}: {reply.status} {reply.content[:300]!r}")
        return reply

    def median_ms(self, times: int, endpoint: str, first: bool = False, **body: Any) -> float:
        """The median of some askings, the first not counted, to the last byte or to the first."""
        replies = [self.ask(endpoint, keep=False, **body) for _ in range(times + 1)][1:]
        return statistics.median(one.first_s if first else one.last_s for one in replies) * 1e3


def choose(asker: Asker, rows: int) -> Questions:
    """Questions about what there is."""
    get = {"type": "get"}
    tiles = asker.ask("finaltiles", type="getfields").msg
    newest = asker.ask("individualfile", **get, **EVER, order="-obsDate", limit=1).msg[0]
    science = asker.ask("individualfile", **get, contains="STRIPE82,SPLUS,HYDRA,MC", limit=1, offset=500).msg[
        0
    ]
    last = date.fromisoformat(newest["obsDate"][:10])
    return Questions(
        ids=[rows * number // 500 + 1 for number in range(400)],
        tiles=[(tile["field"], tile["band"]) for tile in tiles[:: max(len(tiles) // 200, 1)]],
        night=one_night(asker, last),
        wide=days_with(asker, date.fromisoformat(science["obsDate"][:10]), min(10_000, rows // 4)),
        field=science["field"],
    )


def days(start: date, end: date) -> dict[str, str]:
    """A range of days as a request has it."""
    return {"startDate": start.isoformat(), "endDate": end.isoformat()}


def one_night(asker: Asker, last: date) -> dict[str, str]:
    """One of the last days with about 270 rows."""
    for back in range(1, 60):
        day = days(last - timedelta(days=back), last - timedelta(days=back))
        if 240 <= len(asker.ask("individualfile", type="get", **day).msg) <= 300:
            return day
    raise RuntimeError("no day with about 270 rows: fill with more rows")


def days_with(asker: Asker, start: date, count: int) -> dict[str, str]:
    """A range of days with about so many rows."""
    for length in range(400):
        asked = days(start, start + timedelta(days=length))
        if len(asker.ask("individualfile", type="get", **asked, limit=count + 500).msg) >= count:
            return asked
    raise RuntimeError(f"no range of days with {count} rows: fill with more rows")


def loads(service: Service, asker: Asker, chosen: Questions, seconds: float) -> Iterator[Row]:
    """Steady rates from fifty clients."""
    by_id = [post("individualfile", asker.token, type="get", id=number) for number in chosen.ids]
    by_field = [
        post("finaltiles", asker.token, type="get", field=field, band=band) for field, band in chosen.tiles
    ]
    queue = [post("get_queue", asker.token)]
    for work, requests in (("get by id", by_id), ("get by field + band", by_field), ("get_queue", queue)):
        paced(service.url, requests, RATE, CLIENTS, 2)  # warm
        yield from load(service, work, requests, seconds)


def load(service: Service, work: str, requests: Sequence[bytes], seconds: float) -> Iterator[Row]:
    """One steady rate: its median, its 95th of a hundred, its processor time."""
    before = service.processor_s()
    found = paced(service.url, requests, RATE, CLIENTS, seconds)
    processor_ms = (service.processor_s() - before) / len(found.seconds) * 1e3
    remark = f"{found.rate:.0f}/s of {RATE:.0f}/s; {told(found)}"
    yield Row(f"{work}, 200/s, median", found.median_ms, bar=4, peer=4, remark=remark)
    yield Row(f"{work}, 200/s, p95", found.p95_ms, bar=30)
    yield Row(f"{work}, processor time of a request", processor_ms)


def told(found: Latencies) -> str:
    """The statuses of the answers."""
    return ", ".join(f"{count} x {status}" for status, count in sorted(found.statuses.items()))


def lists(asker: Asker, chosen: Questions, times: int) -> Iterator[Row]:
    """Long answers, one client."""
    frames, get = "individualfile", {"type": "get"}

    def row(work: str, bar: float, peer: float | None = None, first: bool = False, **body: Any) -> Row:
        count = "" if first else f"{len(asker.ask(frames, **get, **body).msg)} rows"
        return Row(work, asker.median_ms(times, frames, first, **get, **body), "ms", bar, False, peer, count)

    yield Row("get by id, one client", asker.median_ms(50, frames, **get, id=chosen.ids[50]), bar=4, peer=4)
    yield row("get of one night", 12, 223, **chosen.night)
    yield row("get of a date range", 120, 589, **chosen.wide)
    yield row("its first byte", 50, first=True, **chosen.wide)
    yield row("contains", 15, 128, contains=chosen.field)
    yield row("contains, with a date range", 15, 128, contains=chosen.field, **chosen.wide)


def whole_archive(service: Service, asker: Asker) -> Iterator[Row]:
    """Every row in one answer: how fast, and what memory the server takes for it."""
    before = service.resident_mb()
    reply = asker.ask("individualfile", keep=False, type="get", **EVER)
    yield Row("get of all rows, first byte", reply.first_s * 1e3, bar=50)
    grown = service.resident_mb() - before
    remark = f"{before:.0f} MB before; {reply.last_s:.1f} s to the last byte"
    yield Row("memory that grew meanwhile", grown, "MB", 50, remark=remark)


def this_minute(when: str) -> Row:
    """How fast the machine is just now: Python adding up a million numbers, the median of eleven times."""
    taken = []
    for _ in range(11):
        begin = time.perf_counter()
        sum(number for number in range(1_000_000))
        taken.append((time.perf_counter() - begin) * 1e3)
    return Row(f"Python adding up a million numbers, {when}", statistics.median(taken))


def claim_ms(here: Place, times: int) -> float:
    """What a claim costs, in a process like the worker's: it has no path of its own."""
    words = [sys.executable, "-W", "ignore", __file__, "--claim", str(here.root), str(times)]
    done = subprocess.run(words, env=here.environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def claim(root: Path, times: int) -> float:
    """Fill the queue, claim some operations, take all out again; the median in ms."""
    from marserver.root import enter

    enter(root)
    from django.utils.timezone import now

    from marserver.jobs import queue
    from marserver.jobs.models import Job

    Job.objects.filter(function="bench").delete()
    Job.objects.bulk_create(
        [Job(function="bench", kind="bench", target=f"bench {n}", queued_at=now()) for n in range(WAITING)],
        batch_size=500,
    )
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        job = queue.claim("bench")
        taken.append((time.perf_counter() - began) * 1e3)
        Job.objects.filter(pk=job.pk if job else None).delete()
    Job.objects.filter(function="bench").delete()
    return statistics.median(taken[1:])


def scans(here: Place, frames: int) -> Iterator[Row]:
    """A folder of new frames, and the same folder once more."""
    folder = here.root / "raw" / f"bench{time.time_ns()}"
    write_frames(folder, frames)
    with running(here, "up") as service:
        asker = Asker(service)
        asker.ask("resume")
        new = scanned_s(asker, f"raw/{folder.name}", f"{frames} new frames")
        known = scanned_s(asker, f"raw/{folder.name}", f"{frames} known")
    words = f"{frames} frames with full headers; their pixels are holes in the file"
    yield Row("scan of new frames", frames / new, "/s", 400, above=True, remark=words)
    yield Row("second scan of them", frames / known, "/s", 20_000, above=True)


def write_frames(folder: Path, count: int) -> None:
    """Raw frames of the full camera: real headers, and pixels that take no place on the disk."""
    from astropy.io import fits

    from mar.camera import load_camera

    camera = load_camera("t80cam")
    folder.mkdir(parents=True, exist_ok=True)
    begin = datetime(2001, 1, 1, tzinfo=UTC)  # before all others, which keep their nights
    for number in range(count):
        name = f"bias-{folder.name}-{number:06d}.fits"
        when = begin + timedelta(seconds=30 * number)
        header = fits.Header(
            {
                "SIMPLE": True,
                "BITPIX": 16,
                "NAXIS": 2,
                "NAXIS1": camera.raw_columns,
                "NAXIS2": camera.raw_rows,
            }
            | {"BSCALE": 1, "BZERO": 32768, "DATE-OBS": f"{when:%Y-%m-%dT%H:%M:%S}", "EXPTIME": 0.0}
            | {"IMAGETYP": "ZERO", "FILTER": "R", "OBJECT": "bias", "FILENAME": name}
        )
        header.extend((f"HIERARCH T80S BENCH {card}", card * 1.5) for card in range(150))
        text = header.tostring().encode("ascii")
        pixels = -(-2 * camera.raw_columns * camera.raw_rows // 2880) * 2880
        with (folder / name).open("wb") as file:
            file.write(text)
            file.truncate(len(text) + pixels)


def scanned_s(asker: Asker, path: str, expected: str, patience_s: float = 120) -> float:
    """Seconds that the server notes for a scan, which must find what is expected."""
    end = time.monotonic() + patience_s
    job = asker.ask("scan_folder", path=path).content
    number = int(job.partition(b'"job":')[2].split(b",")[0].rstrip(b"}"))
    while time.monotonic() < end:
        for ended in asker.ask("getOperations", nums=5).msg:
            if ended["id"] == number:
                if ended["error"] or expected not in ended["outcome"]:
                    raise RuntimeError(f"{ended['outcome']}: {ended['error']}")
                return max(float(ended["seconds"]), 1e-3)
        time.sleep(0.05)
    raise RuntimeError(f"the scan of {path} did not end within {patience_s:.0f} s")


def cold_start(here: Place, times: int = 3) -> Row:
    """From the command to the first answer, with a worker."""
    starts = []
    for _ in range(times):
        with running(here, "up") as service:
            starts.append(service.started_s)
    return Row("cold start of mar up", statistics.median(starts), "s", 3, remark="database there and filled")


def bench(name: str, arguments: argparse.Namespace, root: Path, url: str) -> list[Row]:
    """All figures on one database."""
    here, count = place(root, url), round(1_000_000 / arguments.scale)
    if not (root / "CONFIG" / "bench-filled").exists():
        here.add_user("bench-operator", "operator")
        here.mar("admin", "fill", "--rows", str(count))
        (root / "CONFIG" / "bench-filled").touch()
    here.give_password("bench-operator")
    rows: list[Row] = []
    with running(here, "serve") as service:
        asker = Asker(service)
        chosen = choose(asker, count)
        works: list[Callable[[], Iterator[Row]]] = [
            lambda: loads(service, asker, chosen, arguments.seconds),
            lambda: lists(asker, chosen, arguments.times),
            lambda: whole_archive(service, asker),
        ]
        for work in works:
            rows.extend(work())
            rows.append(this_minute(f"after {rows[-1].work}"))
    rows.append(Row(f"claim with {WAITING:,} waiting", claim_ms(here, arguments.times), bar=5))
    rows.extend(scans(here, arguments.frames))
    rows.append(cold_start(here))
    return rows


def figures(name: str, arguments: argparse.Namespace) -> Figures:
    """All rows of one database, those with a bar as bars."""
    with tempfile.TemporaryDirectory(prefix="mar-bench-") as folder, database(name) as url:
        root = (arguments.root or Path(folder)).resolve()
        rows = bench(name, arguments, root, url)
    bars = [Bar(row.work, row.figure, row.bar, row.above, row.unit) for row in rows if row.bar is not None]
    return Figures(name, bars=bars, remarks=[row.remarked() for row in rows if row.remarked()])


def sqlite(arguments: argparse.Namespace) -> Figures:
    """The service on SQLite."""
    return figures("sqlite", arguments)


def postgresql(arguments: argparse.Namespace) -> Figures:
    """The service on a throw-away PostgreSQL server."""
    return figures("postgresql", arguments)


def more(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--seconds", type=float, default=20, help="of each steady rate")
    parser.add_argument("--times", type=int, default=9, help="askings of which the median is told")
    parser.add_argument("--frames", type=int, default=5000, help="of the scan")
    parser.add_argument("--root", type=Path, help="data root, kept; default a new one, removed at the end")


if __name__ == "__main__":
    if sys.argv[1] == "--claim":
        print(claim(Path(sys.argv[2]), int(sys.argv[3])))
        raise SystemExit
    works = {"sqlite": sqlite, "postgresql": postgresql}
    raise SystemExit(main(__doc__ or "", works, scale=1, extra=more))
