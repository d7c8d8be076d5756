"""`process` and its kin: what is queued, refused and written down; the old paths of the colour image."""

from datetime import timedelta

import pytest
from django.db import connection
from nights import BANDS, DAY, Runs, bias_master, flat_master, frame, frames, work

from marserver.archive.models import FieldImage, FinalTile, FlatByFilter, IndividualFile, SciByFilter
from marserver.audit.models import Change
from marserver.errors import Conflict, Invalid, NotFound
from marserver.jobs.models import Job
from marserver.reduction import requests
from marserver.reduction.requests import survey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_site")]


@pytest.fixture
def runs(monkeypatch):
    return Runs().put_into(monkeypatch)


def create(kind, **more):
    return requests.create(kind, DAY, DAY + timedelta(1), **more).values["id"]


def science(count=2, band="R", fld="F1"):
    frames(count, "SCI", band, fld)
    return create("scibyfilter", band=band)


def tiles(*bands, fld="F1", **more):
    for band in bands:
        values = {"status": 1, "file_path": f"TILES/{fld}/{band}.fits", **more}
        FinalTile.objects.create(field=fld, band=band, **values)


def changes(action):
    """What the audit has of one action: who, kind, target, before, after."""
    rows = Change.objects.filter(action=action).order_by("id")
    return [(row.user, row.kind, row.target, row.before, row.after) for row in rows]


def answer_of(call, wanted, endpoint, /, **body):
    answer = call(endpoint, **body)
    assert call.status == wanted, answer
    assert answer["status"] is (wanted == 200)
    return answer


# Blocks


KINDS = [
    ("biasblock", {}),
    ("flatbyfilter", {"band": "R"}),
    ("flatblock", {}),
    ("scibyfilter", {"band": "R"}),
    ("sciblock", {}),
]


@pytest.fixture
def night():
    """Two frames of each type."""
    frames(2, "BIAS")
    frames(2, "FLAT", "R", "")
    frames(2, "SCI")


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_process_of_every_block_queues_one_job_and_notes_it(kind, more, night, call):
    block = create(kind, **more)
    answer = answer_of(call, 200, kind, type="process", id=block)
    job = Job.objects.get()
    assert (answer["id"], answer["job"]) == (block, job.pk)
    assert (job.function, job.block, job.user) == (f"process_{kind}", str(block), "alice")
    assert changes("process") == [("alice", kind, str(block), {}, {"job": job.pk})]


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_process_of_every_block_is_refused_with_what_to_do(kind, more, night, call):
    block = create(kind, **more)
    requests.setstatus(kind, block, 1)
    told = answer_of(call, 409, kind, type="process", id=block)["msg"]
    assert told == (
        f"{kind} {block} is already done (status 1); to run it again set its status to 0 first (setstatus)"
    )
    requests.setstatus(kind, block, 0)
    IndividualFile.objects.update(isvalid=False)
    told = answer_of(call, 409, kind, type="process", id=block)["msg"]
    assert told == f"{kind} {block} has no valid frame; validate some or add others, then process it"
    IndividualFile.objects.update(isvalid=True)
    requests.validate(kind, block)
    told = answer_of(call, 409, kind, type="process", id=block)["msg"]
    assert told == f"{kind} {block} is invalid; validate it to process it"
    requests.validate(kind, block)
    answer_of(call, 200, kind, type="process", id=block)
    told = answer_of(call, 409, kind, type="process", id=block)["msg"]
    assert "already queued as operation" in told
    assert answer_of(call, 404, kind, type="process", id=99)["msg"] == f"no {kind} 99"
    assert not changes("process")[1:], "what is refused is not noted"
    assert Job.objects.count() == 1


def test_valid_frames_of_an_invalid_part_do_not_count(night):
    block = create("flatblock")
    FlatByFilter.objects.update(isvalid=False)
    with pytest.raises(Conflict, match="has no valid frame"):
        requests.process("flatblock", block)


def test_the_code_is_queued_in_the_order_of_the_steps(call):
    answer_of(call, 200, "scibyfilter", type="process", id=science(), code="am,ov  mc")
    assert Job.objects.get().code == "ov mc am"
    told = answer_of(call, 400, "scibyfilter", type="process", id=1, code="ov xx")["msg"]
    assert told == "code: has the unknown word 'xx'; accepted: ov sf mc am co"


# Only failed


def test_only_failed_runs_the_frames_that_failed(runs, call):
    bias_master()
    flat_master()
    runs.bad = {"sci-R-F1-1": "clouds"}
    block = science(3)
    requests.process("scibyfilter", block)
    work()
    frame("new")
    SciByFilter.objects.get().scies.add(IndividualFile.objects.get(file_name="new"))
    runs.bad, runs.science_calls = {}, []
    answer_of(call, 200, "scibyfilter", type="process", id=block, only="failed")
    work()
    assert runs.science_calls == ["sci-R-F1-1"]


def test_only_failed_where_nothing_failed_is_409(call):
    block = science()
    told = answer_of(call, 409, "scibyfilter", type="process", id=block, only="failed")["msg"]
    assert (
        told == f"no frame failed in scibyfilter {block}; leave out only to run all that is still to be done"
    )
    IndividualFile.objects.update(failed_step="am", isvalid=False)
    told = answer_of(call, 409, "scibyfilter", type="process", id=block, only="failed")["msg"]
    assert "has no valid frame" in told
    assert not Job.objects.exists()


def test_only_failed_of_a_sciblock_looks_into_the_parts_to_do(call):
    frames(1, "SCI", "R")
    frames(1, "SCI", "G")
    block = create("sciblock")
    IndividualFile.objects.filter(band="R").update(failed_step="am")
    SciByFilter.objects.filter(band="R").update(status=1)
    told = answer_of(call, 409, "sciblock", type="process", id=block, only="failed")["msg"]
    assert told.startswith(f"no frame failed in sciblock {block}")
    SciByFilter.objects.update(status=0)
    answer_of(call, 200, "sciblock", type="process", id=block, only="failed")


def test_only_takes_one_word(call):
    block = science()
    told = answer_of(call, 400, "scibyfilter", type="process", id=block, only="good")["msg"]
    assert told == "only: must be one of failed"
    with pytest.raises(Invalid, match="it is failed, or left out"):
        requests.process("scibyfilter", block, only="good")
    told = answer_of(call, 400, "biasblock", type="process", id=1, only="failed")["msg"]
    assert told.startswith("unknown parameter 'only'")


# Tiles and fields


def test_a_tile_is_processed_by_id_or_by_field_and_band(call):
    frames(2)
    tiles("R")
    tile = FinalTile.objects.get()
    answer = answer_of(call, 200, "finaltiles", type="process", id=str(tile.pk))
    job = Job.objects.get(pk=answer["job"])
    assert (job.function, job.block, job.band, answer["field"]) == ("process_finaltiles", "F1", "R", "F1")
    assert changes("process") == [("alice", "finaltiles", str(tile.pk), {}, {"job": job.pk})]
    told = answer_of(call, 409, "finaltiles", type="process", field="F1", band="R")["msg"]
    assert "already queued" in told


def test_a_field_without_tiles_is_noted_as_an_operation(call):
    frames(1)
    job = answer_of(call, 200, "finaltiles", type="processfield", field="F1", code="ov")["job"]
    assert changes("processfield") == [
        ("alice", "operation", str(job), {}, {"operation": "process_field F1 ov"})
    ]


def test_unknown_fields_and_bands_are_404_with_what_there_is(call):
    told = answer_of(call, 404, "finaltiles", type="processfield", field="F1")["msg"]
    assert told == "no valid science frame of F1; there is no science frame: scan a folder first"
    frames(1, "SCI", "R", "STRIPE82-0001")
    frames(1, "SCI", "G", "STRIPE82-0001")
    frames(1, "SCI", "R", "HYDRA-1")
    told = answer_of(call, 404, "finaltiles", type="processfield", field="STRIPE82-1")["msg"]
    assert told == "no valid science frame of STRIPE82-1; there are frames of STRIPE82-0001"
    told = answer_of(call, 404, "finaltiles", type="processfield", field="X")["msg"]
    assert told == "no valid science frame of X; there are frames of HYDRA-1, STRIPE82-0001"
    told = answer_of(call, 404, "finaltiles", type="process", field="STRIPE82-0001", band="Z")["msg"]
    assert told == "no valid science frame of STRIPE82-0001 Z; STRIPE82-0001 has frames of G, R"
    assert answer_of(call, 404, "finaltiles", type="process", id=7)["msg"] == "no finaltiles 7"
    told = answer_of(call, 400, "finaltiles", type="process", field="STRIPE82-0001", band="B")["msg"]
    assert told.startswith("band:")
    told = answer_of(call, 400, "finaltiles", type="process", field="F1")["msg"]
    assert "(id | field, band)" in told


def test_a_field_whose_frames_are_all_invalid_is_409(call):
    frame("bad", isvalid=False)
    told = answer_of(call, 409, "finaltiles", type="process", field="F1", band="R")["msg"]
    assert told == "F1 R has no valid science frame; validate some, then process it"
    assert not Job.objects.exists()


def reduced(band="R", status=5):
    """A raw frame and its processed one."""
    raw = frame(f"raw-{band}-{status}", band=band, status=status)
    raw.processed = frame(f"proc_raw-{band}-{status}", "PROCESSED", band=band, status=status, raw_sci=raw)
    raw.save()
    return raw


def test_status_sets_raw_and_processed_frames_and_the_tile_back(call):
    further, below, green = reduced(), reduced(status=1), reduced("G")
    tiles("R", "G")
    answer = answer_of(call, 200, "finaltiles", type="process", field="F1", band="R", status=3)
    assert answer["count"] == 2
    status = dict(IndividualFile.objects.values_list("pk", "status"))
    assert (status[further.pk], status[further.processed.pk]) == (3, 3)
    assert (status[below.pk], status[green.pk]) == (1, 5), "none goes further, no other band changes"
    assert dict(FinalTile.objects.values_list("band", "status")) == {"R": 0, "G": 1}
    tile = FinalTile.objects.get(band="R")
    assert sorted(changes("process"), key=str) == sorted(
        [
            ("alice", "finaltiles", str(tile.pk), {}, {"job": answer["job"]}),
            ("alice", "finaltiles", str(tile.pk), {"status": 1}, {"status": 0}),
            ("alice", "individualfile", str(further.pk), {"status": 5}, {"status": 3}),
            ("alice", "individualfile", str(further.processed.pk), {"status": 5}, {"status": 3}),
        ],
        key=str,
    )


def test_a_field_is_set_back_in_all_bands(call):
    reduced("R")
    reduced("G")
    answer = answer_of(call, 200, "finaltiles", type="processfield", field="F1", status="0")
    assert answer["count"] == 4
    assert set(IndividualFile.objects.values_list("status", flat=True)) == {0}


def test_nothing_is_set_back_where_the_queue_refuses(call):
    reduced()
    requests.process_tile(field="F1", band="R")
    answer_of(call, 409, "finaltiles", type="process", field="F1", band="R", status=0)
    assert set(IndividualFile.objects.values_list("status", flat=True)) == {5}
    assert not changes("process")[1:]


def test_nothing_is_queued_where_setting_back_fails(call, monkeypatch):
    from marserver.reduction.requests import fields

    def broken(*rest):
        raise Conflict("the frames are held")

    reduced()
    monkeypatch.setattr(fields, "set_back", broken)
    answer_of(call, 409, "finaltiles", type="process", field="F1", band="R", status=0)
    assert not Job.objects.exists()
    assert not Change.objects.exists()


def test_many_frames_are_set_back_with_few_queries(django_assert_max_num_queries):
    from nights import noon

    rows = [
        IndividualFile(
            file_name=f"m{number}", file_path=f"RAW/m{number}.fits", file_type="SCI", band="R", field="F1",
            obs_date=noon(), night=DAY, status=5,
        )
        for number in range(1000)
    ]  # fmt: skip
    IndividualFile.objects.bulk_create(rows)
    with django_assert_max_num_queries(30):
        assert requests.process_field("F1", status=0).values["count"] == 1000
    assert Change.objects.filter(kind="individualfile").count() == 1000


# Colour images


def test_a_colour_image_is_asked_for_by_field_or_id(call):
    tiles(*BANDS)
    answer = answer_of(call, 200, "field", type="process", field="F1")
    assert changes("process")[0][1:3] == ("operation", str(answer["job"]))
    requests.remove_queue(answer["job"])
    image = FieldImage.objects.create(field="F1")
    answer = answer_of(call, 200, "fieldimages", type="process", id=image.pk)
    assert changes("process")[-1] == ("alice", "fieldimage", str(image.pk), {}, {"job": answer["job"]})
    assert "already queued" in answer_of(call, 409, "fieldimage", type="process", field="F1")["msg"]


def test_a_colour_image_with_missing_bands_is_409_unless_partial(call):
    tiles(*BANDS[:10])
    told = answer_of(call, 409, "fieldimage", type="process", field="F1")["msg"]
    assert told == "F1 has no tile of F861, Z; process them first, or ask with partial: true"
    answer_of(call, 409, "fieldimage", type="process", field="F1", partial="0")
    answer_of(call, 200, "fieldimage", type="process", field="F1", partial="true")
    assert Job.objects.get().params == {"field": "F1", "partial": True}


@pytest.mark.parametrize("more", [{"status": 0}, {"isvalid": False}, {"file_path": None}])
def test_only_good_tiles_count_for_a_colour_image(call, more):
    tiles(*BANDS[1:])
    tiles("U", **more)
    assert "no tile of U;" in answer_of(call, 409, "fieldimage", type="process", field="F1")["msg"]


def test_a_field_without_tiles_has_no_colour_image(call):
    frames(1)
    told = answer_of(call, 404, "fieldimage", type="process", field="F1")["msg"]
    assert told == "no tile of F1 is done; process its bands first (F1 has frames of R)"
    assert answer_of(call, 404, "fieldimage", type="process", id=3)["msg"] == "no fieldimage 3"


def test_the_colour_image_queued_by_the_last_band_is_noted_for_who_asked(runs):
    bias_master()
    flat_master()
    tiles(*[band for band in BANDS if band != "R"])
    requests.process("scibyfilter", science(), asked_by="alice")
    jobs = work()
    assert [(job.function, job.user) for job in jobs] == [
        ("process_scibyfilter", "alice"),
        ("process_fieldimage", "alice"),
    ]
    assert changes("process")[-1][:3] == ("alice", "operation", str(jobs[-1].pk))


def test_the_old_path_answers_the_colour_image(call):
    FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png")
    assert answer_of(call, 200, "get_trilogy_image", field="F1") == {"status": True, "msg": "TILES/F1/F1.png"}
    answer_of(call, 200, "get_trilogy_image", field="F1", request_order=True)
    assert not Job.objects.exists(), "there is one already"


def test_the_old_path_says_how_to_ask_where_there_is_none(call):
    told = answer_of(call, 404, "get_trilogy_image", field="F1")["msg"]
    assert told == "F1 has no colour image; there is no science frame: scan a folder first"
    tiles("R")
    told = answer_of(call, 404, "get_trilogy_image", field="F1")["msg"]
    assert told == "F1 has no colour image; ask for it with request_order: true, or request_twelve_im"
    FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png", isvalid=False)
    told = answer_of(call, 404, "get_trilogy_image", field="F1")["msg"]
    assert "is invalid; validate it" in told
    assert "'field'" in answer_of(call, 400, "get_trilogy_image")["msg"]


@pytest.mark.parametrize(
    ("endpoint", "more"), [("get_trilogy_image", {"request_order": "true"}), ("request_twelve_im", {})]
)
def test_the_old_paths_queue_the_colour_image(endpoint, more, call, call_as, bob):
    tiles(*BANDS[1:])
    told = answer_of(call, 409, endpoint, field="F1", **more)["msg"]
    assert told.startswith("F1 has no tile of U; process them first")
    tiles("U")
    told = answer_of(call_as(bob), 403, endpoint, field="F1", **more)["msg"]
    assert "operator" in told
    answer = answer_of(call, 200, endpoint, field="F1", **more)
    job = Job.objects.get()
    assert (job.function, job.block, answer["job"]) == ("process_fieldimage", "F1", job.pk)
    assert changes(endpoint) == [
        ("alice", "operation", str(job.pk), {}, {"operation": "process_fieldimage F1"})
    ]
    answer_of(call, 404, endpoint, field="F2", **more)


def test_a_viewer_may_look_at_the_colour_image(call_as, bob):
    FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png")
    assert answer_of(call_as(bob), 200, "get_trilogy_image", field="F1")["msg"] == "TILES/F1/F1.png"


# The survey


@pytest.mark.parametrize("endpoint", ["getOperation", "getOperationsStats"])
def test_the_survey_is_four_numbers_and_details_beside_them(endpoint, call_as, bob):
    reduced()
    frame("broken", "PROCESSED", status=5, isvalid=False)
    frame("begun", "PROCESSED", status=4)
    frames(3, "BIAS")
    frame("odd", band="B")
    tiles(*BANDS)
    tiles("R", fld="F2")
    tiles("G", fld="F2", status=0)
    tiles("I", fld="F2", isvalid=False)
    tiles(*BANDS[1:], "B", fld="F3")
    answer = answer_of(call_as(bob), 200, endpoint)
    assert answer["msg"] == {
        "Final Tiles Count": 25,
        "Fields With Coaddeds": 3,
        "Done Processed Images": 1,
        "Field with 12 filters": 1,
    }
    progress = answer["progress"]
    assert progress["raw"] == {
        "types": {"BIAS": 3, "SCI": 2},
        "bands": {"B": 1, "R": 1},
        "status": {"0": 1, "5": 1},
    }
    assert progress["tiles"]["R"] == 3
    assert progress["counted_at"].endswith("Z")


def test_the_details_of_the_survey_are_counted_again_after_a_while(monkeypatch):
    frame("a")
    assert requests.get_operation()[1]["raw"]["bands"] == {"R": 1}
    frame("b")
    assert requests.get_operation()[1]["raw"]["bands"] == {"R": 1}
    monkeypatch.setattr(survey, "KEPT_S", -1.0)
    assert requests.get_operation()[1]["raw"]["bands"] == {"R": 2}


def test_the_survey_is_read_from_indexes_alone(django_assert_max_num_queries):
    done = survey.frames("PROCESSED", status=5, isvalid__in=survey.YES).values("status")
    for rows in (done, survey.good_tiles().values("field", "band")):
        assert from_index(rows), rows.query
    with django_assert_max_num_queries(30):
        requests.get_operation()


def from_index(rows):
    """Whether the database reads rows from an index alone, where their table is large."""
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            return all("USING COVERING INDEX" in line[-1] for line in cursor.fetchall())
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}", values)
        return "Index Only Scan" in cursor.fetchone()[0]


def test_an_unknown_field_in_a_request_is_a_named_error():
    with pytest.raises(NotFound, match="no valid science frame of F1"):
        requests.process_field("F1")
