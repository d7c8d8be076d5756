"""The worker: claims, runs, records; stops when asked; loses nothing when killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.utils.timezone import now
from live import in_background, wait_until

from mar.errors import NotEnoughFrames
from marserver.jobs import leases, log, queue, steering
from marserver.jobs.models import Job, Level, LogLine, Status
from marserver.jobs.names import is_alive, own_name
from marserver.jobs.queue import Order
from marserver.jobs.work import Report
from marserver.jobs.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def ordered(function="count", block="1"):
    return queue.enqueue(Order(function, "biasblock", block))


def run_one(task, name="count"):
    assert Worker({name: task}).run_one()
    return Job.objects.order_by("-id").first()


def lines(job):
    return [(line.level, line.text) for line in LogLine.objects.filter(job=job).order_by("id")]


def test_it_works(root):
    ordered()
    job = run_one(lambda work: Report("counted to 3", {"done": 3}))
    assert (job.status, job.outcome, job.result, job.error) == (Status.DONE, "counted to 3", {"done": 3}, "")
    assert job.ended_at >= job.started_at >= job.queued_at
    assert job.lease_until is None


def test_there_is_nothing_to_do():
    assert not Worker({}).run_one()


def test_the_log_of_an_operation_is_kept_as_plain_text_oldest_first(root):
    ordered()

    def task(work):
        work.info("one\ntwo")
        work.warn("three")
        return Report("done")

    job = run_one(task)
    text = (root / job.log_path).read_text().splitlines()
    assert job.log_path.startswith("LOGS/")
    assert [line.split(" ", 2)[1:] for line in text][1:3] == [["INFO", "one two"], ["WARN", "three"]]
    assert text[-1].endswith("count 1: done")
    assert any(" TIME count 1: " in line for line in text)
    assert text[0] < text[-1]
    assert text[0][:20].endswith("Z")


def test_the_librarys_own_log_is_followed(root):
    import logging

    ordered()

    def task(work):
        logging.getLogger("mar.steps").warning("only %d stars", 3)
        return Report("done")

    assert (Level.WARN, "only 3 stars") in lines(run_one(task))


def test_progress_is_seen_while_it_runs(root):
    ordered()
    seen = []

    def task(work):
        work.band = "R"
        work.progress("combine", 3, 11)
        seen.append(Job.objects.values_list("step", "step_band", "done", "total").get())
        return Report("done")

    run_one(task)
    assert seen == [("combine", "R", 3, 11)]


def test_a_named_error_is_the_operators_sentence(root):
    ordered()

    def task(work):
        raise NotEnoughFrames("2 frames, 3 needed")

    job = run_one(task)
    assert (job.status, job.error) == (Status.FAILED, "2 frames, 3 needed")
    assert (Level.CRITICAL, "count 1: 2 frames, 3 needed") in lines(job)


def test_an_unforeseen_error_fails_its_job_and_not_the_worker(root):
    ordered()
    ordered(block="2")

    def task(work):
        return Report(str(1 / (int(work.job.block) - 1)))

    worker = Worker({"count": task})
    assert worker.run_one()
    assert worker.run_one()
    first, second = Job.objects.order_by("id")
    assert (first.status, first.error) == (Status.FAILED, "ZeroDivisionError: division by zero")
    assert any("Traceback" in text for _, text in lines(first))
    assert second.status == Status.DONE


def test_a_report_with_an_error_is_a_failed_job(root):
    ordered()
    job = run_one(lambda work: Report("0 done, 2 failed", error="a: no stars"))
    assert (job.status, job.outcome, job.error) == (Status.FAILED, "0 done, 2 failed", "a: no stars")


def test_an_unknown_function_fails_with_words(root):
    ordered("from_the_future")
    job = run_one(lambda work: Report(""))
    assert job.status == Status.FAILED
    assert "from_the_future" in job.error


def until_stopped(work):
    """A task that goes on until it is asked to stop."""
    for number in range(200):
        work.progress("wait", number, 200)
        time.sleep(0.05)
    return Report("was never stopped")


def test_cancel_stops_a_running_job(root):
    job = ordered()
    thread = in_background(Worker({"count": until_stopped}).run_one)
    wait_until(lambda: Job.objects.get().status == Status.DOING)
    steering.cancel(job.pk)
    thread.join()
    job.refresh_from_db()
    assert (job.status, job.outcome) == (Status.CANCELLED, "cancelled")
    assert (root / job.log_path).exists()


def test_a_worker_that_leaves_hands_its_job_back(root):
    ordered()
    worker = Worker({"count": until_stopped})
    thread = in_background(worker.run)
    wait_until(lambda: Job.objects.get().status == Status.DOING)
    worker.leave()
    thread.join()
    job = Job.objects.get()
    assert (job.status, job.attempts, job.worker) == (Status.TODO, 0, "")


def test_a_worker_that_lost_its_lease_stops_and_records_nothing(root, settings):
    settings.MAR_LEASE_S = 0.6
    ordered()
    thread = in_background(Worker({"count": until_stopped}).run_one)
    wait_until(lambda: Job.objects.get().status == Status.DOING)
    Job.objects.update(worker="another", attempts=2, lease_until=now() + leases.lease() * 100)
    thread.join()
    job = Job.objects.get()
    assert (job.status, job.worker, job.outcome) == (Status.DOING, "another", "")


def test_the_lease_is_renewed_while_a_job_runs(root, settings):
    settings.MAR_LEASE_S = 0.9
    ordered()

    def task(work):
        time.sleep(1.6)
        return Report(f"recovered {leases.recover()}")

    assert run_one(task).outcome == "recovered 0"


def test_a_worker_knows_its_dead_neighbours():
    own = own_name()
    assert is_alive(own, own)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    host, space, pid, born = own.rsplit(":", 3)
    assert not is_alive(f"{host}:{space}:{process.pid}:{born}", own)
    assert not is_alive(f"{host}:{space}:{pid}:{int(born) - 1}", own)
    assert is_alive(f"elsewhere:{space}:{process.pid}:{born}", own)


def test_the_live_log_is_newest_first_and_can_be_cleared(root):
    ordered()
    log.write(Level.INFO, "before")
    job = run_one(lambda work: Report("done"))
    live = list(log.lines())
    assert live[0].endswith("INFO count 1: done")
    assert live[-1].endswith("INFO before")
    assert next(log.lines(level="TIME")).split()[1] == "TIME"
    assert list(log.lines(limit=1)) == live[:1]
    assert list(log.lines(since=now())) == []
    log.clear()
    assert list(log.lines()) == []
    assert len(list(log.lines(operation=job.pk))) == len(live) - 1


SCRIPT = """
import sys, types, django, mar
# The library's runs are played, so what they need is not even loaded
run = mar.run = sys.modules["mar.run"] = types.ModuleType("mar.run")
run.__path__ = [mar.__path__[0] + "/run"]
django.setup()
from nights import slow_science, Runs
run.science, run.tile, run.tie_together = slow_science, Runs().tile, Runs().tie_together
from marserver.jobs.worker import main
from marserver.reduction.tasks import TASKS
main(TASKS)
"""


def database_url():
    """How another process finds the test's database."""
    it = connection.settings_dict
    if it["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{it['NAME']}"
    place = quote(it["HOST"], safe="") + (f":{it['PORT']}" if it["PORT"] else "")
    login = ":".join(quote(word, safe="") for word in (it["USER"], it["PASSWORD"]) if word)
    options = {name: value for name, value in it["OPTIONS"].items() if isinstance(value, str)}
    return f"postgresql://{login}@{place}/{it['NAME']}?{urlencode(options)}"


def start_worker(root):
    """A real worker process on the test's database."""
    source = Path(__file__).resolve().parents[2] / "src"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "marserver.settings",
        "MAR_ROOT": str(root),
        "MAR_DATABASE_URL": database_url(),
        "MAR_ENGINE": "inline",
        "MAR_CAMERA": "t80cam-mini",
        "PYTHONPATH": os.pathsep.join([str(source), str(Path(__file__).parent)]),
    }
    return subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment)


def end(process):
    process.terminate()
    process.wait(20)


def science_job(root):
    """A block of four frames, queued."""
    from nights import DAY, bias_master, flat_master, frames

    from marserver.archive.models import SciByFilter

    bias_master()
    flat_master()
    block = SciByFilter.objects.create(block_start_date=DAY, block_end_date=DAY, band="R")
    block.scies.set(frames(4))
    return block, queue.enqueue(
        Order("process_scibyfilter", "scibyfilter", str(block.pk), params={"id": block.pk, "only": ""})
    )


def worked(root):
    path = root / "worked"
    return path.read_text().split() if path.exists() else []


def test_a_killed_worker_loses_nothing_and_no_finished_frame_is_done_twice(root, settings):
    from marserver.archive.models import FinalTile, IndividualFile

    block, job = science_job(root)
    first = start_worker(root)
    ready = IndividualFile.objects.filter(file_type="SCI", status=5)
    try:
        wait_until(lambda: ready.count() >= 1, 60)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    finished = list(ready.values_list("file_name", flat=True))
    assert 1 <= len(finished) < 4
    before = len(worked(root))
    second = start_worker(root)
    try:
        wait_until(lambda: Job.objects.get(pk=job.pk).status == Status.DONE, 60)
    finally:
        end(second)
    assert not set(worked(root)[before:]) & set(finished)
    assert ready.count() == 4
    assert FinalTile.objects.get().composed_by.count() == 4
    block.refresh_from_db()
    assert block.status == 1
    job.refresh_from_db()
    assert job.attempts == 2


def test_sigterm_hands_the_job_back_and_ends_the_process(root):
    _, job = science_job(root)
    process = start_worker(root)
    wait_until(lambda: Job.objects.get(pk=job.pk).done >= 1, 60)
    end(process)
    assert process.returncode == 0
    job.refresh_from_db()
    assert job.status == Status.TODO


def test_two_workers_share_the_queue_one_job_at_a_time(root):
    from nights import frame

    for number in range(2):
        frame(f"t{number}", fld=f"F{number}", status=5)
        queue.enqueue(Order("scan_folder", "folder", f"night{number}", params={"path": "."}))
    workers = [start_worker(root), start_worker(root)]
    try:
        wait_until(lambda: Job.objects.filter(status=Status.DONE).count() == 2, 60)
    finally:
        for process in workers:
            end(process)
    first, second = Job.objects.order_by("started_at")
    assert first.ended_at <= second.started_at
