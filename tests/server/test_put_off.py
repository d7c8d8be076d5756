"""What may go well later is tried again after a while, a limited number of times; the rest is not."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from nights import Runs, bias_master, flat_master, frames, work

from mar import run
from mar.errors import NoReference, ReferenceUnreachable
from mar.run.products import ScienceProducts
from marserver.errors import Conflict
from marserver.jobs import queue, steering
from marserver.jobs.models import Job, LogLine, Status
from marserver.jobs.queue import Order
from marserver.jobs.work import Report
from marserver.jobs.worker import Worker
from marserver.reduction import requests

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_site")]
SILENT = "the catalogue does not answer: no route to host; try again later"


def run_one(task, worker="count"):
    return Worker({worker: task}).run_one()


def ordered(block="1"):
    return queue.enqueue(Order("count", "biasblock", block))


def unreachable(work):
    raise ReferenceUnreachable(SILENT)


def its_time_has_come():
    Job.objects.update(not_before=now() - timedelta(seconds=1))


def test_it_waits_and_says_until_when():
    job = ordered()
    assert run_one(unreachable)
    job.refresh_from_db()
    wait = job.not_before - now()
    assert timedelta(minutes=9) < wait <= timedelta(minutes=10)
    assert (job.status, job.retries, job.attempts, job.error) == (Status.TODO, 1, 0, SILENT)
    line = LogLine.objects.get(job=job, level="WARN").text
    assert line.startswith(f"count 1 is put off: {SILENT}; try 1 of 3 not before 2")
    assert not run_one(unreachable), "its time has not come"
    assert requests.get_queue()[0]["not_before"] == f"{job.not_before.isoformat()[:-6]}Z"
    with pytest.raises(Conflict, match="already queued"):
        ordered()


def test_others_go_before_it_and_an_operator_may_take_it_out():
    job = ordered()
    run_one(unreachable)
    ordered("2")
    assert run_one(lambda work: Report("done"))
    assert Job.objects.get(block="2").status == Status.DONE
    steering.remove(job.pk)
    assert Job.objects.get(block="1").status == Status.CANCELLED


def test_it_ends_well_where_the_next_try_does():
    job = ordered()
    run_one(unreachable)
    its_time_has_come()
    assert run_one(lambda work: Report("found", {"done": 1}))
    job.refresh_from_db()
    assert (job.status, job.outcome, job.error) == (Status.DONE, "found", "")


def test_it_is_given_up_after_the_last_try(settings):
    settings.MAR_RETRIES, settings.MAR_RETRY_S = 2, 60
    job = ordered()
    waits = []
    for _ in range(2):
        assert run_one(unreachable)
        job.refresh_from_db()
        waits.append(round((job.not_before - now()).total_seconds() / 60))
        its_time_has_come()
    assert waits == [1, 2]
    assert run_one(unreachable)
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.FAILED, SILENT)
    assert not run_one(unreachable)


def test_no_stars_there_is_another_error_and_not_tried_again():
    job = ordered()

    def task(work):
        raise NoReference("no reference star within 1 deg")

    assert run_one(task)
    job.refresh_from_db()
    assert (job.status, job.retries) == (Status.FAILED, 0)


# Frames of a block


@pytest.fixture
def runs(monkeypatch):
    """The library's runs, played; frames in `far` do not reach the catalogue."""
    bias_master()
    flat_master()
    played = Runs().put_into(monkeypatch)
    far = set()

    def science(raw, *rest):
        if raw.stem not in far:
            return played.science(raw, *rest)
        played.science_calls.append(raw.stem)
        return ScienceProducts(3, failed_step="am", error=SILENT, later=True)

    monkeypatch.setattr(run, "science", science)
    played.far = far
    return played


def test_only_the_frames_that_did_not_reach_the_catalogue_are_done_again(runs):
    frames(3)
    runs.far.add("sci-R-F1-1")
    requests.process_field("F1")
    job = work()[-1]
    assert (job.status, job.error) == (Status.TODO, SILENT)
    assert len(runs.tile_calls[0][3]) == 2, "a tile of what there is"
    runs.far.clear()
    runs.science_calls.clear()
    its_time_has_come()
    job = work()[-1]
    assert runs.science_calls == ["sci-R-F1-1"]
    assert (job.status, job.error, job.result["failed"]) == (Status.DONE, "", {})
    assert len(runs.tile_calls[-1][3]) == 3


def test_a_bad_frame_beside_them_is_not_a_reason_to_wait(runs):
    frames(2)
    runs.bad = {"sci-R-F1-1": "no reference star in the field"}
    requests.process_field("F1")
    job = work()[-1]
    assert (job.status, job.retries) == (Status.DONE, 0)
    assert job.result["failed"] == {"sci-R-F1-1": "no reference star in the field"}
