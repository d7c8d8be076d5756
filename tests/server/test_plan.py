"""`plan: true`: what would be done, told by the choices of the tasks themselves, and nothing changed."""

import json
import random
import re
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from nights import BANDS, DAY, Runs, bias_master, flat_master, frame, frames, noon, science_products

from mar.run.science_frame import STATUS_AFTER
from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    IndividualFile,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.errors import Conflict, Invalid, NotFound
from marserver.jobs import queue
from marserver.jobs.models import Job
from marserver.jobs.worker import Worker
from marserver.reduction import code, requests
from marserver.reduction.plan.estimate import NEVER
from marserver.reduction.plan.masters import Shelf
from marserver.reduction.tasks import TASKS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_site")]


@dataclass
class StatusRuns(Runs):
    """Runs whose frames get the status that their steps lead to; they remember what they were given."""

    given: dict[str, tuple] = field(default_factory=dict)  # name of a frame: its status, steps and masters

    def science(self, raw, masters, status, code, layout, camera, config, progress=None, name=""):
        self.science_calls.append(raw.stem)
        steps = [step for step, after in STATUS_AFTER.items() if step in code and after > status]
        self.given[raw.stem] = status, steps, masters
        return replace(science_products(raw, layout), status=STATUS_AFTER[steps[-1]])


@pytest.fixture
def runs(monkeypatch):
    return StatusRuns().put_into(monkeypatch)


def dump():
    """Everything in the database: the rows of every table."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows[table] = sorted(cursor.fetchall(), key=repr)
    return rows


def plan_of(outcome):
    return outcome.values["plan"]


def plan_block(kind, row_id, **more):
    """The plan of a block; that it changes nothing is tested each time."""
    before = dump()
    outcome = requests.plan_block(kind, row_id, **more)
    assert dump() == before
    return plan_of(outcome)


def work():
    worker = Worker(TASKS)
    while worker.run_one():
        pass
    return list(Job.objects.order_by("started_at", "id"))


def create(kind, days=2, **more):
    return requests.create(kind, DAY, DAY + timedelta(days=days - 1), **more).values["id"]


def names(some):
    return [one["file_name"] for one in some]


def reasons(plan):
    return {one["file_name"]: one["reason"] for one in plan["frames"]["dropped"]}


# What a plan tells


def test_a_plan_tells_frames_masters_steps_and_tiles():
    bias, flat = bias_master(), flat_master()
    frames(2)
    frame("bad", isvalid=False)
    frame("ready", status=5)
    block = create("scibyfilter", band="R")
    SciByFilter.objects.get().scies.add(IndividualFile.objects.get(file_name="bad"))
    outcome = requests.plan_block("scibyfilter", block)
    plan = plan_of(outcome)
    assert outcome.msg == (
        f"plan of scibyfilter {block}: 2 of 4 frames, ov sf mc am co, 1 tiles, {NEVER}; nothing was changed"
    )
    first = IndividualFile.objects.get(file_name="sci-R-F1-0")
    assert plan["frames"]["used"][0] == {
        "id": first.pk, "file_name": "sci-R-F1-0", "band": "R", "field": "F1", "status": 0,
        "steps": ["ov", "sf", "mc", "am"],
    }  # fmt: skip
    assert reasons(plan) == {"bad": "it is invalid", "ready": "it has status 5 already"}
    assert [(one["kind"], one["band"], one["chosen"]) for one in plan["masters"]] == [
        ("biasblock", None, bias.pk),
        ("flatbyfilter", "R", flat.pk),
    ]
    assert plan["masters"][0]["frames"] == [one["id"] for one in plan["frames"]["used"]]
    assert [(one["step"], one["frames"]) for one in plan["steps"]] == [
        (word, 2) for word in ("ov", "sf", "mc", "am", "co")
    ]
    assert plan["tiles"] == [{"field": "F1", "band": "R", "frames": 2, "fails": ""}]
    assert plan["colour"][0]["missing"] == [band for band in BANDS if band != "R"]
    assert (plan["would_run"], plan["refused"]) == (True, "")
    assert plan["estimate"] == {
        "seconds": None,
        "each": {},
        "rests_on": "no operation of this kind has run yet",
    }


def test_a_plan_says_why_this_master_out_of_which():
    wide, narrow = bias_master(DAY - timedelta(9), DAY + timedelta(9)), bias_master()
    older = bias_master(isvalid=False)
    waiting = bias_master(status=0)
    flat_master()
    frames(1)
    chosen = plan_block("scibyfilter", create("scibyfilter", band="R"))["masters"][0]
    assert (chosen["chosen"], chosen["why"]) == (
        narrow.pk, "its dates hold the frame's; of 2 it is the narrowest"
    )  # fmt: skip
    rules = {one["id"]: one["rules"] for one in chosen["candidates"]}
    right = {"valid": True, "processed": True, "dates": True, "within MAX_DAYS": True}
    assert rules == {
        narrow.pk: right,
        wide.pk: right,
        older.pk: {**right, "valid": False},
        waiting.pk: {**right, "processed": False},
    }
    assert chosen["candidates"][0]["id"] == narrow.pk


def test_the_newest_of_the_narrowest_is_told():
    bias_master()
    newest = bias_master()
    flat_master()
    frames(1)
    chosen = plan_block("scibyfilter", create("scibyfilter", band="R"))["masters"][0]
    assert (chosen["chosen"], chosen["why"]) == (
        newest.pk, "its dates hold the frame's; of 2 it is the newest of the narrowest"
    )  # fmt: skip


def test_where_no_master_fits_the_nearest_miss_and_the_failure_are_told(runs):
    bias_master()
    near = flat_master("R", DAY + timedelta(3), DAY + timedelta(4))
    flat_master("R", DAY + timedelta(30), DAY + timedelta(30))
    other = flat_master("G")
    frames(2)
    block = create("scibyfilter", band="R")
    plan = plan_block("scibyfilter", block)
    missing = plan["masters"][1]
    words = (
        "no valid, processed R flat block for 2024-03-01: the nearest is "
        f"{near.pk} of 2024-03-04 to 2024-03-05, 3 days away; "
        "make one of those dates or raise config.MAX_DAYS"
    )
    assert (missing["chosen"], missing["fails"]) == (None, words)
    assert missing["nearest_miss"]["id"] in (near.pk, other.pk)
    assert {one["id"]: one["rules"]["band"] for one in missing["candidates"]}[other.pk] is False
    assert plan["frames"]["used"] == []
    assert all(one["fails"] and one["reason"] == words for one in plan["frames"]["dropped"])
    assert plan["tiles"][0]["fails"] == "no frame of F1 R is ready to coadd; see why its frames failed"
    requests.process("scibyfilter", block)
    assert work()[0].result["failed"] == dict.fromkeys(("sci-R-F1-0", "sci-R-F1-1"), words)


def test_the_nearest_master_within_max_days_is_told(root):
    (root / "CONFIG").mkdir()
    (root / "CONFIG/mar.toml").write_text("[config]\nMAX_DAYS = 3\n")
    near = bias_master(DAY + timedelta(2), DAY + timedelta(2))
    flat_master()
    frames(1)
    chosen = plan_block("scibyfilter", create("scibyfilter", band="R"))["masters"][0]
    assert (chosen["chosen"], chosen["why"]) == (near.pk, "none holds the date; it is the nearest")
    assert chosen["candidates"][0]["rules"]["dates"] is False


def test_frames_of_many_dates_with_the_same_choice_are_one_entry():
    bias_master(DAY, DAY + timedelta(9))
    flat_master("R", DAY, DAY + timedelta(9))
    for day in range(4):
        frame(f"night-{day}", when=noon(hours=24 * day + 3))
    masters = plan_block("scibyfilter", create("scibyfilter", 9, band="R"))["masters"]
    assert [(one["kind"], len(one["frames"]), len(one["dates"])) for one in masters] == [
        ("biasblock", 4, 4),
        ("flatbyfilter", 4, 4),
    ]


def test_a_fringed_band_tells_its_superflat():
    bias_master()
    flat_master("Z")
    frames(2, "SCI", "Z")
    block = create("scibyfilter", band="Z")
    assert plan_block("scibyfilter", block)["steps"][1] == {"step": "sf", "frames": 2, "subtracted": 0}
    none = plan_block("scibyfilter", block)["masters"][2]
    assert (none["kind"], none["chosen"], none["fails"]) == ("superflat", None, "")
    assert none["why"].endswith("make and process a Z superflat of those dates first; the fringes stay")
    linked = Superflat.objects.create(
        band="Z", block_start_date=DAY, block_end_date=DAY, status=1, super_flat_path="linked.fits"
    )
    Superflat.objects.create(
        band="Z", block_start_date=DAY, block_end_date=DAY, status=1, super_flat_path="newer.fits"
    )
    requests.setsuperflat("scibyfilter", block, linked.pk)
    chosen = plan_block("scibyfilter", block)["masters"][2]
    assert (chosen["chosen"], chosen["why"], len(chosen["frames"])) == (
        linked.pk,
        "linked by setsuperflat",
        2,
    )


def test_a_linked_superflat_that_is_not_made_leaves_the_fringes(runs):
    from marserver.jobs import log

    bias_master()
    flat_master("Z")
    frames(1, "SCI", "Z")
    block = create("scibyfilter", band="Z")
    empty = Superflat.objects.create(band="Z", block_start_date=DAY, block_end_date=DAY)
    requests.setsuperflat("scibyfilter", block, empty.pk)
    chosen = plan_block("scibyfilter", block)["masters"][2]
    assert (chosen["chosen"], chosen["why"]) == (
        None,
        "the linked superflat is not made yet; the fringes stay",
    )
    requests.process("scibyfilter", block)
    work()
    assert runs.given["sci-Z-F1-0"][2].fringe is None
    assert any("no superflat for 1 frames of Z" in line for line in log.lines(level="WARN"))


def test_a_frame_of_another_band_is_left_out(runs):
    bias_master()
    flat_master()
    frames(1)
    block = create("scibyfilter", band="R")
    SciByFilter.objects.get().scies.add(frame("green", band="G"))
    assert reasons(plan_block("scibyfilter", block)) == {"green": "its band is G, not R"}
    requests.process("scibyfilter", block)
    work()
    assert runs.science_calls == ["sci-R-F1-0"]
    assert SciByFilter.objects.get().status == 1


def test_the_steps_are_those_that_the_code_and_the_status_leave(runs):
    bias_master()
    flat_master()
    frame("flattened", status=1)
    frame("raw")
    plan = plan_block("scibyfilter", create("scibyfilter", band="R"), code="mc am")
    assert [(one["file_name"], one["steps"]) for one in plan["frames"]["used"]] == [
        ("flattened", ["mc", "am"])
    ]
    assert reasons(plan) == {"raw": "raw: mc am needs ov first; ask for it too"}
    assert plan["tiles"] == []
    assert [one["needed"] for one in plan["masters"][:2]] == [False, False]


def test_the_words_of_the_code_lead_where_the_library_says():
    assert {word: after for word, after in code.WORDS.items() if word != "co"} == STATUS_AFTER


# Blocks of all bands


def test_done_and_invalid_parts_of_a_sciblock_are_passed_by():
    bias_master()
    for band in ("R", "G", "U"):
        flat_master(band)
        frames(1, "SCI", band)
    block = create("sciblock")
    SciByFilter.objects.filter(band="G").update(status=1)
    SciByFilter.objects.filter(band="U").update(isvalid=False)
    plan = plan_block("sciblock", block)
    assert names(plan["frames"]["used"]) == ["sci-R-F1-0"]
    parts = dict(SciByFilter.objects.values_list("band", "pk"))
    assert reasons(plan) == {
        "sci-G-F1-0": f"its block scibyfilter {parts['G']} G is done (status 1)",
        "sci-U-F1-0": f"its block scibyfilter {parts['U']} U is invalid",
    }


def test_the_plan_of_a_bias_and_of_flats():
    bias = bias_master()
    frames(3, "BIAS")
    for band in ("R", "G"):
        frames(2, "FLAT", band, "")
    plan = plan_block("biasblock", create("biasblock"))
    assert (len(plan["frames"]["used"]), plan["steps"]) == (3, [{"step": "combine", "frames": 3}])
    assert plan["masters"] == []
    flats = create("flatblock")
    FlatByFilter.objects.filter(band="G").update(status=1)
    plan = plan_block("flatblock", flats)
    assert {one["band"] for one in plan["frames"]["used"]} == {"R"}
    assert len(reasons(plan)) == 2
    assert [one["chosen"] for one in plan["masters"]] == [bias.pk]
    assert plan["masters"][0]["frames"] == [one["id"] for one in plan["frames"]["used"]]


def test_a_flat_without_bias_would_fail_and_says_so(runs):
    frames(2, "FLAT")
    block = create("flatbyfilter", band="R")
    plan = plan_block("flatbyfilter", block)
    words = (
        "no valid, processed bias block for 2024-03-01: make and process a bias block of those dates first"
    )
    assert (plan["masters"][0]["fails"], plan["frames"]["used"], plan["steps"]) == (words, [], [])
    requests.process("flatbyfilter", block)
    assert work()[0].error == words


# What would be refused


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda block: SciByFilter.objects.update(status=1), "is already done"),
        (lambda block: SciByFilter.objects.update(isvalid=False), "is invalid; validate it"),
        (lambda block: IndividualFile.objects.update(isvalid=False), "has no valid frame"),
        (lambda block: requests.process("scibyfilter", block), "is already queued as operation"),
    ],
)
def test_what_would_be_refused_is_told_and_not_raised(spoil, words):
    frames(2)
    block = create("scibyfilter", band="R")
    spoil(block)
    plan = plan_block("scibyfilter", block)
    assert plan["would_run"] is False
    assert words in plan["refused"]
    with pytest.raises(Conflict, match=words):
        requests.process("scibyfilter", block)


def test_only_failed_without_failures_would_be_refused():
    frames(2)
    plan = plan_block("scibyfilter", create("scibyfilter", band="R"), only="failed")
    assert plan["refused"].startswith("no frame failed in scibyfilter")
    assert set(reasons(plan).values()) == {"it did not fail"}


def test_unknown_blocks_and_words_are_refused_in_a_plan_too():
    with pytest.raises(NotFound, match="no biasblock 7"):
        requests.plan_block("biasblock", 7)
    frames(1)
    with pytest.raises(Invalid, match="unknown xx"):
        requests.plan_block("scibyfilter", create("scibyfilter", band="R"), code="xx")
    with pytest.raises(NotFound, match="F9 R; there are frames of F1"):
        requests.plan_tile(field="F9", band="R")
    with pytest.raises(NotFound, match="no tile of F1 is done"):
        requests.plan_fieldimage(field="F1")


def test_a_broken_configuration_is_a_conflict_not_a_fault(root):
    frames(1)
    block = create("scibyfilter", band="R")
    (root / "CONFIG").mkdir()
    (root / "CONFIG/mar.toml").write_text("[config]\nMAX_DAYS = 'many'\n")
    with pytest.raises(Conflict, match="no plan without a configuration"):
        requests.plan_block("scibyfilter", block)


# Fields and colour images


def test_the_plan_of_a_tile_sees_the_frames_set_back(runs):
    bias_master()
    flat_master()
    frames(2)
    frame("raw-still", status=1)
    requests.process_tile(field="F1", band="R")
    work()
    before = dump()
    plan = plan_of(requests.plan_tile(field="F1", band="R", status=2))
    assert dump() == before
    assert [(one["status"], one["steps"]) for one in plan["frames"]["used"]] == [(2, ["mc", "am"])] * 3
    assert plan["tiles"] == [{"field": "F1", "band": "R", "frames": 3, "fails": ""}]


def test_the_last_band_queues_the_colour_image():
    bias_master()
    flat_master()
    frames(1)
    for band in BANDS[:-1]:
        FinalTile.objects.create(field="F1", band=band, status=int(band != "R"), file_path="t.fits")
    assert plan_of(requests.plan_field("F1"))["colour"] == [
        {"field": "F1", "queued": False, "missing": ["Z"], "waiting": False}
    ]
    FinalTile.objects.create(field="F1", band="Z", status=1, file_path="t.fits")
    assert plan_of(requests.plan_tile(field="F1", band="R"))["colour"][0]["queued"] is True
    assert plan_of(requests.plan_field("F1", status=1))["colour"][0]["missing"] == [
        band for band in BANDS if band != "R"
    ], "the other tiles are set to do and have no frames"
    FinalTile.objects.filter(band="R").update(isvalid=False)
    assert plan_of(requests.plan_tile(field="F1", band="R"))["colour"][0]["missing"] == ["R"]


def test_the_plan_of_a_colour_image():
    FinalTile.objects.create(field="F1", band="R", status=1, file_path="t.fits")
    before = dump()
    plan = plan_of(requests.plan_fieldimage(field="F1"))
    assert dump() == before
    assert plan["refused"].startswith("F1 has no tile of U, F378")
    assert plan["colour"][0]["bands"] == ["R"]
    partial = plan_of(requests.plan_fieldimage(field="F1", partial=True))
    assert (partial["would_run"], partial["colour"][0]["queued"]) == (True, True)


# The estimate


def ended(function="process_scibyfilter", code="", **pace):
    job = queue.enqueue(queue.Order(function, "scibyfilter", str(random.random()), code=code))
    Job.objects.filter(pk=job.pk).update(status="done", result={"pace": pace}, ended_at=noon())


def estimate(**more):
    if not SciByFilter.objects.exists():
        bias_master()
        flat_master()
        frames(4)
        create("scibyfilter", band="R")
    return plan_block("scibyfilter", SciByFilter.objects.get().pk, **more)["estimate"]


def test_an_estimate_is_the_sum_of_medians():
    for seconds in (10, 20, 90):
        ended(frames=[10, seconds * 10], tiles=[2, 60])
    told = estimate()
    assert told["seconds"] == 4 * 20 + 30
    assert told["each"] == {"frames": 20.0, "tiles": 30.0}
    assert told["rests_on"] == (
        "20 s for each of 4 frames (median of 3 past operations), "
        "30 s for each of 1 tiles (median of 3 past operations)"
    )


def test_operations_with_the_same_code_come_first_then_other_science():
    ended("process_field", frames=[1, 100])
    assert estimate(code="ov")["seconds"] == 400
    ended(frames=[1, 10])
    assert estimate(code="ov")["seconds"] == 40
    ended(code="ov", frames=[1, 2])
    assert estimate(code="ov")["seconds"] == 8
    ended("process_biasblock", frames=[1, 1000])
    assert estimate(code="ov")["seconds"] == 8


def test_finished_operations_leave_what_an_estimate_needs(runs):
    assert estimate()["seconds"] is None
    block = SciByFilter.objects.get().pk
    requests.process("scibyfilter", block)
    pace = work()[0].result["pace"]
    assert (pace["frames"][0], pace["tiles"][0]) == (4, 1)
    frames(2, fld="F2")
    other = requests.create("scibyfilter", DAY, DAY, band="R", contains="F2").values["id"]
    told = plan_block("scibyfilter", other)["estimate"]
    assert told["seconds"] == pytest.approx(pace["frames"][1] / 4 * 2 + pace["tiles"][1], abs=0.06)


def test_masters_and_colour_images_are_estimated_too(runs):
    frames(3, "BIAS")
    requests.process("biasblock", create("biasblock"))
    work()
    BiasBlock.objects.update(status=0)
    assert plan_block("biasblock", BiasBlock.objects.get().pk)["estimate"]["seconds"] is not None
    FinalTile.objects.create(field="F1", band="R", status=1, file_path="t.fits")
    assert plan_of(requests.plan_fieldimage(field="F1"))["estimate"]["seconds"] is None
    requests.process_fieldimage(field="F1", partial=True)
    work()
    assert plan_of(requests.plan_fieldimage(field="F1"))["estimate"]["seconds"] is not None


# A plan does not lie


def naive_choice(blocks, day, band, max_days):
    """Section 5 of the contract, word by word."""
    good = [block for block in blocks if block.isvalid and block.status == 1 and block.master_path]
    good = [block for block in good if not band or block.band == band]
    holding = [block for block in good if block.block_start_date <= day <= block.block_end_date]
    if holding:
        narrowest = min(block.block_end_date - block.block_start_date for block in holding)
        same = [block for block in holding if block.block_end_date - block.block_start_date == narrowest]
        return max(same, key=lambda block: block.pk)
    reach = {
        block: min(abs((block.block_start_date - day).days), abs((block.block_end_date - day).days))
        for block in good
    }
    near = [block for block in good if reach[block] <= max_days]
    order = sorted(
        near, key=lambda block: (reach[block], block.block_end_date - block.block_start_date, -block.pk)
    )
    return order[0] if order else None


def test_masters_of_days_far_apart_are_found():
    days = [DAY + timedelta(days) for days in (-3000, -900, 0, 40, 5000)]
    far = {day: bias_master(day, day) for day in days}
    shelf = Shelf(0, days)
    assert {day: shelf.bias(day).block for day in days} == far
    many = [DAY + timedelta(40 * number) for number in range(60)]
    assert [Shelf(0, many).bias(day).block for day in (DAY, DAY + timedelta(40))] == [
        far[days[2]],
        far[days[3]],
    ]
    lone = Shelf(2, [DAY + timedelta(42)])
    assert lone.bias(DAY + timedelta(42)).block == far[days[3]]
    missed = Shelf(1, [DAY + timedelta(42)]).bias(DAY + timedelta(42))
    assert missed.nearest_miss().block == far[days[3]]


def random_masters(rng, count=12):
    for number in range(count):
        start = DAY + timedelta(rng.randint(-4, 6))
        more = {
            "status": rng.choice([1, 1, 1, 0]),
            "isvalid": rng.random() < 0.8,
            "master_path": rng.choice([f"M/{number}.fits", f"M/{number}.fits", None]),
        }
        end = start + timedelta(rng.randint(0, 4))
        bias_master(start, end, **more)
        flat_master(rng.choice("RGZ"), start, end, **{**more, "master_path": more["master_path"]})


@pytest.mark.parametrize("seed", range(10))
def test_the_choice_is_that_of_the_contract(seed):
    rng = random.Random(seed)
    random_masters(rng, 20)
    for max_days in (0, 1, 3):
        days = [DAY + timedelta(days) for days in range(-6, 12)]
        for day, shelf in ((day, Shelf(max_days, rng.choice([[], [day], days]))) for day in days):
            assert shelf.bias(day).block == naive_choice(BiasBlock.objects.all(), day, "", max_days)
            for band in "RGZ":
                assert shelf.flat(band, day).block == naive_choice(
                    FlatByFilter.objects.all(), day, band, max_days
                )


def random_archive(rng, root):
    """Frames of three bands and two fields in every state, masters that fit or not, tiles here and there."""
    (root / "CONFIG").mkdir()
    (root / "CONFIG/mar.toml").write_text(f"[config]\nMAX_DAYS = {rng.choice([0, 0, 2])}\n")
    random_masters(rng)
    superflats = [
        Superflat.objects.create(
            band="Z", block_start_date=DAY, block_end_date=DAY + timedelta(rng.randint(0, 3)),
            status=1, isvalid=rng.random() < 0.7, super_flat_path=f"M/fringe{number}.fits",
        )
        for number in range(2)
    ]  # fmt: skip
    for number in range(14):
        random_frame(rng, number, superflats)
    for band in BANDS:
        if rng.random() < 0.97:
            FinalTile.objects.create(field="F1", band=band, status=1, file_path="t.fits")


def random_frame(rng, number, superflats):
    status = rng.choice([0, 0, 0, 1, 2, 3, 5])
    raw = frame(
        f"f{number}",
        band=rng.choice("RGZ"),
        fld=rng.choice(["F1", "F2"]),
        when=noon(hours=rng.uniform(0, 96)),
        status=status,
        isvalid=rng.random() < 0.85,
        failed_step=rng.choice(["", "am"]),
        superflat=rng.choice([None, None, *superflats]),
    )
    if status:
        more = {"raw_sci": raw, "status": rng.choice([status, status, 1]), "isvalid": rng.random() < 0.9}
        raw.processed = frame(f"proc_f{number}", "PROCESSED", raw.band, raw.field, raw.obs_date, **more)
        raw.save()


def random_request(rng):
    """The plan of something, and the request for the same."""
    code = rng.choice(["", "", "ov", "ov mc", "mc am", "co", "am co", "ov sf mc am"])
    kind = rng.choice(["scibyfilter", "sciblock", "tile", "field"])
    if kind in ("scibyfilter", "sciblock"):
        more = {"band": rng.choice("RGZ")} if kind == "scibyfilter" else {}
        block = create(kind, 5, **more)
        SciByFilter.objects.filter(band=rng.choice("RGZ")).update(status=0 if more else 1)
        for one in SciByFilter.objects.all():
            one.scies.add(*IndividualFile.objects.filter(file_type="SCI", isvalid=False, band=one.band))
        asked = {"code": code, "only": rng.choice(["", "", "failed"])}
        return (
            lambda: requests.plan_block(kind, block, **asked),
            lambda: requests.process(kind, block, **asked),
        )
    asked = {"field": rng.choice(["F1", "F2"]), "code": code, "status": rng.choice([None, None, 0, 1, 2, 5])}
    if kind == "tile":
        asked["band"] = rng.choice("RGZ")
        return lambda: requests.plan_tile(**asked), lambda: requests.process_tile(**asked)
    return lambda: requests.plan_field(**asked), lambda: requests.process_field(**asked)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_planned_is_what_is_done(seed, runs, root):
    rng = random.Random(seed)
    random_archive(rng, root)
    plan, ask = random_request(rng)
    before = dump()
    told = plan_of(plan())
    assert dump() == before
    if told["refused"]:
        with pytest.raises(Conflict) as refused:
            ask()
        assert str(refused.value) == told["refused"]
        return
    ask()
    job = work()[0]
    assert_frames_as_planned(told, runs, job)
    assert_masters_as_planned(told, runs, root)
    assert_tiles_as_planned(told, runs, job)


def assert_frames_as_planned(told, runs, job):
    assert names(told["frames"]["used"]) == runs.science_calls
    for one in told["frames"]["used"]:
        assert (one["status"], one["steps"]) == runs.given[one["file_name"]][:2]
    failed = {one["file_name"]: one["reason"] for one in told["frames"]["dropped"] if one["fails"]}
    assert failed == job.result["failed"]


def assert_masters_as_planned(told, runs, root):
    """Each frame was given the files that its plan names; bias and flat only together."""
    by_id = {one["id"]: one["file_name"] for one in told["frames"]["used"]}
    chosen = {name: {} for name in by_id.values()}
    for entry in told["masters"]:
        for frame_id in entry["frames"]:
            if frame_id in by_id:
                chosen[by_id[frame_id]][entry["kind"]] = entry["path"]
    for name, kinds in chosen.items():
        masters = runs.given[name][2]
        both = kinds["biasblock"] is not None and kinds["flatbyfilter"] is not None
        for kind, given in (("biasblock", masters.bias), ("flatbyfilter", masters.flat)):
            assert (given.master if given else None) == (root.resolve() / kinds[kind] if both else None)
        fringe = kinds.get("superflat")
        assert masters.fringe == (root.resolve() / fringe if fringe else None)


def assert_tiles_as_planned(told, runs, job):
    good = {(one["field"], one["band"]): one["frames"] for one in told["tiles"] if not one["fails"]}
    assert {(call[0], call[1]): len(call[3]) for call in runs.tile_calls} == good
    bad = {f"{one['field']} {one['band']}": one["fails"] for one in told["tiles"] if one["fails"]}
    assert bad == job.result["failed_tiles"]
    coloured = {one["field"] for one in told["colour"] if one["queued"]}
    assert set(FieldImage.objects.values_list("field", flat=True)) == coloured


# Speed


def thousand_frames(count=1000, nights=30):
    """A sciblock of many frames over many nights and all bands, with a year of masters for each night."""
    rows = [
        IndividualFile(
            file_name=f"many-{number}", file_path=f"RAW/many-{number}.fits", file_type="SCI",
            band=BANDS[number % 12], field=f"F{number % 50}", obs_date=noon(hours=24 * (number % nights) + 3),
            night=DAY + timedelta(number % nights), exptime=30.0,
        )
        for number in range(count)
    ]  # fmt: skip
    IndividualFile.objects.bulk_create(rows)
    days = [DAY + timedelta(day) for day in range(-300, nights + 35)]
    BiasBlock.objects.bulk_create(
        BiasBlock(block_start_date=day, block_end_date=day, status=1, master_path="b.fits") for day in days
    )
    FlatByFilter.objects.bulk_create(
        FlatByFilter(block_start_date=day, block_end_date=day, status=1, master_path="f.fits", band=band)
        for day in days[::7]
        for band in BANDS
    )
    return create("sciblock", nights)


def test_a_thousand_frames_are_planned_fast_and_with_few_queries(django_assert_max_num_queries):
    block = thousand_frames()
    begun = time.process_time()
    with django_assert_max_num_queries(20):
        plan = plan_of(requests.plan_block("sciblock", block))
    seconds = time.process_time() - begun
    assert len(plan["frames"]["used"]) + len(plan["frames"]["dropped"]) == 1000
    assert all(one["candidates"] for one in plan["masters"] if one["kind"] != "superflat")
    assert seconds < 1.0


def test_a_thousand_frames_without_masters_take_as_few_queries(django_assert_max_num_queries):
    block = thousand_frames()
    for model in (BiasBlock, FlatByFilter):
        model.objects.filter(block_end_date__gte=DAY).delete()
    with django_assert_max_num_queries(20):
        plan = plan_of(requests.plan_block("sciblock", block))
    assert plan["frames"]["used"] == []
    assert all(one["nearest_miss"] for one in plan["masters"] if one["kind"] != "superflat")


def test_the_number_of_queries_does_not_grow_with_frames(django_assert_num_queries):
    block = thousand_frames(60)
    with CaptureQueriesContext(connection) as few:
        requests.plan_block("sciblock", block)
    SciBlock.objects.all().delete()
    SciByFilter.objects.all().delete()
    IndividualFile.objects.all().delete()
    block = thousand_frames(600)
    with django_assert_num_queries(len(few)):
        requests.plan_block("sciblock", block)


def test_the_task_reads_the_masters_once_for_all_frames(runs):
    for day in range(5):
        bias_master(DAY + timedelta(day), DAY + timedelta(day))
        flat_master("R", DAY + timedelta(day), DAY + timedelta(day))
        frame(f"night-{day}", when=noon(hours=24 * day + 3))
    requests.process("scibyfilter", create("scibyfilter", 5, band="R"))
    with CaptureQueriesContext(connection) as seen:
        work()
    assert len(runs.science_calls) == 5
    asked = [query["sql"] or "" for query in seen]  # PostgreSQL does not tell the words of a prepared query
    for table in ("files_biasblock", "files_flatbyfilter"):
        assert sum(f'FROM "{table}"' in words for words in asked) == 1


# Over HTTP


def keys_of(value):
    """The names of a JSON value, however deep; lists by their first item."""
    if isinstance(value, dict):
        return {name: keys_of(part) for name, part in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_the_page_shows_an_answer_as_it_is(call):
    page = Path(__file__).parents[2] / "docs" / "plan.md"
    shown = json.loads(re.search(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[1])
    bias_master(DAY - timedelta(3), DAY + timedelta(3))
    bias_master(status=0)
    flat_master("R", DAY, DAY)
    frame("frame-1")
    frame("frame-2", when=noon(hours=29))
    block = create("scibyfilter", band="R")
    SciByFilter.objects.get().scies.add(frame("frame-3", isvalid=False))
    tiles = [FinalTile(field="F1", band=band, status=1, file_path="t.fits") for band in BANDS[:11]]
    FinalTile.objects.bulk_create(tiles)
    ended(frames=[10, 120], tiles=[1, 40])
    assert keys_of(call("scibyfilter", type="process", id=block, plan=True)) == keys_of(shown)


@pytest.fixture
def archive():
    """A block of each kind and a tile, by the body of its process."""
    bias_master()
    flat_master()
    frames(2)
    frames(2, "FLAT", "R", "")
    frames(2, "BIAS")
    tile = FinalTile.objects.create(field="F1", band="R", status=1, file_path="t.fits")
    kinds = ("biasblock", "flatblock", "sciblock")
    bodies = [(kind, {"type": "process", "id": create(kind)}) for kind in kinds]
    banded = ("flatbyfilter", "scibyfilter")
    bodies += [(kind, {"type": "process", "id": create(kind, band="R")}) for kind in banded]
    return [
        *bodies,
        ("finaltiles", {"type": "process", "id": tile.pk, "status": "2"}),
        ("finaltiles", {"type": "process", "field": "F1", "band": "R"}),
        ("finaltiles", {"type": "processfield", "field": "F1", "status": 0}),
        ("fieldimages", {"type": "process", "field": "F1", "partial": True}),
    ]


def dump_but_logins():
    return {table: rows for table, rows in dump().items() if not table.startswith("accounts_")}


def test_a_viewer_may_ask_for_every_plan_but_process_nothing(archive, call_as, bob):
    call = call_as(bob)
    before = dump_but_logins()
    for endpoint, body in archive:
        answer = call(endpoint, **body, plan="true")
        assert call.status == 200, answer
        assert answer["msg"].endswith("nothing was changed")
        assert set(answer["plan"]) == {
            "would_run", "refused", "frames", "masters", "steps", "tiles", "colour", "estimate"
        }  # fmt: skip
        for unplanned in ({}, {"plan": 0}):
            refused = call(endpoint, **body, **unplanned)
            assert (call.status, refused["status"]) == (403, False)
            assert "operator" in refused["msg"]
    assert dump_but_logins() == before
    assert not Job.objects.exists()


def test_a_plan_is_yes_or_no(archive, call):
    endpoint, body = archive[0]
    answer = call(endpoint, **body, plan="perhaps")
    assert (call.status, answer["msg"]) == (400, "plan: must be 0, 1, false or true")


def test_an_operator_queues_what_was_planned(archive, call):
    for endpoint, body in archive[:5]:
        answer = call(endpoint, **body)
        assert call.status == 200, answer
        assert Job.objects.filter(pk=answer["job"]).exists()
