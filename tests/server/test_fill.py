"""Test data that look like a survey's."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from django.db import connection
from nights import frame

from mar.errors import BadConfig
from marserver.archive.models import (
    BandPair,
    FieldImage,
    FinalTile,
    FlatsBlock,
    IndividualFile,
    Sci,
    SciBlock,
    SciByFilter,
)
from marserver.archive.queries import Find
from marserver.audit.models import Change
from marserver.filling import fill
from marserver.filling.nights import Nights
from marserver.jobs.models import Job, LogLine
from marserver.reduction import requests

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 1500


@pytest.fixture
def filled(db):
    fill(ROWS)


def test_as_many_frames_as_asked_for(filled):
    assert IndividualFile.objects.count() == ROWS


def test_a_night_has_biases_flats_and_fields_in_twelve_bands(filled):
    night = IndividualFile.objects.order_by("night").first().night
    types = Counter(IndividualFile.objects.filter(night=night).values_list("file_type", flat=True))
    assert types == {"BIAS": 30, "FLAT": 60, "SCI": 180, "PROCESSED": 180}
    science = IndividualFile.objects.filter(night=night, file_type="SCI")
    assert len(set(science.values_list("band", flat=True))) == 12
    assert "STRIPE82-0001" in set(science.values_list("field", flat=True))


def test_the_last_nights_still_wait(filled):
    last = IndividualFile.objects.order_by("-night").first().night
    waiting = IndividualFile.objects.filter(night=last)
    assert not waiting.filter(file_type="PROCESSED").exists()
    assert not waiting.exclude(status=0).exists()


def test_raw_and_processed_frames_know_each_other(filled):
    processed = IndividualFile.objects.filter(file_type="PROCESSED")
    assert processed.count() > 300
    for one in processed.select_related("raw_sci", "sci")[:50]:
        assert one.raw_sci.processed_id == one.pk
        assert one.file_name == f"proc_{one.raw_sci.file_name}"
        assert one.sci.sciraw_id == one.raw_sci_id
        assert (one.field, one.band, one.obs_date) == (
            one.raw_sci.field,
            one.raw_sci.band,
            one.raw_sci.obs_date,
        )
    assert Sci.objects.count() == processed.count()


def test_blocks_and_tiles_hold_their_frames(filled):
    block = SciByFilter.objects.first()
    assert block.scies.count() == block.processed.count() == 15
    assert block.finaltiles.count() == 5
    assert {one.band for one in block.scies.all()} == {block.band}
    assert FlatsBlock.objects.first().flats_by_filter.count() == 12
    assert SciBlock.objects.first().sci_by_filter.count() == 12
    tile = FinalTile.objects.first()
    assert {(one.field, one.band) for one in tile.composed_by.all()} == {(tile.field, tile.band)}
    assert FieldImage.objects.filter(field=tile.field).count() == 1


def test_what_is_written_is_found_and_answered(filled):
    row = next(requests.get("individualfile", Find(contains="proc_S2016")))
    assert row["file_type"] == "PROCESSED"
    whole = next(requests.get("individualfile", Find(id=row["id"])))
    assert whole["sci"][0]["sextractorOut"] == [whole["sci"][0]["individual_catalog"]]
    assert whole["scies"][0]["processed_id"] == row["id"]


def test_the_work_of_the_nights_is_there(filled):
    ended = Job.objects.exclude(ended_at=None)
    assert ended.filter(status="failed").exclude(error="").exists()
    assert ended.count() == Job.objects.count() > 30
    assert LogLine.objects.filter(job=ended.first()).count() == 4
    asked = Change.objects.filter(action="process").count()
    assert asked == Job.objects.count()
    assert BandPair.objects.filter(field=FieldImage.objects.first().field).count() == 66


def columns(seed):
    """What three nights hold, without a database."""
    nights = Nights(seed, None, set())
    for _ in range(3):
        nights.observe(500, reduced=True)
    return [table.rows for table in nights.tables()]


def test_the_same_seed_gives_the_same_nights():
    one, again, other = (list(columns(seed)) for seed in (4, 4, 5))
    assert one == again
    assert one != other


def test_an_archive_with_frames_is_left_alone(db):
    frame("mine")
    with pytest.raises(BadConfig, match="--add"):
        fill(100)
    assert IndividualFile.objects.count() == 1


def test_more_can_be_added_beside_real_frames_and_tiles(db):
    frame("mine", fld="STRIPE82-0001")
    FinalTile.objects.create(field="STRIPE82-0001", band="R")
    fill(ROWS, add=True)
    fill(ROWS, add=True)
    assert IndividualFile.objects.count() == 2 * ROWS + 1
    assert FinalTile.objects.filter(field="STRIPE82-0001").count() == 1


def test_rows_made_afterwards_get_ids_of_their_own(filled):
    assert frame("later").pk > ROWS
    assert FinalTile.objects.create(field="later", band="R").pk > 1


def test_every_row_points_at_one_that_exists(filled):
    connection.check_constraints()


def test_the_command_fills_an_empty_root(tmp_path):
    words = [sys.executable, "-m", "marserver.cli", "admin", "fill", "--rows", "300", "--root", str(tmp_path)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAR_")}
    done = subprocess.run(words, env=clean, capture_output=True, text=True, check=True)
    assert "300 individualfiles written" in done.stdout
