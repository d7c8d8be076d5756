"""A session that ends, a login in another tab, an operation that fails: while a page with a form is open."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from marserver.archive.models import BiasBlock, FinalTile
from marserver.jobs import queue
from marserver.jobs.models import Job, Status
from marserver.jobs.queue import Order

pytestmark = pytest.mark.django_db(transaction=True)


def log_in_again(page):
    page.get_by_role("link", name="Log in again").click()
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("alice-password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.watched.complaints.clear()  # the browser tells of the 401


def news(page):
    """What the page asks by itself now and then, at once."""
    page.locator("mar-session").evaluate("bar => bar.ask()")


def test_a_block_that_was_being_made_is_there_after_a_new_login(as_user, alice, root):
    page = as_user("alice")
    page.goto("/calendar?date=2024-03")
    page.get_by_role("button", name="New block").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-at=kind]").select_option("flatbyfilter")
    dialog.locator("[name=band]").select_option("R")
    dialog.get_by_label("First day").fill("2024-03-01")
    dialog.get_by_label("Last day").fill("2024-03-02")
    page.context.clear_cookies()
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Your session has ended")  # not behind the dialog
    log_in_again(page)
    expect(dialog.get_by_label("Last day")).to_have_value("2024-03-02")
    expect(dialog.locator("[data-at=kind]")).to_have_value("flatbyfilter")
    assert not BiasBlock.objects.exists()


def test_selected_cells_and_their_comment_are_there_after_a_new_login(as_user, alice, root):
    tile = FinalTile.objects.create(field="S1", band="R", status=1)
    page = as_user("alice")
    page.locator(".cell[data-band=R]").click(modifiers=["Shift"])
    page.get_by_text("Flag, comment, process").click()
    page.get_by_label("Comment", exact=True).fill("clouds at dawn")
    page.context.clear_cookies()
    news(page)
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
    log_in_again(page)
    expect(page.get_by_text("1 cell selected, 1 with a tile")).to_be_visible()
    page.get_by_label("Comment", exact=True).press("Enter")
    expect(page.get_by_text("1 of 1 commented")).to_be_visible()
    tile.refresh_from_db()
    assert tile.comments == "clouds at dawn"


def test_a_login_in_another_tab_and_a_failed_operation_are_noticed(as_user, alice, root):
    tile = FinalTile.objects.create(field="S1", band="R", status=1)
    page = as_user("alice")
    page.goto(f"/tiles/{tile.pk}")
    page.get_by_label("Comment").fill("faint trail")
    page.get_by_label("satellites").check()
    other = page.context.new_page()
    page.context.clear_cookies()
    other.goto("/login")
    other.get_by_label("Name").fill("alice")
    other.get_by_label("Password").fill("alice-password")
    other.get_by_role("button", name="Log in").click()
    other.wait_for_url(lambda url: "/login" not in url)
    other.close()
    page.get_by_role("button", name="Keep comment").click()
    expect(page.locator("mar-messages p").first).to_be_visible()
    tile.refresh_from_db()
    assert tile.comments == "faint trail"
    page.watched.complaints.clear()  # of the call with the old token
    page.reload()
    expect(page.get_by_label("satellites")).to_be_checked()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    job = queue.enqueue(Order("process_tile", "finaltiles", "S1", user="alice"))
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED, error="no space left", ended_at=now())
    news(page)
    told = page.get_by_role("link", name="failed: no space left")
    expect(told).to_have_attribute("href", f"/operations/{job.pk}")
