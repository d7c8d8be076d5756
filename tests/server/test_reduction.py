"""Blocks from the request to the record: masters, science frames, tiles, colour images."""

from datetime import timedelta

import pytest
from nights import BANDS, DAY, Runs, bias_master, flat_master, frame, frames, noon, work

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
from marserver.errors import Conflict, Invalid, NotFound
from marserver.jobs import log, queue
from marserver.jobs.models import Job, LogLine
from marserver.jobs.worker import Worker
from marserver.reduction import code, requests
from marserver.reduction.tasks import TASKS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_site")]


@pytest.fixture
def runs(monkeypatch):
    """The library's runs, played."""
    return Runs().put_into(monkeypatch)


def process(kind, row_id, **more):
    requests.process(kind, row_id, **more)
    return work()[-1]


def create(kind, **more):
    return requests.create(kind, DAY, DAY + timedelta(days=1), **more)


# Making blocks


def test_a_biasblock_holds_the_valid_bias_frames_of_both_days():
    for name, hours in (("a", 0), ("b", 47.9), ("late", 48)):
        frame(name, "BIAS", when=noon(hours=hours))
    frame("bad", "BIAS", isvalid=False)
    frames(1, "FLAT")
    outcome = create("biasblock")
    block = BiasBlock.objects.get(pk=outcome.values["id"])
    assert sorted(block.bias.values_list("file_name", flat=True)) == ["a", "b"]
    assert outcome.values["count"] == 2


def test_contains_chooses_frames():
    frames(3, "BIAS")
    assert create("biasblock", contains="-0,-2").values["count"] == 2


def test_create_without_frames_says_what_there_is():
    frame("a", "BIAS", when=noon(hours=24 * 5))
    with pytest.raises(
        NotFound, match="no valid BIAS frame from 2024-03-01 to 2024-03-02; there are 1 on 2024-03-06"
    ):
        create("biasblock")
    with pytest.raises(NotFound, match="there is none of any date"):
        create("flatblock")
    frame("f", "FLAT", when=noon(hours=24 * 400))
    with pytest.raises(NotFound, match="there are 1 between 2025-04-05 and 2025-04-05"):
        create("flatblock")
    assert not BiasBlock.objects.exists()
    assert not FlatsBlock.objects.exists()


def test_a_block_of_one_band_needs_the_band():
    frames(2, "FLAT", "R")
    with pytest.raises(Invalid, match="band is missing; for all bands at once use flatblock"):
        create("flatbyfilter")
    with pytest.raises(Invalid, match="use sciblock"):
        create("scibyfilter")
    with pytest.raises(Invalid, match=r"band.*it has U, F378"):
        create("flatbyfilter", band="B")
    assert create("flatblockbyfilter", band="R").values["count"] == 2


def test_blocks_of_all_bands_have_parts_for_bands_with_frames_only():
    for band in ("R", "G"):
        frames(2, "SCI", band)
        frames(3, "FLAT", band, "")
    science = SciBlock.objects.get(pk=create("sciblock").values["id"])
    flats = FlatsBlock.objects.get(pk=create("flatblock").values["id"])
    assert {(part.band, part.scies.count()) for part in science.sci_by_filter.all()} == {("R", 2), ("G", 2)}
    assert {(part.band, part.flats.count()) for part in flats.flats_by_filter.all()} == {("R", 3), ("G", 3)}


def test_dates_the_wrong_way_round_are_invalid():
    with pytest.raises(Invalid, match="startDate"):
        requests.create("biasblock", DAY, DAY - timedelta(days=1))


def test_add_and_remove_check_type_and_band():
    block = flat_master("R", status=0)
    red, green, bias = frame("r", "FLAT", "R"), frame("g", "FLAT", "G"), frame("b", "BIAS")
    requests.add("flatbyfilter", block.pk, red.pk)
    for other in (green, bias):
        with pytest.raises(Conflict):
            requests.add("flatbyfilter", block.pk, other.pk)
    assert list(block.flats.all()) == [red]
    requests.remove("flatbyfilter", block.pk, red.pk)
    with pytest.raises(NotFound):
        requests.remove("flatbyfilter", block.pk, red.pk)


def test_a_block_never_processed_can_be_deleted():
    frames(2, "FLAT")
    block_id = create("flatblock").values["id"]
    requests.delete("flatblock", block_id)
    assert not FlatByFilter.objects.exists()
    with pytest.raises(Conflict, match="has products"):
        requests.delete("biasblock", bias_master().pk)


# Remarks


def test_validate_flips_a_row_and_parts_follow():
    frames(2, "FLAT", "R")
    block_id = create("flatblock").values["id"]
    assert requests.validate("flatblock", block_id).values["isvalid"] is False
    assert not FlatByFilter.objects.get().isvalid
    assert requests.validate("individualfile", frame("x").pk).values["isvalid"] == 0
    with pytest.raises(NotFound, match="no biasblock 77"):
        requests.validate("biasblock", 77)


def test_setstatus_has_its_ranges():
    raw, block = frame("a"), bias_master()
    assert requests.setstatus("individualfile", raw.pk, 5).values["newstatus"] == 5
    assert requests.setstatus("biasblock", block.pk, 0).values["newstatus"] == 0
    with pytest.raises(Invalid, match="0 to 1"):
        requests.setstatus("biasblock", block.pk, 5)
    with pytest.raises(Invalid, match="0 to 5"):
        requests.setstatus("individualfile", raw.pk, 6)


def test_setstatus_of_tiles_by_date_field_and_flag():
    for field, flag in (("F1", 3), ("F2", 1), ("G1", 3)):
        FinalTile.objects.create(field=field, band="R", flag=flag, status=1, date=noon())
    outcome = requests.setstatus_tiles(DAY, DAY, "F", 2, 0)
    assert outcome.values["count"] == 1
    assert FinalTile.objects.get(field="F1").status == 0


def test_comments_and_flags_have_their_limits():
    tile = FinalTile.objects.create(field="F1", band="R")
    assert requests.setcomment("finaltiles", tile.pk, "x" * 300).values["comments"] == "x" * 300
    with pytest.raises(Invalid, match="300"):
        requests.setcomment("finaltiles", tile.pk, "x" * 301)
    assert requests.setflag("finaltiles", tile.pk, 1023).values["flag"] == 1023
    with pytest.raises(Invalid, match="1023"):
        requests.setflag("finaltiles", tile.pk, 1024)


# The execution code


def test_the_code_takes_words_in_any_order():
    assert code.parse("mc, ov") == {"ov", "mc"}
    assert code.spell("am,ov") == "ov am"
    assert code.spell(" ") == code.spell("co am mc sf ov") == ""
    with pytest.raises(Invalid, match="unknown xx; accepted are any of ov sf mc am co"):
        code.parse("ov xx")


# Masters


def test_a_bias_block_becomes_a_master(runs, root):
    runs.bad = {"bias-1": "truncated"}
    frames(3, "BIAS")
    block_id = create("biasblock").values["id"]
    job = process("biasblock", block_id, asked_by="alice")
    block = BiasBlock.objects.get()
    assert (job.status, job.outcome) == (
        "done",
        f"biasblock {block_id}: masterbias20240301-20240302.fits of 2 frames, 1 left out",
    )
    assert (block.status, block.master_path) == (1, "MASTERS/BIAS/masterbias20240301-20240302.fits")
    assert (block.modeavg, block.noiserms, block.checksum, block.job) == (1.0, None, "42", job.pk)
    assert block.inputs == [
        {"path": "RAW/bias-0.fits", "checksum": "91"},
        {"path": "RAW/bias-2.fits", "checksum": "92"},
    ]
    assert IndividualFile.objects.get(file_name="bias-2").checksum == "92"
    assert (block.version, len(block.config_hash)) != ("", 0)
    bad = IndividualFile.objects.get(file_name="bias-1")
    assert (bad.failed_step, bad.error) == ("combine", "truncated")
    assert (root / block.master_path).exists()
    assert LogLine.objects.filter(level="WARN", text="bias-1.fits left out: truncated").exists()


def test_a_block_that_is_done_says_how_to_run_it_again(runs):
    with pytest.raises(Conflict, match=r"already done \(status 1\); to run it again set its status to 0"):
        requests.process("biasblock", bias_master().pk)


def test_a_block_without_valid_frames_is_refused(runs):
    frames(2, "BIAS")
    block_id = create("biasblock").values["id"]
    IndividualFile.objects.update(isvalid=False)
    with pytest.raises(Conflict, match="has no valid frame"):
        requests.process("biasblock", block_id)
    assert not queue.waiting()


def test_a_flat_takes_the_bias_of_its_date(runs):
    bias_master(DAY - timedelta(days=9), DAY - timedelta(days=9), master_path="MASTERS/BIAS/old.fits")
    right = bias_master(master_path="MASTERS/BIAS/right.fits")
    frames(2, "FLAT", "R")
    job = process("flatbyfilter", create("flatbyfilter", band="R").values["id"])
    assert job.status == "done"
    assert runs.masters[0].master.name == "right.fits"
    assert FlatByFilter.objects.get().bias_used == right


def test_a_flat_without_bias_fails_and_names_the_date(runs):
    bias_master(DAY - timedelta(days=9), DAY - timedelta(days=9))
    frames(2, "FLAT", "R")
    job = process("flatbyfilter", create("flatbyfilter", band="R").values["id"])
    assert job.status == "failed"
    assert "no valid, processed bias block for 2024-03-01" in job.error
    assert "9 days away" in job.error
    assert FlatByFilter.objects.get().status == 0


def test_a_master_is_compared_with_the_last_good_one_and_the_log_says_so(runs):
    early, later = DAY - timedelta(days=9), DAY + timedelta(days=9)
    bias_master(early - timedelta(days=9), early - timedelta(days=9), master_path="MASTERS/BIAS/older.fits")
    bias_master(early, early, master_path="MASTERS/BIAS/last.fits", mask_path="MASTERS/BIAS/mask.fits")
    bias_master(early, early, master_path="MASTERS/BIAS/invalid.fits", isvalid=False)
    bias_master(later, later, master_path="MASTERS/BIAS/later.fits")
    frames(2, "BIAS")
    job = process("biasblock", create("biasblock").values["id"])
    (last,) = runs.last
    assert (last.master.name, last.mask.name) == ("last.fits", "mask.fits")
    lines = list(LogLine.objects.filter(job=job).values_list("level", "text"))
    assert ("WARN", "levels differ from m.fits") in lines
    assert ("INFO", "against m.fits: median difference") in lines


def test_a_flat_is_compared_with_the_last_good_one_of_its_band(runs):
    bias_master()
    flat_master("G", DAY - timedelta(days=2), DAY - timedelta(days=2))
    frames(2, "FLAT", "R")
    process("flatbyfilter", create("flatbyfilter", band="R").values["id"])
    assert runs.last == [None]
    flat_master(
        "R", DAY - timedelta(days=2), DAY - timedelta(days=2), master_path="MASTERS/FLATS/R/last.fits"
    )
    block = FlatByFilter.objects.get(band="R", block_start_date=DAY)
    block.status = 0
    block.save()
    process("flatbyfilter", block.pk)
    assert runs.last[1].master.name == "last.fits"


def test_a_band_that_fails_does_not_stop_the_other_flats(runs):
    bias_master()
    runs.bad = {"flat G": "too few"}
    for band in ("R", "G", "U"):
        frames(2, "FLAT", band)
    job = process("flatblock", create("flatblock").values["id"])
    assert (job.status, job.result["failed"]) == ("done", {"G": "too few"})
    assert dict(FlatByFilter.objects.values_list("band", "status")) == {"R": 1, "G": 0, "U": 1}
    assert FlatsBlock.objects.get().status == 0
    runs.bad = {}
    process("flatblock", FlatsBlock.objects.get().pk)
    assert FlatsBlock.objects.get().status == 1
    assert len(runs.masters) == 4, "done parts are not done again"


# Calibrations by date


@pytest.mark.parametrize(
    ("max_days", "blocks", "chosen"),
    [
        (0, [(-5, 5), (-1, 1), (0, 9)], 1),  # the narrowest
        (0, [(-1, 1), (0, 2)], 1),  # as wide: the newest
        (0, [(0, 0), (-3, -2)], 0),
        (3, [(-4, -4), (2, 3), (-3, -3)], 1),  # none holds it: the nearest
    ],
)
def test_calibrations_are_matched_by_date(max_days, blocks, chosen):
    from marserver.reduction import plan

    rows = [bias_master(DAY + timedelta(days=first), DAY + timedelta(days=last)) for first, last in blocks]
    assert plan.bias_for(frame("a"), max_days) == rows[chosen]


def test_only_valid_processed_blocks_of_the_band_count():
    from mar.errors import MissingMaster
    from marserver.reduction import plan

    bias_master(status=0)
    bias_master(isvalid=False)
    bias_master(DAY + timedelta(days=2), DAY + timedelta(days=2))
    flat_master("G")
    raw = frame("a")
    with pytest.raises(MissingMaster, match=r"bias block for 2024-03-01: the nearest is .* 2 days away"):
        plan.bias_for(raw, 1)
    with pytest.raises(MissingMaster, match="R flat block for 2024-03-01: make and process"):
        plan.flat_for(raw, 99)


# Science


@pytest.fixture
def masters():
    """A bias and an R flat of the day."""
    return bias_master(), flat_master()


def science(count=3, band="R", fld="F1"):
    frames(count, "SCI", band, fld)
    return create("scibyfilter", band=band).values["id"]


def test_a_science_block_becomes_processed_frames_and_a_tile(runs, masters, root):
    block_id = science()
    job = process("scibyfilter", block_id, asked_by="alice")
    block = SciByFilter.objects.get(pk=block_id)
    tile = FinalTile.objects.get()
    assert (job.status, job.outcome) == (
        "done",
        f"scibyfilter {block_id} R: 3 frames done, 0 done before, 0 failed; 1 tiles made, 0 failed",
    )
    assert block.status == 1
    assert (block.processed.count(), list(block.finaltiles.all())) == (3, [tile])
    assert (tile.status, tile.flag, tile.file_path) == (1, -1, "TILES/F1/F1_R_swp.fits.fz")
    assert (tile.composed_by.count(), tile.ncombine, tile.zeropoint, tile.date) == (3, 3, 23.4, noon(hours=5))
    raw = IndividualFile.objects.get(file_name="sci-R-F1-0")
    assert (raw.status, raw.checksum, raw.failed_step) == (5, "11", "")
    assert raw.processed is not None
    assert (raw.processed.file_name, raw.processed.file_type, raw.processed.raw_sci) == (
        "proc_sci-R-F1-0",
        "PROCESSED",
        raw,
    )
    assert (raw.processed.file_path, raw.processed.noiserms) == ("PROCESSED/R/proc_sci-R-F1-0.fits.fz", None)
    sci = Sci.objects.get(sciraw=raw)
    assert raw.processed.sci == sci
    assert (sci.master_bias_used, sci.master_flat_used) == masters
    assert sci.swarp_out == ["TILES/F1/F1_R_swp.fits.fz", "TILES/F1/F1_R_swp.fits.fz"]


def test_one_bad_frame_does_not_stop_its_block(runs, masters):
    runs.bad = {"sci-R-F1-1": "no reference star in the field"}
    block_id = science()
    job = process("scibyfilter", block_id)
    bad = IndividualFile.objects.get(file_name="sci-R-F1-1")
    assert (job.status, job.result["done"], job.result["failed"]) == (
        "done", 2, {"sci-R-F1-1": "no reference star in the field"}
    )  # fmt: skip
    assert (bad.status, bad.failed_step, bad.error) == (3, "am", "no reference star in the field")
    assert runs.tile_calls[0][3] == ["proc_sci-R-F1-0.fits.fz", "proc_sci-R-F1-2.fits.fz"]
    assert SciByFilter.objects.get().status == 0, "a frame is still to be done"
    runs.bad, runs.science_calls = {}, []
    process("scibyfilter", block_id, only="failed")
    assert runs.science_calls == ["sci-R-F1-1"]
    bad.refresh_from_db()
    assert (bad.status, bad.failed_step, bad.error) == (5, "", "")
    assert SciByFilter.objects.get().status == 1


def test_a_frame_that_raises_fails_alone(runs, masters, monkeypatch):
    from mar import run

    def science_run(raw, *rest):
        if raw.stem.endswith("0"):
            raise ValueError("surprise")
        return runs.science(raw, *rest)

    monkeypatch.setattr(run, "science", science_run)
    job = process("scibyfilter", science())
    assert job.result["failed"] == {"sci-R-F1-0": "ValueError: surprise"}
    assert job.result["done"] == 2


def test_a_frame_without_masters_for_its_date_fails_with_words_and_the_rest_goes_on(runs, masters):
    frame("other-day", when=noon(hours=30))
    job = process("scibyfilter", science())
    late = IndividualFile.objects.get(file_name="other-day")
    assert (job.status, job.result["done"]) == ("done", 3)
    assert late.failed_step == "ov"
    assert "no valid, processed bias block for 2024-03-02" in late.error


def test_where_nothing_can_be_done_the_job_fails(runs):
    job = process("scibyfilter", science())
    assert job.status == "failed"
    assert "bias block for 2024-03-01" in job.error
    assert not runs.tile_calls


def test_frames_that_are_done_are_not_done_again(runs, masters):
    block_id = science()
    process("scibyfilter", block_id)
    runs.science_calls = []
    requests.setstatus("scibyfilter", block_id, 0)
    job = process("scibyfilter", block_id)
    assert (runs.science_calls, job.result["before"]) == ([], 3)
    requests.setsubstatus("scibyfilter", block_id, 2)
    requests.setstatus("scibyfilter", block_id, 0)
    process("scibyfilter", block_id)
    assert len(runs.science_calls) == 3
    assert IndividualFile.objects.filter(file_type="PROCESSED").count() == 3, "rows are reused"


def test_setsubstatus_reaches_raw_and_processed_frames_and_the_tile(runs, masters):
    process("scibyfilter", science())
    tile = FinalTile.objects.get()
    assert requests.setsubstatus("finaltiles", tile.pk, 1).values["count"] == 6
    assert set(IndividualFile.objects.values_list("status", flat=True)) == {1}
    tile.refresh_from_db()
    assert tile.status == 0


def test_a_code_without_coadd_makes_no_tile(runs, masters):
    job = process("scibyfilter", science(), code="ov mc")
    assert job.code == "ov mc"
    assert (len(runs.science_calls), runs.tile_calls) == (3, [])


def test_coadd_alone_reduces_no_frame(runs, masters):
    block_id = science()
    process("scibyfilter", block_id, code="ov sf mc am")
    assert SciByFilter.objects.get().status == 0
    runs.science_calls = []
    process("scibyfilter", block_id, code="co")
    assert (runs.science_calls, len(runs.tile_calls)) == ([], 1)
    assert SciByFilter.objects.get().status == 1


def test_the_masters_go_to_the_run(runs, masters):
    process("scibyfilter", science(1))
    given = runs.masters[0]
    assert given.bias.master.name == given.flat.master.name == "m.fits"
    assert given.fringe is None


def test_frames_that_keep_their_fringes_are_told(runs):
    bias_master()
    flat_master("Z")
    process("scibyfilter", science(2, "Z"))
    assert any("no superflat for 2 frames of Z" in line for line in log.lines(level="WARN"))


def test_a_fringed_band_takes_the_linked_superflat_first(runs, root):
    bias_master()
    flat_master("Z")
    for path in ("linked.fits", "by_date.fits"):
        Superflat.objects.create(
            band="Z", block_start_date=DAY, block_end_date=DAY, status=1, super_flat_path=path
        )
    block_id = science(1, "Z")
    linked = Superflat.objects.get(super_flat_path="linked.fits")
    assert requests.setsuperflat("scibyfilter", block_id, linked.pk).values["count"] == 1
    process("scibyfilter", block_id)
    assert runs.masters[0].fringe == root.resolve() / "linked.fits"
    assert IndividualFile.objects.get(file_type="PROCESSED").superflat == linked
    with pytest.raises(Invalid, match="is of Z"):
        requests.setsuperflat_tile("F1", "R", linked.pk)


def test_all_tiles_of_a_field_have_one_centre(runs):
    bias_master()
    for band in ("U", "R"):
        flat_master(band)
        frames(2, "SCI", band)
    IndividualFile.objects.filter(band="R").update(crval1=12.0, crval2=-31.0)
    job = process("sciblock", create("sciblock").values["id"])
    assert job.status == "done"
    assert [(band, centre) for _, band, centre, _ in runs.tile_calls] == [
        ("U", (10.0, -30.0)),
        ("R", (10.0, -30.0)),
    ]
    assert SciBlock.objects.get().status == 1


def test_a_field_across_zero_hours_is_centred_there():
    from marserver.reduction.tasks.images import middle

    for name, ra in (("a", 359.9), ("b", 0.1), ("c", 0.2)):
        frame(name, crval1=ra, crval2=-30.0)
    assert middle("F1", "R") == pytest.approx((0.1, -30.0))


def test_the_twelfth_tile_of_a_field_queues_its_colour_image(runs, masters, root):
    for band in BANDS:
        if band != "R":
            FinalTile.objects.create(field="F1", band=band, status=1, file_path=f"TILES/F1/{band}.fits")
    process("scibyfilter", science())
    jobs = work()
    assert [job.function for job in jobs] == ["process_scibyfilter", "process_fieldimage"]
    assert jobs[-1].status == "done"
    image = FieldImage.objects.get()
    assert (image.field, image.file_path, len(image.inputs)) == ("F1", "TILES/F1/F1.png", 12)
    assert (root / image.file_path).exists()


def test_how_the_bands_lie_to_each_other_is_kept_once(runs, masters):
    FinalTile.objects.create(field="F1", band="R", status=1, file_path="t.fits")
    for _ in range(2):
        requests.process_fieldimage(field="F1", partial=True)
        assert work()[-1].status == "done"
    rows = BandPair.objects.order_by("first_band").values_list(
        "field", "first_band", "second_band", "east_mas", "north_mas", "rms_mas", "error_mas", "stars"
    )
    assert list(rows) == [
        ("F1", "G", "R", 1.5, -2.0, 20.0, 1.2, 400),
        ("F1", "U", "Z", None, None, None, None, 3),
    ]


def test_a_colour_image_needs_its_bands(runs):
    FinalTile.objects.create(field="F1", band="R", status=1, file_path="t.fits")
    with pytest.raises(Conflict, match=r"no tile of U, F378.*partial: true"):
        requests.process_fieldimage(field="F1")
    with pytest.raises(NotFound):
        requests.process_fieldimage(field="F2")
    requests.process_fieldimage(field="F1", partial=True)
    assert work()[-1].status == "done"


def test_a_tile_is_processed_by_field_and_band(runs, masters):
    frames(2)
    requests.process_tile(field="F1", band="R")
    assert work()[-1].status == "done"
    tile = FinalTile.objects.get()
    runs.science_calls = []
    requests.process_tile(tile_id=tile.pk, status=3)
    assert IndividualFile.objects.filter(status=3).count() == 4
    work()
    assert (len(runs.science_calls), len(runs.tile_calls)) == (2, 2)
    with pytest.raises(NotFound, match="no valid science frame of F9 R; there are frames of F1"):
        requests.process_tile(field="F9", band="R")


def test_a_field_is_processed_in_all_its_bands(runs):
    bias_master()
    for band in ("R", "G"):
        flat_master(band)
        frames(1, "SCI", band)
    requests.process_field("F1")
    assert work()[-1].result["tiles"] == 2
    assert {(tile.field, tile.band) for tile in FinalTile.objects.all()} == {("F1", "R"), ("F1", "G")}


def test_the_same_block_is_not_queued_twice(runs, masters):
    block_id = science()
    requests.process("scibyfilter", block_id)
    with pytest.raises(Conflict, match="already queued"):
        requests.process("scibyfilter", block_id)


def test_cancel_between_frames_keeps_the_finished_ones(runs, masters, monkeypatch):
    from mar import run

    def science_run(raw, *rest):
        if len(runs.science_calls) == 1:
            worker.work.stop = Stop.CANCELLED
        return runs.science(raw, *rest)

    from marserver.jobs.work import Stop

    monkeypatch.setattr(run, "science", science_run)
    requests.process("scibyfilter", science(4))
    worker = Worker(TASKS)
    worker.run_one()
    assert Job.objects.get().status == "cancelled"
    assert IndividualFile.objects.filter(file_type="SCI", status=5).count() == 2
    assert not FinalTile.objects.exists()


def test_a_superflat_is_built_from_the_fields_of_the_configuration(runs):
    for field in ("SPLUS-1", "SPLUS-GAL-1", "other"):
        frame(f"proc_{field}", "PROCESSED", "Z", field, status=3)
    outcome = requests.create_superflat(DAY, DAY, "Z", asked_by="alice")
    assert work()[-1].status == "done"
    fringe = Superflat.objects.get(pk=outcome.values["id"])
    assert (fringe.status, fringe.files) == (1, ["RAW/proc_SPLUS-1.fits"])
    with pytest.raises(NotFound):
        requests.create_superflat(DAY, DAY, "R")
    assert Superflat.objects.count() == 1


# What the queue shows


def test_the_queue_shows_scalars(runs, masters):
    block_id = science()
    requests.process("scibyfilter", block_id, code="co am", asked_by="alice")
    row = requests.get_queue()[0]
    assert list(row) == ["id", "function", "block", "code", "user", "priority", "queued_at", "not_before"]
    assert (row["function"], row["block"], row["code"], row["user"]) == (
        "process_scibyfilter", str(block_id), "am co", "alice"
    )  # fmt: skip
    assert requests.get_process() == ("Available", [])


def test_the_process_tells_how_far_it_is(runs, masters):
    requests.process("scibyfilter", science())
    job = queue.claim("w")
    queue.note(job, "frames", 1, 4, "R")
    words, operations = requests.get_process()
    assert words == f"process_scibyfilter {job.block} R: frames 1 of 4"
    assert (operations[0]["done"], operations[0]["total"], operations[0]["band"]) == (1, 4, "R")
    assert operations[0]["remaining"] == pytest.approx(3 * operations[0]["elapsed"], abs=0.3)
    assert requests.get_queue() == []


def test_finished_operations_tell_what_became_of_them(runs, masters, root):
    process("scibyfilter", science(), code="ov", asked_by="alice")
    row = requests.get_operations(1)[0]
    assert row["operation"].startswith("process_scibyfilter")
    assert row["operation"].endswith(" ov")
    assert (row["user"], row["error"]) == ("alice", "")
    assert "3 frames done" in row["outcome"]
    assert "frames done" in (root / row["logPath"]).read_text().splitlines()[-1]
    assert row["endDate"].endswith("Z")


def test_the_survey_is_counted(runs, masters):
    process("scibyfilter", science())
    numbers, progress = requests.get_operation()
    assert numbers == {
        "Final Tiles Count": 1,
        "Fields With Coaddeds": 1,
        "Done Processed Images": 3,
        "Field with 12 filters": 0,
    }
    assert progress["raw"]["bands"] == {"R": 3}
    for band in BANDS:
        FinalTile.objects.get_or_create(field="F1", band=band, defaults={"status": 1})
    assert requests.get_operation()[0]["Field with 12 filters"] == 1


def test_the_configuration_in_force_comes_with_its_schema(root):
    told = requests.get_conf()
    assert told["msg"]["Fringe"]["FILTERS"] == ["Z"]
    assert told["schema"]["config"]["MAX_DAYS"]["unit"] == "day"
    (root / "CONFIG").mkdir()
    (root / "CONFIG/mar.toml").write_text("[config]\nMAX_DAYS = 7\n")
    assert requests.get_conf()["msg"]["config"]["MAX_DAYS"] == 7
