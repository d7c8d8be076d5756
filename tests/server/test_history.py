"""Every change of the contract is written down: who asked, for what, before and after."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now
from nights import DAY, Runs, bias_master, flat_master, frame, frames, noon

from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FlatsBlock,
    IndividualFile,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.audit.models import Change
from marserver.jobs import log, queue
from marserver.jobs.models import Job, Level
from marserver.jobs.queue import Order
from marserver.jobs.worker import Worker
from marserver.reduction import requests
from marserver.reduction.tasks import TASKS

pytestmark = pytest.mark.django_db
DAYS = {"startDate": "2024-03-01", "endDate": "2024-03-02"}


@pytest.fixture(autouse=True)
def _small_site(root, settings):
    settings.MAR_CAMERA = "t80cam-mini"
    settings.MAR_ENGINE = "inline"


def noted(**conditions):
    """(user, action, kind, target, before, after) of the changes, oldest first."""
    rows = Change.objects.filter(**conditions).order_by("id")
    return [(row.user, row.action, row.kind, row.target, row.before, row.after) for row in rows]


ROWS = {
    "individualfile": lambda: frame("a"),
    "finaltiles": lambda: FinalTile.objects.create(field="F1", band="R", date=noon()),
    "biasblock": lambda: bias_master(status=0),
    "flatbyfilter": lambda: flat_master(status=0),
    "flatblock": lambda: FlatsBlock.objects.create(block_start_date=DAY, block_end_date=DAY),
    "scibyfilter": lambda: SciByFilter.objects.create(block_start_date=DAY, block_end_date=DAY, band="R"),
    "sciblock": lambda: SciBlock.objects.create(block_start_date=DAY, block_end_date=DAY),
    "superflat": lambda: Superflat.objects.create(block_start_date=DAY, block_end_date=DAY, band="Z"),
    "fieldimage": lambda: FieldImage.objects.create(field="F1"),
}
WITH_STATUS = [name for name in ROWS if name not in ("superflat", "fieldimage")]


@pytest.mark.parametrize("kind", ROWS)
def test_validate_and_comment_of_every_kind(call, kind):
    row = ROWS[kind]()
    true, false = (1, 0) if kind == "individualfile" else (True, False)
    for flipped in (false, true):
        assert call(kind, type="validate", id=row.pk)["isvalid"] is flipped
    assert call(kind, type="setcomment", id=row.pk, comment="moon")["comments"] == "moon"
    assert call(kind, type="setcomment", id=row.pk, comment="moon")["status"] is True
    assert call(kind, type="setcomment", id=row.pk, comment="")["comments"] == ""
    history = call(kind, type="history", id=row.pk)["msg"]
    assert [(one["user"], one["action"], one["before"], one["after"]) for one in history] == [
        ("alice", "setcomment", {"comments": "moon"}, {"comments": ""}),
        ("alice", "setcomment", {"comments": ""}, {"comments": "moon"}),
        ("alice", "validate", {"isvalid": False}, {"isvalid": True}),
        ("alice", "validate", {"isvalid": True}, {"isvalid": False}),
    ]
    for body in ({"type": "validate"}, {"type": "setcomment", "comment": "x"}, {"type": "history"}):
        assert call(kind, id=4711, **body)["msg"] == f"no {kind} 4711"
        assert call.status == 404


@pytest.mark.parametrize("kind", WITH_STATUS)
def test_setstatus_of_every_kind(call, kind):
    row = ROWS[kind]()
    for _ in range(2):
        answer = call(kind, type="setstatus", id=row.pk, status=1)
        assert (answer["status"], answer["newstatus"], answer["count"]) == (True, 1, 1)
    assert noted() == [("alice", "setstatus", kind, str(row.pk), {"status": 0}, {"status": 1})]
    assert "status" in call(kind, type="setstatus", id=row.pk, status=6)["msg"]
    assert call.status == 400


def test_the_new_value_stands_beside_the_sentence(call):
    tile = ROWS["finaltiles"]()
    answer = call("finaltiles", type="setflag", id=tile.pk, flag=2)
    assert (answer["status"], answer["flag"]) == (True, 2)
    assert noted() == [("alice", "setflag", "finaltiles", str(tile.pk), {"flag": -1}, {"flag": 2})]
    image = ROWS["fieldimage"]()
    assert call("fieldimages", type="setflag", id=image.pk, flag=-1)["flag"] == -1
    assert not Change.objects.filter(kind="fieldimage").exists(), "it was -1 before"


def test_setstatus_of_many_tiles_notes_each(call):
    for field, flag, status in (("F1", 3, 1), ("F2", 3, 0), ("F3", 0, 1), ("G1", 3, 1), ("F4", -1, 1)):
        FinalTile.objects.create(field=field, band="R", date=noon(), flag=flag, status=status)
    some = {"type": "setstatus", **DAYS, "contains": "F"}
    assert call("finaltiles", **some, flag=2, status=0)["count"] == 2
    tile = FinalTile.objects.get(field="F1")
    assert noted() == [("alice", "setstatus", "finaltiles", str(tile.pk), {"status": 1}, {"status": 0})]
    assert call("finaltiles", **some, flag=-1, status=0)["count"] == 1
    assert FinalTile.objects.get(field="F4").status == 0


def block_of_frames():
    """A science block of one part with two frames, one of them processed."""
    raw, other = frames(2)
    processed = frame("proc_a", "PROCESSED", status=5, raw_sci=raw)
    IndividualFile.objects.filter(pk=raw.pk).update(processed=processed, status=5)
    part = ROWS["scibyfilter"]()
    part.status = 1
    part.save()
    part.scies.set([raw, other])
    whole = ROWS["sciblock"]()
    whole.sci_by_filter.add(part)
    return whole, part, raw, other, processed


def test_setsubstatus_notes_each_frame_that_changes_its_parts_and_the_block(call):
    whole, part, raw, other, processed = block_of_frames()
    assert call("sciblock", type="setsubstatus", id=whole.pk, status=0)["count"] == 3
    said = ("alice", "setsubstatus")
    assert sorted(noted(), key=str) == sorted(
        [
            (*said, "scibyfilter", str(part.pk), {"status": 1}, {"status": 0}),
            (*said, "individualfile", str(raw.pk), {"status": 5}, {"status": 0}),
            (*said, "individualfile", str(processed.pk), {"status": 5}, {"status": 0}),
            (*said, "sciblock", str(whole.pk), {}, {"substatus": 0, "frames": 2}),
        ],
        key=str,
    )
    other.refresh_from_db()
    assert other.status == 0
    Change.objects.all().delete() if connection.vendor == "sqlite" else None
    before = Change.objects.count()
    assert call("sciblock", type="setsubstatus", id=whole.pk, status=0)["count"] == 3
    assert Change.objects.count() == before


def test_setsubstatus_of_a_flatblock_acts_on_its_parts(call):
    frames(2, "FLAT", "R", "")
    block = call("flatblock", type="create", **DAYS)["id"]
    for status in (1, 0):
        assert call("flatblock", type="setsubstatus", id=block, status=status)["count"] == 2
        assert FlatByFilter.objects.get().status == status
        assert set(IndividualFile.objects.values_list("status", flat=True)) == {status}
    assert call("flatblock", type="validate", id=block)["isvalid"] is False
    assert not FlatByFilter.objects.get().isvalid
    part = FlatByFilter.objects.get()
    assert [one["action"] for one in call("flatbyfilter", type="history", id=part.pk)["msg"]] == [
        "validate", "setsubstatus", "setsubstatus", "create"
    ]  # fmt: skip


def test_setsuperflat_notes_each_frame(call):
    whole, part, raw, other, processed = block_of_frames()
    IndividualFile.objects.update(band="Z")
    SciByFilter.objects.update(band="Z")
    fringe, red = (
        ROWS["superflat"](),
        Superflat.objects.create(block_start_date=DAY, block_end_date=DAY, band="R"),
    )
    ids = {raw.pk, other.pk, processed.pk}
    for kind, row in (("sciblock", whole), ("scibyfilter", part)):
        answer = call(kind, type="setsuperflat", id=row.pk, superflatid=fringe.pk)
        assert (answer["count"], answer["superflatid"]) == (3, fringe.pk)
    frames_noted = noted(kind="individualfile")
    assert {int(one[3]) for one in frames_noted} == ids
    assert {str(one[4:]) for one in frames_noted} == {
        str(({"superflat_id": None}, {"superflat_id": fringe.pk}))
    }
    assert [one[2] for one in noted() if one[2] != "individualfile"] == ["sciblock"]
    for kind, key in (("sciblock", {"id": whole.pk}), ("scibyfilter", {"id": part.pk})):
        assert call(kind, type="setsuperflat", superflatid=red.pk, **key)["status"] is False
        assert call.status == 400
    tile = {"type": "setsuperflat", "field": "F1", "band": "Z"}
    assert call("finaltiles", **tile, superflatid=red.pk)["status"] is False
    assert call.status == 400
    assert call("finaltiles", **tile, superflatid=99)["msg"] == "no superflat 99"
    assert call.status == 404
    assert call("finaltiles", **tile, superflatid=-1)["count"] == 3
    assert not IndividualFile.objects.exclude(superflat=None).exists()


def test_create_add_remove_and_delete(call):
    for band in ("R", "G"):
        frames(1, "FLAT", band, "")
    made = call("flatblock", type="create", **DAYS)
    red, green = FlatByFilter.objects.get(band="R"), FlatByFilter.objects.get(band="G")
    assert [(one[2], one[3]) for one in noted(action="create")] == [
        ("flatblock", str(made["id"])), *(("flatbyfilter", str(key)) for key in sorted([red.pk, green.pk]))
    ]  # fmt: skip
    after = noted(kind="flatblock")[0][5]
    assert (after["blockStartDate"], sorted(after["parts"])) == ("2024-03-01", sorted([red.pk, green.pk]))
    for kind, block, objid in (
        ("flatblock", made["id"], green.pk),
        ("flatbyfilter", red.pk, red.flats.get().pk),
    ):
        assert call(kind, type="remove", id=block, objid=objid)["objid"] == objid
        assert call(kind, type="remove", id=block, objid=objid)["status"] is False
        assert call.status == 404
        for _ in range(2):
            assert call(kind, type="add", id=block, objid=objid)["status"] is True
        assert [one[1:2] + one[4:] for one in noted(kind=kind, target=str(block))][1:] == [
            ("remove", {"objid": objid}, {}), ("add", {}, {"objid": objid})
        ]  # fmt: skip
    for wrong in (frame("b", "BIAS"), frame("g", "FLAT", "G"), frame("s")):
        assert call("flatbyfilter", type="add", id=red.pk, objid=wrong.pk)["status"] is False
        assert call.status == 409
    assert call("flatblock", type="delete", id=made["id"])["status"] is True
    assert call("flatblock", type="get", id=made["id"])["status"] is False
    assert call.status == 404
    deleted = call("flatblock", type="history", id=made["id"])["msg"][0]
    assert (deleted["action"], deleted["user"], deleted["after"]) == ("delete", "alice", {})
    assert (deleted["before"]["id"], deleted["before"]["blockEndDate"]) == (made["id"], "2024-03-02")
    assert call("flatbyfilter", type="history", id=red.pk)["msg"][0]["action"] == "delete"


def test_a_block_with_work_or_products_is_not_deleted(call):
    frames(1, "BIAS")
    block = call("biasblock", type="create", **DAYS)["id"]
    job = call("biasblock", type="process", id=block)["job"]
    assert f"operation {job}" in call("biasblock", type="delete", id=block)["msg"]
    assert call.status == 409
    call("removeQueue", id=job)
    assert call("biasblock", type="delete", id=block)["status"] is True
    assert call("biasblock", type="delete", id=bias_master().pk)["status"] is False
    assert call.status == 409


def test_a_part_of_another_block_outlives_its_block(call):
    frames(1, "SCI")
    first, second = (call("sciblock", type="create", **DAYS)["id"] for _ in range(2))
    shared = SciBlock.objects.get(pk=first).sci_by_filter.get()
    call("sciblock", type="add", id=second, objid=shared.pk)
    assert call("sciblock", type="delete", id=first)["status"] is True
    assert SciBlock.objects.get(pk=second).sci_by_filter.filter(pk=shared.pk).exists()


def test_everything_that_queues_notes_its_operation(call, root):
    (root / "raw").mkdir()
    frames(2, "BIAS")
    frame("proc_z", "PROCESSED", "Z", status=5)
    block = call("biasblock", type="create", **DAYS)["id"]
    asked = {
        "biasblock": call("biasblock", type="process", id=block),
        "superflat": call("superflat", type="create", **DAYS, band="Z"),
        "folder": call("scan_folder", path="raw"),
    }
    for kind, answer in asked.items():
        jobs = [change.after.get("job") for change in Change.objects.filter(user="alice")]
        assert (
            answer["job"] in jobs
            or Change.objects.filter(kind="operation", target=str(answer["job"])).exists()
        ), kind
    assert asked["superflat"]["count"] == 1


def test_steering_the_queue_is_noted(call, call_as, carol):
    jobs = [queue.enqueue(Order("scan_folder", "folder", name, params={"path": "."})) for name in "abc"]
    call("setpriority", id=jobs[0].pk, priority=3)
    call("setpriority", id=jobs[0].pk, priority=3)
    call("removeQueue", id=jobs[1].pk)
    queue.claim("w")
    assert call("cancel", id=jobs[0].pk)["msg"].endswith("will stop")
    again = call("requeue", id=jobs[1].pk)["job"]
    for _ in range(2):
        call("pause")
    call("resume")
    log.write(Level.INFO, "line")
    call("clear_logs")
    call("clear_logs")
    call_as(carol)("reset_thread")
    assert [one[:4] for one in noted()] == [
        ("alice", "setpriority", "operation", str(jobs[0].pk)),
        ("alice", "removeQueue", "operation", str(jobs[1].pk)),
        ("alice", "cancel", "operation", str(jobs[0].pk)),
        ("alice", "requeue", "operation", str(jobs[1].pk)),
        ("alice", "pause", "queue", "queue"),
        ("alice", "resume", "queue", "queue"),
        ("alice", "clear_logs", "log", "live"),
        ("carol", "reset_thread", "queue", "queue"),
        ("carol", "reset_thread", "operation", str(jobs[0].pk)),
    ]
    assert noted(action="requeue")[0][5] == {"job": again}
    assert noted(action="cancel")[0][4:] == ({}, {"cancel": True})
    assert noted(action="removeQueue")[0][4:] == ({"status": "todo"}, {"status": "cancelled"})
    assert noted(action="setpriority")[0][4:] == ({"priority": 0}, {"priority": 3})


def test_what_workers_record_is_noted_with_user_function_and_operation(monkeypatch):
    runs = Runs().put_into(monkeypatch)
    runs.bad = {"sci-R-F1-1": "no star"}
    bias_master()
    flat_master()
    frames(2)
    block = requests.create("scibyfilter", DAY, DAY, band="R").values["id"]
    requests.process("scibyfilter", block, asked_by="alice")
    Worker(TASKS).run_one()
    job = Job.objects.get()
    by = ("alice", "process_scibyfilter")
    good = IndividualFile.objects.get(file_name="sci-R-F1-0")
    bad = IndividualFile.objects.get(file_name="sci-R-F1-1")
    tile = FinalTile.objects.get()
    assert noted(kind="individualfile", target=str(good.pk)) == [
        (*by, "individualfile", str(good.pk), {"status": 0}, {"status": 5, "job": job.pk})
    ]
    assert noted(kind="individualfile", target=str(bad.pk))[0][5] == {
        "status": 3, "failed_step": "am", "error": "no star", "job": job.pk
    }  # fmt: skip
    assert noted(kind="finaltiles", target=str(tile.pk)) == [
        (*by, "finaltiles", str(tile.pk), {}, {"status": 1, "flag": -1, "job": job.pk})
    ]
    runs.bad = {}
    requests.process("scibyfilter", block, asked_by="carol")
    Worker(TASKS).run_one()
    last = noted(kind="scibyfilter", target=str(block))[-1]
    assert last == (
        "carol",
        *by[1:],
        "scibyfilter",
        str(block),
        {"status": 0},
        {"status": 1, "job": job.pk + 1},
    )


def test_a_master_is_noted(monkeypatch):
    Runs().put_into(monkeypatch)
    frames(2, "BIAS")
    block = requests.create("biasblock", DAY, DAY).values["id"]
    requests.process("biasblock", block, asked_by="alice")
    Worker(TASKS).run_one()
    job = Job.objects.get()
    last = noted(kind="biasblock", target=str(block))[-1]
    assert last[:2] == ("alice", "process_biasblock")
    assert (last[4]["status"], last[5]) == (0, {"status": 1, "job": job.pk})
    assert BiasBlock.objects.get().status == 1


def test_a_change_that_is_refused_leaves_nothing(call):
    block = bias_master()
    call("biasblock", type="setcomment", id=block.pk, comment="x" * 301)
    call("biasblock", type="delete", id=block.pk)
    call("biasblock", type="add", id=block.pk, objid=frame("a").pk)
    call("superflat", type="create", **DAYS, band="Z")
    assert not Change.objects.exists()


def test_the_whole_audit_is_for_administrators(call, call_as, carol):
    tile = ROWS["finaltiles"]()
    call("finaltiles", type="setflag", id=tile.pk, flag=2)
    call_as(carol)("finaltiles", type="validate", id=tile.pk)
    assert call("get_changes")["status"] is False
    assert call.status == 403
    ask = call_as(carol)
    everything = ask("get_changes")["msg"]
    assert [(one["user"], one["action"], one["kind"], one["target"]) for one in everything] == [
        ("carol", "validate", "finaltiles", str(tile.pk)), ("alice", "setflag", "finaltiles", str(tile.pk))
    ]  # fmt: skip
    assert ask("get_changes", user="alice")["msg"] == everything[1:]
    assert ask("get_changes", kind="user")["msg"] == []
    assert ask("get_changes", limit=1)["msg"] == everything[:1]
    assert ask("get_changes", since=(now() + timedelta(hours=1)).isoformat())["msg"] == []


def test_viewers_see_the_history(call_as, bob):
    tile = ROWS["finaltiles"]()
    assert call_as(bob)("finaltiles", type="history", id=tile.pk) == {"status": True, "msg": []}


def test_many_frames_take_few_queries(call, django_assert_max_num_queries):
    part = ROWS["scibyfilter"]()
    row = {"file_type": "SCI", "band": "R", "obs_date": noon(), "night": DAY, "status": 5}
    IndividualFile.objects.bulk_create(
        IndividualFile(file_name=f"f{number}", file_path=f"f{number}", **row) for number in range(1200)
    )
    part.scies.set(IndividualFile.objects.all())
    with django_assert_max_num_queries(50):
        assert requests.setsubstatus("scibyfilter", part.pk, 0, asked_by="alice").values["count"] == 1200
    assert Change.objects.filter(kind="individualfile").count() == 1200


@pytest.mark.django_db(transaction=True)
def test_flips_at_the_same_time_are_all_made():
    block, start = bias_master(), threading.Barrier(4)

    def flip():
        start.wait()
        for _ in range(5):
            requests.validate("biasblock", block.pk, asked_by="alice")
        connection.close()

    threads = [threading.Thread(target=flip) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    block.refresh_from_db()
    assert block.isvalid
    seen = [after["isvalid"] for *_, after in noted(action="validate")]
    assert seen == [False, True] * 10
