"""Queue, operations and log in a browser."""

import pytest
from live import wait_until
from playwright.sync_api import expect
from tests.web.conftest import faults_of

from marserver.jobs import log, queue
from marserver.jobs.models import Job, Level
from marserver.jobs.queue import Order

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(block):
    return queue.enqueue(Order("process_biasblock", "biasblock", block, user="alice"))


def test_a_row_is_moved_and_the_queue_follows(as_user, alice):
    jobs = [waiting(str(number)) for number in range(4)]
    page = as_user("alice")
    page.goto("/queue")
    assert faults_of(page) == []
    page.locator(f"#up-{jobs[2].pk}").click()
    expect(page.get_by_text("The order is changed")).to_be_visible()
    expect(page.locator("tr[data-id]").nth(1)).to_have_attribute("data-id", str(jobs[2].pk))
    page.wait_for_load_state("networkidle")  # the rows are drawn anew after a change
    page.locator(f"#down-{jobs[0].pk}").press("Enter")
    order = [jobs[2].pk, jobs[0].pk, jobs[1].pk, jobs[3].pk]
    wait_until(lambda: list(queue.waiting().values_list("id", flat=True)) == order)
    assert Job.objects.get(pk=jobs[3].pk).priority == 0


def test_a_waiting_operation_is_removed_and_its_call_is_shown(as_user, alice):
    job = waiting("5")
    page = as_user("alice")
    page.goto("/queue")
    row = page.locator(f"tr[data-id='{job.pk}']")
    row.get_by_role("button", name="as an API call").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"mar call removeQueue id={job.pk}")
    page.get_by_role("button", name="Close").click()
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    assert Job.objects.get().outcome == "removed from the queue"


def test_a_folder_is_chosen_and_its_scan_is_queued(as_user, alice, root):
    (root / "20240301" / "night").mkdir(parents=True)
    page = as_user("alice")
    page.goto("/queue")
    page.get_by_role("button", name="20240301/").click()
    page.get_by_role("button", name="night/").click()
    expect(page.get_by_label("Folder below")).to_have_value("20240301/night")
    page.get_by_role("button", name="Scan", exact=True).click()
    page.wait_for_url("**/operations/*")
    assert Job.objects.get().block == "20240301/night"
    assert faults_of(page) == []


def test_the_log_grows_while_it_is_read(as_user, alice):
    log.write(Level.INFO, "before")
    page = as_user("alice")
    page.goto("/logs")
    expect(page.get_by_text("before")).to_be_visible()
    page.wait_for_timeout(800)  # until the log is followed
    log.write(Level.WARN, "while it is read")
    expect(page.get_by_text("while it is read")).to_have_count(1)
    assert faults_of(page) == []


def test_what_was_typed_outlives_the_session(as_user, alice, root):
    page = as_user("alice")
    page.goto("/queue")
    page.get_by_label("Folder below").fill("20240399")
    page.context.clear_cookies()
    page.get_by_role("button", name="Scan", exact=True).click()
    page.get_by_role("link", name="Log in again").click()
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("alice-password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Folder below")).to_have_value("20240399")
    page.watched.complaints.clear()  # the browser tells of the 401


@pytest.mark.parametrize("path", ["/queue", "/logs", "/"])
def test_a_session_that_ends_is_told_and_the_page_stays(as_user, alice, root, path):
    page = as_user("alice")
    page.goto(path)
    heading = page.locator("h1").inner_text()
    page.context.clear_cookies()
    if path == "/logs":
        page.locator("mar-log").evaluate("log => { log.source.close(); log.follow(); }")  # as after a break
    elif path == "/":
        page.evaluate("document.body.dispatchEvent(new CustomEvent('mar-done', { bubbles: true }))")
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended", timeout=15_000)
    page.wait_for_timeout(300)
    expect(page.get_by_role("alert")).to_be_visible()  # the answer that told it does not clear it
    expect(page.locator("h1")).to_have_text(heading)
    page.watched.complaints.clear()  # the browser tells of the 401
