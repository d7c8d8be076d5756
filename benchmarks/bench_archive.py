"""The archive at a survey's size: what each form of `get` costs until its last row is ready to be sent.

    python benchmarks/bench_archive.py                       # a million rows on SQLite, in a new folder
    python benchmarks/bench_archive.py --root DIR            # fills DIR the first time, measures it each time
    MAR_DATABASE_URL=postgresql://... python benchmarks/bench_archive.py --root DIR

Rows as JSON text, without HTTP: `make bench-api` measures the same through the server. The peer is the
present system on SQLite with as many rows, one client, through HTTP; its figures were measured elsewhere.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

EVER = (date(2000, 1, 1), date(2100, 1, 1))
ROWS_A_PIECE = 200
JOBS = 10_000


class Work(NamedTuple):
    """What is measured: its name, how it is done (gives a number of rows), its bar and the peer, ms."""

    name: str
    do: Callable[[], int]
    bar_ms: float | None = None
    peer_ms: float | None = None


def get(kind: str = "individualfile", **what: Any) -> Callable[[], int]:
    """All rows of a get as JSON text; gives how many."""
    from marserver.archive.queries import Find
    from marserver.reduction import requests

    return lambda: encoded(requests.get(kind, Find(**what)))


def encoded(rows: Iterator[Any]) -> int:
    """Encode rows some hundreds at a time, as an answer does; gives how many."""
    count = 0
    while batch := list(islice(rows, ROWS_A_PIECE)):
        orjson.dumps(batch)
        count += len(batch)
    return count


def first(**what: Any) -> Callable[[], int]:
    """The first rows of a get, then it is given up."""
    from marserver.archive.queries import Find
    from marserver.reduction import requests

    def begin() -> int:
        rows = requests.get("individualfile", Find(**what))
        count = encoded(islice(rows, ROWS_A_PIECE))
        rows.close()
        return count

    return begin


def days_with(count: int, processed: bool) -> tuple[date, date]:
    """A range of days with about so many rows, of nights that are reduced or still wait."""
    from marserver.archive.models import IndividualFile

    nights = IndividualFile.objects.filter(file_type="PROCESSED").values_list("night", flat=True)
    nights = nights.order_by("night" if processed else "-night")
    start = nights[0] + timedelta(days=2)
    end = start
    while rows_of(start, end) < count:
        end += timedelta(days=1)
    return start, end


def rows_of(start: date, end: date) -> int:
    """How many rows there are of these days."""
    from marserver.archive.queries import Find, find

    return find("individualfile", Find(dates=(start, end))).count()


def works() -> list[Work]:
    """Everything that is measured."""
    from marserver.archive.models import IndividualFile, SciByFilter
    from marserver.reduction import requests

    processed = IndividualFile.objects.filter(file_type="PROCESSED").order_by("pk")[1000]
    wide, night = days_with(10_000, processed=True), days_with(270, processed=False)
    block = SciByFilter.objects.order_by("pk")[100]
    hour = f"{processed.obs_date:%Y%m%dT%H}"[3:]  # some dozens of frames
    field, common = "STRIPE82-0123", "SPLUS"
    return [
        Work("by id", get(id=processed.raw_sci_id), 4, 4),
        Work("by id, processed frame", get(id=processed.pk), 4, 4),
        Work("tile by field + band", get("finaltiles", field=field, band="R"), 4),
        Work("one night", get(dates=night), 12, 223),
        Work("10,000 rows by dates", get(dates=wide), 120, 589),
        Work("first rows of 10,000", first(dates=wide), 50),
        Work("first rows of all", first(dates=EVER), 50),
        Work(f"contains {field}", get(contains=field), 15, 128),
        Work(f"contains {field}, all dates", get(contains=field, dates=EVER), 15, 128),
        Work(f"contains {field}, the 10,000 rows", get(contains=field, dates=wide), 15, 128),
        Work(f"contains {hour}", get(contains=hour), 15, 128),
        Work(f"contains {common}, one night", get(contains=common, dates=night), 15),
        Work(f"contains {common}, all dates, first 100", get(contains=common, dates=EVER, limit=100), 15),
        Work("contains S2 (two characters), one night", get(contains="S2", dates=night), 15),
        Work("failed ones of all dates, first 100", get(error=True, dates=EVER, limit=100)),
        Work("invalid ones of all dates, first 100", get(valid=False, dates=EVER, limit=100)),
        Work("last 100 by obsDate", get(order="-obsDate", limit=100)),
        Work("last 100 by file_name", get(order="-file_name", limit=100)),
        Work("scibyfilter by id", get("scibyfilter", id=block.pk)),
        Work("scibyfilters of a night", get("scibyfilter", dates=(block.block_start_date,) * 2)),
        Work("getfields", lambda: encoded(requests.getfields())),
        Work("getOperation", lambda: len(requests.get_operation())),
    ]


def measure(work: Work, times: int) -> None:
    """Do a work some times, the first one not counted, and print its line of the table."""
    rows, taken, processor = work.do(), [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work.do()
        taken.append((time.perf_counter() - began) * 1e3)
        processor.append((time.process_time() - used) * 1e3)
    middle, worst = statistics.median(taken), max(taken)
    bar = f"< {work.bar_ms:g}" if work.bar_ms else ""
    ratio = f"{work.peer_ms / middle:.0f}x" if work.peer_ms else ""
    figures = f"{middle:.1f} | {worst:.1f} | {min(processor):.1f}"
    print(f"| {work.name} | {rows} | {figures} | {bar} | {ratio} |", flush=True)


def measure_queue(times: int) -> None:
    """Claim operations while many wait."""
    from django.utils.timezone import now

    from marserver.jobs import queue
    from marserver.jobs.models import Job

    waiting = [Job(function="bench", kind="bench", target=f"bench {n}", queued_at=now()) for n in range(JOBS)]
    Job.objects.bulk_create(waiting, batch_size=500)

    def claim() -> int:
        job = queue.claim("bench")
        Job.objects.filter(pk=job.pk if job else None).delete()
        return JOBS

    measure(Work("claim (and delete) an operation, rows waiting", claim, 5), times)
    Job.objects.filter(function="bench").delete()


def measure_memory() -> None:
    """Read every row once."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    count = get(dates=EVER)()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\nAll {count} rows in {time.perf_counter() - began:.0f} s; peak memory grew by {grown:.0f} MB.")


def fill_once(rows: int) -> None:
    """Fill an empty archive."""
    from marserver.archive.models import IndividualFile
    from marserver.filling import fill

    if IndividualFile.objects.exists():
        return
    began = time.perf_counter()
    fill(rows)
    print(f"Filled with {rows} rows in {time.perf_counter() - began:.0f} s.\n")


def bench(root: Path, rows: int, times: int) -> None:
    """Measure everything and print a table."""
    from marserver.root import prepare

    prepare(root)
    from django.db import connection

    fill_once(rows)
    print(f"{connection.vendor}, {rows} individualfiles, median of {times}\n")
    print("| work | rows | median ms | worst ms | this process ms | bar | faster than the peer |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for work in works():
        measure(work, times)
    measure_queue(times)
    measure_memory()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--root", type=Path, help="data root; default a new one, removed at the end")
    asked = parser.parse_args()
    if asked.root:
        bench(asked.root.resolve(), asked.rows, asked.times)
        return
    with tempfile.TemporaryDirectory(prefix="mar-bench-") as folder:
        bench(Path(folder), asked.rows, asked.times)


if __name__ == "__main__":
    main()
