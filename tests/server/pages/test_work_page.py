"""The pages of queue, operations and logs."""

import pytest
from django.test import Client
from django.utils.timezone import now
from nights import many

from marserver.archive.models import IndividualFile
from marserver.jobs import log, queue
from marserver.jobs.models import Job, Level, Status
from marserver.jobs.queue import Order
from marserver.web.advice import causes_of_frames, causes_of_operations

pytestmark = pytest.mark.django_db


def waiting(block="1"):
    return queue.enqueue(Order("process_biasblock", "biasblock", block, user="alice"))


def failed(block, error):
    job = waiting(block)
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED, error=error, started_at=now(), ended_at=now())
    return job


def test_the_queue_shows_what_waits_runs_and_ended(browser):
    waiting("7")
    failed("8", "no master bias for 2024-03-01")
    page = browser.get("/queue").content.decode()
    assert "process_biasblock" in page
    assert "No worker is alive" in page
    assert "Create the missing block in the calendar" in page


def test_the_part_that_changes_comes_alone(part):
    waiting("7")
    assert "<html" not in part("/queue")


@pytest.mark.parametrize("count", [1, 60])
def test_the_queue_takes_the_same_number_of_queries_however_long(
    browser, count, django_assert_max_num_queries
):
    for number in range(count):
        waiting(str(number))
        failed(f"f{number}", f"frame {number} cannot be read")
    with django_assert_max_num_queries(14):
        browser.get("/queue")


def test_failures_with_the_same_cause_are_one(db):
    failed("1", "masterflat of R: no flats on 2024-03-01")
    failed("2", "masterflat of R: no flats on 2024-03-02")
    failed("3", "the disk has no space left")
    most, other = causes_of_operations()
    assert (most.number, other.number) == (2, 1)
    assert "Free space" in other.advice


def test_frames_that_failed_are_told_by_step_and_cause(db):
    many(3)
    IndividualFile.objects.update(failed_step="am", error="not solved: 3 stars of 7 needed")
    (one,) = causes_of_frames()
    assert (one.number, one.step) == (3, "am")


def test_an_operation_shows_its_log_and_its_error(browser):
    job = failed("9", "the reason")
    log.write(Level.WARN, "a warning <b>", job)
    page = browser.get(f"/operations/{job.pk}").content.decode()
    assert "the reason" in page
    assert "a warning &lt;b&gt;" in page


def test_an_unknown_operation_is_404(browser):
    assert browser.get("/operations/12345").status_code == 404
    assert browser.get("/logs?operation=12345").status_code == 404


def test_the_log_is_filtered(browser):
    log.write(Level.INFO, "all is well")
    log.write(Level.WARN, "cosmic ray storm")
    log.write(Level.WARN, "clouds")
    page = browser.get("/logs?level=WARN&text=COSMIC").content.decode()
    assert "cosmic ray storm" in page
    assert "all is well" not in page
    assert "clouds" not in page


def test_folders_are_looked_into_but_not_those_of_products(part, root):
    for name in ("20240301", "20240301/deep", "TILES", ".hidden"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "20240301" / "x.fits").touch()
    assert "20240301/" in part("/queue/folders")
    assert "TILES" not in part("/queue/folders")
    inside = part("/queue/folders?path=20240301")
    assert "1 FITS file here" in inside
    assert "deep/" in inside


@pytest.mark.parametrize(("path", "status"), [("..", 400), ("/etc", 400), ("nowhere", 404)])
def test_no_folder_outside_the_root_is_shown(browser, path, status):
    response = browser.get("/queue/folders", {"path": path})
    assert response.status_code == status
    assert "hosts" not in response.content.decode()


@pytest.mark.parametrize("path", ["/queue", "/operations/1", "/logs", "/queue/folders"])
def test_a_page_needs_a_login_and_a_part_says_that_it_has_ended(root, db, path):
    assert Client().get(path)["Location"].startswith("/login?next=")
    assert Client().get(path, headers={"HX-Request": "true"}).status_code == 401
    assert Client().post(path).status_code == 405


def test_a_page_is_told_of_its_session_and_of_the_users_failed_operations(browser):
    job = failed("1", "the disk has no space left\nTraceback")
    other = waiting("2")
    Job.objects.filter(pk=other.pk).update(
        status=Status.FAILED, user="bob", error="not hers", ended_at=now(), started_at=now()
    )
    told = browser.get("/news?since=1").json()
    assert told["session"]
    assert told["token"]
    assert told["failed"] == [
        {"title": str(job), "error": "the disk has no space left", "page": f"/operations/{job.pk}"}
    ]
    assert browser.get(f"/news?since={told['now'] + 60}").json()["failed"] == []
    assert browser.get("/news?since=yesterday").json()["failed"] == []


def test_a_page_whose_session_has_ended_is_told_so_and_nothing_else():
    told = Client().get("/news?since=1").json()
    assert told["session"] is False
    assert "failed" not in told
    assert "token" not in told


def test_a_cause_shows_how_the_log_of_its_newest_operation_begins(browser, root):
    job = failed("1", "no master bias for 2024-03-01")
    (root / "LOGS").mkdir(exist_ok=True)
    (root / "LOGS/o.log").write_text("".join(f"line {number}\n" for number in range(20)))
    Job.objects.filter(pk=job.pk).update(log_path="LOGS/o.log")
    page = browser.get("/queue").content.decode()
    assert "line 0" in page
    assert "line 7" in page
    assert "line 8" not in page
