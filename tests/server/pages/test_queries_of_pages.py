"""Every page takes as many queries for few rows as for many, and no address ends in a fault of the server."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from nights import DAY, noon

from marserver.archive.models import (
    BandPair,
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FlatsBlock,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.audit import record
from marserver.jobs import log
from marserver.jobs.models import Job, Level, Status

pytestmark = pytest.mark.django_db
DATES = {"block_start_date": DAY, "block_end_date": DAY, "status": 1}
FEW, MANY = 2, 9
PAGES = (
    "/",
    "/board/survey",
    "/field/S1",
    "/calendar",
    "/calendar/events?start=2024-02-01&end=2024-04-01",
    "/calendar/count?kind=sciblock&start=2024-02-01&end=2024-04-01",
    "/night/2024-03-01",
    "/quality",
    "/quality?band=R&figure=depth",
    "/quality/field/S1",
    "/quality/tile/{tile}",
    "/quality/night/2024-03-01",
    "/frames",
    "/frames/{frame}",
    "/frames/{processed}",
    "/tiles",
    "/tiles/{tile}",
    "/images",
    "/images/{image}",
    "/blocks/biasblock",
    "/blocks/biasblock/{bias}",
    "/blocks/flatbyfilter/{flat}",
    "/blocks/flatblock/{flats}",
    "/blocks/scibyfilter/{part}",
    "/blocks/sciblock/{science}",
    "/blocks/superflat",
    "/blocks/superflat/{fringe}",
    "/queue",
    "/operations/{job}",
    "/logs",
    "/logs?operation={job}",
    "/logs?text=step",
    "/search",
    "/query",
    "/configuration",
    "/changes",
    "/changes?user=alice",
    "/users",
    "/account",
)


def frames_of(count: int, kind: str, band: str | None, **more) -> list[IndividualFile]:
    """Frames of a type, one minute apart."""
    return [
        IndividualFile.objects.create(
            file_name=f"{kind}-{band}-{IndividualFile.objects.count()}",
            file_type=kind,
            band=band,
            obs_date=noon() + timedelta(minutes=number),
            night=DAY,
            **more,
        )
        for number in range(count)
    ]


def add_rows(count: int) -> dict[str, int]:
    """So many more of everything, all hanging on the first of each kind; gives the ids of those."""
    bias = the_first(BiasBlock, {**DATES, "master_path": "m", "modeavg": 1.0})
    flat = the_first(FlatByFilter, {**DATES, "band": "R", "noiseavg": 1.0})
    flats = the_first(FlatsBlock, DATES)
    part = the_first(SciByFilter, {**DATES, "band": "R"})
    science = the_first(SciBlock, DATES)
    fringe = the_first(Superflat, {**DATES, "band": "R"})
    image, _ = FieldImage.objects.get_or_create(field="S1")
    tile, _ = FinalTile.objects.get_or_create(field="S1", band="R", defaults=measured())
    raws = frames_of(count, "SCI", "R", field="S1", failed_step="am", error="no stars")
    done = frames_of(count, "PROCESSED", "R", field="S1", superflat=fringe, status=5, modeavg=1.0)
    for raw, processed in zip(raws, done, strict=True):
        sci = Sci.objects.create(sciraw=raw, master_bias_used=bias, master_flat_used=flat)
        IndividualFile.objects.filter(pk=processed.pk).update(raw_sci=raw, sci=sci)
        IndividualFile.objects.filter(pk=raw.pk).update(processed=processed)
    bias.bias.add(*frames_of(count, "BIAS", None)), flat.flats.add(*frames_of(count, "FLAT", "R"))
    part.scies.add(*raws), part.processed.add(*done), part.finaltiles.add(tile), tile.composed_by.add(*done)
    flats.flats_by_filter.add(flat, *more_of(FlatByFilter, count, band="G"))
    science.sci_by_filter.add(part, *more_of(SciByFilter, count, band="G"))
    more_of(BiasBlock, count, modeavg=1.0), more_of(Superflat, count, band="R"), more_of(SciBlock, count)
    beside(count)
    first = {"frame": raws[0], "processed": done[0], "tile": tile, "image": image, "bias": bias, "flat": flat}
    first |= {"flats": flats, "part": part, "science": science, "fringe": fringe}
    return {name: row.pk for name, row in first.items()} | {"job": Job.objects.earliest("pk").pk}


def the_first(model, values: dict) -> Any:
    """The first block, made where there is none."""
    return model.objects.order_by("pk").first() or model.objects.create(**values)


def more_of(model, count: int, **values) -> list:
    """More blocks."""
    return [model.objects.create(**DATES, **values) for _ in range(count)]


def measured() -> dict:
    """A tile that is done and measured."""
    return {"status": 1, "date": noon(), "fwhm": 1.0, "depth": 21.0, "crval1": 1.0, "crval2": -1.0, "flag": 1}


def beside(count: int) -> None:
    """Tiles, images, pairs of bands, operations with their log, and changes."""
    begin, tile, frame = (
        FinalTile.objects.count(),
        FinalTile.objects.earliest("pk"),
        IndividualFile.objects.earliest("pk"),
    )
    for number in range(begin, begin + count):
        FinalTile.objects.create(field="S1", band=f"B{number}", **measured())
        FinalTile.objects.create(field=f"T{number}", band="R", **measured())
        FieldImage.objects.create(field=f"T{number}")
        pair = {"first_band": "U", "second_band": f"B{number}", "east_mas": 1.0, "north_mas": number}
        BandPair.objects.create(field="S1", stars=9, **pair)
        log.write(Level.INFO, f"step {number}", operation(Status.DONE, number))
        operation(Status.FAILED, number, error="no stars")
        operation(Status.TODO, number, ended_at=None)
        for kind, row in (("finaltiles", tile.pk), ("individualfile", frame.pk), ("configuration", 1)):
            record.note("alice", "setcomment", kind, row, {"comments": ""}, {"comments": str(number)})


def operation(status: Status, number: int, **more) -> Job:
    """An operation of this kind."""
    values = {"started_at": now(), "ended_at": now(), "user": "alice", "block": "S1", **more}
    target = f"{status} {number}"
    return Job.objects.create(
        function="process", kind="finaltiles", target=target, status=status, queued_at=now(), **values
    )


def test_no_page_takes_more_queries_for_more_rows(browser_of, carol):
    client = browser_of(carol)
    ids = add_rows(FEW)
    few = {path: queries_of(client, path.format(**ids)) for path in PAGES}
    add_rows(MANY)
    many = {path: queries_of(client, path.format(**ids)) for path in PAGES}
    assert {path: (few[path], many[path]) for path in PAGES if many[path] > few[path]} == {}
    assert max(many.values()) < 30, many


def queries_of(client, path: str) -> int:
    """How many a page takes."""
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200, path
    return len(caught)


@pytest.mark.parametrize(
    "path",
    [
        *("/frames?flag=2", "/images?band=R", "/blocks/biasblock?field=X", "/blocks/biasblock?band=R"),
        *("/tiles?error=1", "/blocks/biasblock?contains=abc", "/tiles?file_type=SCI", "/frames?order=error"),
    ],
)
def test_a_filter_that_a_list_has_not_is_told(browser, path):
    response = browser.get(path)
    assert response.status_code == 200
    assert 'role="alert">this list' in response.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        *("/frames?contains=%00abc", "/frames?band=%00", "/tiles?field=%00", "/?field=%00", "/field/%00"),
        *("/quality?band=%00", "/quality/field/%00", "/users/%00", "/changes?user=%00", "/changes?kind=%00"),
        *("/logs?text=%00", "/logs?operation=99999999999999999999999", "/queue/folders?path=%00"),
        *("/operations/99999999999999999999999", "/frames/99999999999999999999999", "/tiles?page=300"),
        *("/tiles/99999999999999999999999", "/blocks/biasblock/99999999999999999999999"),
        *(
            "/images/99999999999999999999999",
            "/quality/tile/99999999999999999999999",
            "/news?since=99999999999",
        ),
        *("/calendar/count?kind=sciblock&start=2024-03-01&end=2024-03-01&contains=%00", "/night/2999-12-31"),
        *("/quality/night/9999-12-31", "/tiles?start=0001-01-01&end=9999-12-31", "/calendar?date=9999-99"),
    ],
)
def test_odd_addresses_are_no_fault_of_the_server(browser_of, carol, path):
    assert browser_of(carol).get(path).status_code < 500


def test_a_list_ends_where_its_pages_end(browser, monkeypatch):
    monkeypatch.setattr("marserver.web.asking.MOST_PAGES", 2)
    FinalTile.objects.bulk_create(FinalTile(field=f"S{number}", band="R") for number in range(121))
    assert ">Next<" in browser.get("/tiles").content.decode()
    page = browser.get("/tiles?page=2").content.decode()
    assert ">Next<" not in page
    assert "There are more" in page
    assert "page 2, 60 rows" in browser.get("/tiles?page=7").content.decode()
