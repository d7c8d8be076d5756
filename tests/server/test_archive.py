"""What a `get` finds, and how a row looks."""

import json
from datetime import date, timedelta

import pytest
from django.db import connection
from nights import DAY, bias_master, flat_master, frame, frames, noon

from marserver.archive.kinds import KINDS
from marserver.archive.models import FieldImage, FinalTile, FlatsBlock, Sci, SciBlock, SciByFilter, Superflat
from marserver.archive.queries import Find, find
from marserver.archive.rows import Nesting, stream
from marserver.errors import Invalid
from marserver.reduction import requests

pytestmark = pytest.mark.django_db


def names(**what):
    return [row.file_name for row in find("individualfile", Find(**what))]


def test_the_tables_have_the_names_that_scripts_use():
    tables = set(connection.introspection.table_names())
    frames_and_images = ["individualfiles", "finaltiles", "fieldimages", "sci", "superflat"]
    blocks = ["biasblock", "flatbyfilter", "flatsblock", "scibyfilter", "sciblock"]
    assert {f"files_{name}" for name in frames_and_images + blocks} <= tables


def test_the_columns_have_the_names_that_scripts_use():
    with connection.cursor() as cursor:
        columns = {
            column.name
            for column in connection.introspection.get_table_description(cursor, "files_biasblock")
        }
        frame_columns = {
            column.name
            for column in connection.introspection.get_table_description(cursor, "files_individualfiles")
        }
    assert {"masterPath", "masterThumb", "maskPath", "maskThumb", "blockStartDate", "blockEndDate"} <= columns
    assert {
        "obsDate",
        "processedDate",
        "superflat_id",
        "raw_sci_id",
        "processed_id",
        "sci_id",
    } <= frame_columns


def test_keys_of_a_frame_stand_in_the_contracts_order():
    frame("a")
    row = next(requests.get("individualfile", Find()))
    assert " ".join(row) == (
        "id obsDate field file_type exptime band file_name file_path ovfile ovthumb thumb "
        "modeavg medianavg noiseavg medianrms noiserms moonmean bpmask "
        "superflat_id superFlatId superFlatPath superFlatThumb processedDate comments status isvalid "
        "raw_sci_id processed_id sci_id crval1 crval2 night failed_step error"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_begins_with_its_id(kind):
    assert KINDS[kind].columns[0] == ("id", "id")


def test_days_are_both_included_and_are_utc():
    frame("before", when=noon(hours=-0.001))
    frame("first", when=noon())
    frame("last", when=noon(hours=47.999))
    frame("after", when=noon(hours=48))
    assert names(dates=(DAY, DAY + timedelta(days=1))) == ["first", "last"]


def test_blocks_are_found_by_their_first_day():
    inside, outside = bias_master(DAY, DAY + timedelta(days=9)), bias_master(DAY - timedelta(days=1), DAY)
    assert list(find("biasblock", Find(dates=(DAY, DAY)))) == [inside]
    assert outside.pk


def test_the_last_day_of_the_calendar_is_no_error():
    frame("a")
    assert names(dates=(date.min, date.max)) == ["a"]


def test_contains_takes_any_pattern_literally_and_tells_capitals():
    for name in ("abc_1", "ABC%1", "xyz", "a*c", "ab?"):
        frame(name)
    assert names(contains="abc") == ["abc_1"]
    assert names(contains="%") == ["ABC%1"]
    assert names(contains="_") == ["abc_1"]
    assert names(contains="*, ?") == ["a*c", "ab?"]
    assert names(contains="ab, bc") == ["abc_1", "ab?"]
    assert names(contains=" , ") == names()


def test_a_row_that_matches_twice_is_answered_once():
    frame("abc")
    assert names(contains="a,b,c,ab") == ["abc"]


def test_contains_looks_at_the_field_of_tiles():
    for field in ("SPLUS-1", "MC-1"):
        FinalTile.objects.create(field=field, band="R")
    assert [tile.field for tile in find("finaltiles", Find(contains="MC"))] == ["MC-1"]


def test_valid_rows_are_answered_unless_the_others_are_asked_for():
    frame("good")
    frame("bad", isvalid=False)
    assert names() == ["good"]
    assert names(valid=False) == ["bad"]


def test_frames_that_failed_can_be_asked_for():
    frame("good")
    frame("bad", failed_step="am", error="no stars")
    assert names(error=True) == ["bad"]


@pytest.mark.parametrize(
    ("flag", "found"), [(0, "0 1 3 6"), (1, "1 3"), (2, "3 6"), (3, "3"), (8, ""), (-1, "-1")]
)
def test_flag_asks_for_all_its_bits_and_leaves_out_what_nobody_reviewed(flag, found):
    for value in (-1, 0, 1, 3, 6):
        FinalTile.objects.create(field=str(value), band="R", flag=value)
    assert " ".join(tile.field for tile in find("finaltiles", Find(flag=flag))) == found


def test_limit_offset_and_order():
    for name, hours in (("a", 3), ("b", 1), ("c", 2)):
        frame(name, when=noon(hours=hours))
    assert names(order="obsDate") == ["b", "c", "a"]
    assert names(order="-obsDate", limit=1, offset=1) == ["c"]
    assert names(limit=0) == []
    with pytest.raises(Invalid, match="accepted are id, obsDate"):
        names(order="password")


def test_an_id_beyond_the_database_is_not_found():
    frame("a")
    assert names(id=2**63) == []


def test_unknown_numbers_are_null_and_times_end_in_z():
    frame("a", when=noon(hours=1.5), medianavg=float("nan"), modeavg=float("inf"))
    row = next(stream("individualfile", find("individualfile", Find())))
    assert (row["medianavg"], row["modeavg"], row["isvalid"]) == (None, None, 1)
    assert (row["obsDate"], row["night"]) == ("2024-03-01T01:30:00Z", "2024-03-01")
    json.dumps(row, allow_nan=False)


def science_block(band="R", fld="F1"):
    """A block with one raw and one processed frame and a tile."""
    raw = frame(f"raw-{band}", band=band, fld=fld)
    sci = Sci.objects.create(sciraw=raw, master_bias_used=bias_master(), individual_catalog="c.cat")
    done = frame(f"proc_raw-{band}", "PROCESSED", band=band, fld=fld, raw_sci=raw, sci=sci)
    raw.processed = done
    raw.save()
    block = SciByFilter.objects.create(block_start_date=DAY, block_end_date=DAY, band=band)
    tile = FinalTile.objects.create(field=fld, band=band)
    tile.composed_by.add(done)
    block.scies.add(raw)
    block.processed.add(done)
    block.finaltiles.add(tile)
    return block


def test_a_sciblock_nests_its_parts_and_their_frames():
    block = SciBlock.objects.create(block_start_date=DAY, block_end_date=DAY)
    block.sci_by_filter.set([science_block("R"), science_block("G")])
    row = next(requests.get("sciblock", Find(id=block.pk)))
    assert [part["band"] for part in row["sciByFilter"]] == ["R", "G"]
    part = row["sciByFilter"][0]
    assert [one["file_name"] for one in part["scies"]] == ["raw-R"]
    assert [one["file_name"] for one in part["processed"]] == ["proc_raw-R"]
    assert part["processed"][0]["sci"][0]["individual_catalog"] == "c.cat"
    assert "sci" not in part["scies"][0]
    assert row["isvalid"] is True


def test_a_scibyfilter_nests_frames_and_tiles():
    block = science_block()
    row = next(requests.get("scibyfilter", Find(id=block.pk)))
    assert [tile["field"] for tile in row["finaltiles"]] == ["F1"]
    assert len(row["scies"]) == len(row["processed"]) == 1


def test_a_tile_nests_what_it_is_composed_of():
    science_block()
    row = next(requests.get("finaltiles", Find(field="F1", band="R")))
    assert [one["file_name"] for one in row["composedBy"]] == ["proc_raw-R"]
    assert "composedBy" not in next(requests.get("finaltiles", Find(contains="F1")))


def test_bias_and_flat_blocks_nest_their_frames():
    bias, flat = bias_master(), flat_master()
    bias.bias.set(frames(2, "BIAS"))
    flat.flats.set(frames(3, "FLAT"))
    whole = FlatsBlock.objects.create(block_start_date=DAY, block_end_date=DAY)
    whole.flats_by_filter.add(flat)
    assert len(next(requests.get("biasblock", Find(id=bias.pk)))["bias"]) == 2
    assert len(next(requests.get("flatbyfilter", Find(id=flat.pk)))["flats"]) == 3
    parts = next(requests.get("flatblock", Find(dates=(DAY, DAY))))["flatsByFilter"]
    assert [len(part["flats"]) for part in parts] == [3]


def test_empty_nests_are_left_out():
    assert "bias" not in next(requests.get("biasblock", Find(id=bias_master().pk)))


def test_lists_of_frames_nest_only_sci_and_lists_by_pattern_nothing():
    science_block()
    by_date = {row["file_name"]: row for row in requests.get("individualfile", Find(dates=(DAY, DAY)))}
    assert "sci" in by_date["proc_raw-R"]
    assert "processed" not in by_date["raw-R"]
    assert all("sci" not in row for row in requests.get("individualfile", Find(contains="raw")))
    by_id = next(requests.get("individualfile", Find(id=by_date["raw-R"]["id"])))
    assert by_id["processed"][0]["file_name"] == "proc_raw-R"


def test_a_frame_tells_its_superflat():
    fringe = Superflat.objects.create(
        band="Z", block_start_date=DAY, block_end_date=DAY, super_flat_path="s.fits"
    )
    frame("a", band="Z", superflat=fringe)
    row = next(requests.get("individualfile", Find()))
    assert (row["superflat_id"], row["superFlatId"], row["superFlatPath"]) == (fringe.pk, fringe.pk, "s.fits")


def test_field_images_are_found_under_their_other_names():
    FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png")
    assert [row["field"] for row in requests.get("fieldimages", Find(field="F1"))] == ["F1"]
    assert list(requests.get("field", Find(field="F2"))) == []


def test_many_rows_take_few_queries(django_assert_max_num_queries):
    for number in range(30):
        bias_master().bias.add(frame(f"bias-{number}", "BIAS"))
    with django_assert_max_num_queries(8):
        rows = list(stream("biasblock", find("biasblock", Find()), Nesting.ALL))
    assert [row["bias"][0]["file_name"] for row in rows] == [f"bias-{number}" for number in range(30)]


def test_more_frames_than_a_database_takes_as_values():
    block = bias_master()
    block.bias.set(frames(1200, "BIAS"))
    assert len(next(requests.get("biasblock", Find(id=block.pk)))["bias"]) == 1200
