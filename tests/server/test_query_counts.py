"""How often each form of `get` asks the database: it does not depend on the number of rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from nights import DAY, bias_master, flat_master, frame, noon

from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatsBlock,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.archive.queries import Find, find
from marserver.archive.rows import BLOCKS_AT_ONCE
from marserver.archive.taking import ROWS_AT_ONCE
from marserver.reduction import requests

pytestmark = pytest.mark.django_db

DATES = (DAY, DAY + timedelta(days=1))
SEARCH = 1  # the index of names is asked by itself
SEVERAL = 6


def science(number):
    """A field's raw and processed frame with its sci, and the tile and image made of it."""
    field = f"FIELD-{number:04d}"
    raw = frame(f"raw-{field}", fld=field)
    processed = frame(f"proc_raw-{field}", "PROCESSED", fld=field, raw_sci=raw)
    processed.sci = Sci.objects.create(sciraw=raw, master_bias_used=BiasBlock.objects.first())
    processed.save()
    raw.processed = processed
    raw.save()
    tile = FinalTile.objects.create(field=field, band="R", date=raw.obs_date)
    tile.composed_by.add(processed)
    FieldImage.objects.create(field=field)
    return raw, processed, tile


def block(number):
    """One block of each kind, with what hangs below."""
    dates = {"block_start_date": DAY, "block_end_date": DAY}
    bias = bias_master()
    bias.bias.set([frame(f"bias-{number}-{n}", "BIAS") for n in range(3)])
    flat = flat_master()
    flat.flats.set([frame(f"flat-{number}-{n}", "FLAT") for n in range(3)])
    FlatsBlock.objects.create(**dates).flats_by_filter.add(flat)
    raw, processed, tile = science(number)
    part = SciByFilter.objects.create(**dates, band="R")
    part.scies.add(raw)
    part.processed.add(processed)
    part.finaltiles.add(tile)
    SciBlock.objects.create(**dates).sci_by_filter.add(part)
    Superflat.objects.create(**dates, band="Z")


def ids():
    """A row of each kind that has everything below it."""
    return {
        "biasblock": BiasBlock.objects.first().pk,
        "scibyfilter": SciByFilter.objects.first().pk,
        "sciblock": SciBlock.objects.first().pk,
    }


def asked(kind, **what):
    """How many queries a get takes, and how many rows it gives."""
    with CaptureQueriesContext(connection) as queries:
        rows = list(requests.get(kind, Find(**what)))
    return len(queries), len(rows)


GETS = [
    # kind, what is looked for, queries
    ("individualfile", {"dates": DATES}, 1),
    ("individualfile", {"contains": "raw-"}, 1 + SEARCH),
    ("individualfile", {"contains": "raw-", "dates": DATES}, 1 + SEARCH),
    ("individualfile", {"dates": DATES, "limit": 5, "order": "-obsDate"}, 1),
    ("finaltiles", {"dates": DATES}, 2),  # tiles, and their frames with their sci
    ("finaltiles", {"contains": "FIELD"}, 1 + SEARCH),
    ("biasblock", {"dates": DATES}, 2),
    ("flatbyfilter", {"dates": DATES}, 2),
    ("flatblock", {"dates": DATES}, 3),  # blocks, parts, frames
    ("scibyfilter", {"dates": DATES}, 4),  # and scies, processed, finaltiles
    ("sciblock", {"dates": DATES}, 4),  # parts, and their scies, processed
    ("superflat", {"dates": DATES}, 1),
    ("fieldimage", {"contains": "FIELD"}, 1 + SEARCH),
]


@pytest.mark.parametrize(("kind", "what", "queries"), GETS)
def test_lists_take_as_many_queries_for_one_row_as_for_several(kind, what, queries):
    block(0)
    assert asked(kind, **what)[0] == queries
    for number in range(1, SEVERAL):
        block(number)
    took, rows = asked(kind, **what)
    assert rows >= SEVERAL - 1
    assert took == queries


@pytest.mark.parametrize(
    ("kind", "queries"),
    [("biasblock", 1), ("scibyfilter", 4), ("sciblock", 4)],
)
def test_a_row_by_id_takes_one_query_or_as_many_as_it_has_lists_below(kind, queries):
    block(0)
    assert asked(kind, id=ids()[kind]) == (queries, 1)


def test_a_frame_by_id_takes_one_query_whatever_hangs_on_it():
    raw, processed, _ = science(0)
    for row_id in (frame("alone").pk, raw.pk, processed.pk):
        assert asked("individualfile", id=row_id) == (1, 1)


def test_a_tile_and_its_frames_take_one_query():
    tile = science(0)[-1]
    tile.composed_by.add(frame("proc_another", "PROCESSED"))
    for what in ({"field": "FIELD-0000", "band": "R"}, {"field": "FIELD-0000"}, {"id": tile.pk}):
        assert asked("finaltiles", **what) == (1, 1)


def test_the_short_answers_on_tiles(django_assert_num_queries):
    for number in range(SEVERAL):
        science(number)
    with django_assert_num_queries(1):
        assert len(list(requests.getfields())) == SEVERAL
    with django_assert_num_queries(1):
        assert len(requests.getshort("FIELD-0001", "R")) == 1


def test_more_frames_than_are_fetched_at_once_take_one_query():
    for number in range(ROWS_AT_ONCE + 1):
        frame(f"raw-{number}")
    assert asked("individualfile", dates=DATES) == (1, ROWS_AT_ONCE + 1)


def test_more_blocks_than_are_held_at_once_take_one_more_query_each_time():
    for number in range(2 * BLOCKS_AT_ONCE):
        bias_master().bias.add(frame(f"bias-{number}", "BIAS"))
    assert asked("biasblock", dates=DATES) == (1 + 2, 2 * BLOCKS_AT_ONCE)


def test_a_range_of_dates_is_given_in_the_order_of_an_index():
    """Nothing is sorted before the first row."""
    for number in range(50):
        frame(f"raw-{number}")
    plan = find("individualfile", Find(dates=DATES)).explain()
    if connection.vendor == "sqlite":
        assert "frame_date" in plan
        assert "TEMP B-TREE" not in plan
    else:
        assert "frame_date" in plan or 'Sort Key: "obsDate", id' in plan


def elsewhere(change):
    """Carry out a change in another thread, with a connection of its own."""

    def run():
        try:
            change()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result(timeout=20)


@pytest.mark.django_db(transaction=True)
def test_a_long_answer_is_of_one_moment_and_keeps_nobody_waiting():
    """What others add or change while it is given is not in it, and they do not wait for it."""
    count = 3 * ROWS_AT_ONCE
    IndividualFile.objects.bulk_create(
        IndividualFile(
            file_name=f"raw-{number}", file_path="", file_type="SCI", obs_date=noon(hours=5), night=DAY
        )
        for number in range(count)
    )
    rows = requests.get("individualfile", Find(dates=DATES))
    first = next(rows)
    elsewhere(lambda: frame("new"))
    elsewhere(lambda: IndividualFile.objects.update(comments="changed"))
    every = [first, *rows]
    assert len(every) == count
    assert {row["comments"] for row in every} == {""}
    assert asked("individualfile", dates=DATES)[1] == count + 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_given_up_halfway_leaves_the_connection_free():
    for number in range(3):
        frame(f"raw-{number}")
    rows = requests.get("individualfile", Find(dates=DATES))
    next(rows)
    rows.close()
    assert not connection.in_atomic_block
    frame("later")
    assert asked("individualfile", dates=DATES)[1] == 4
