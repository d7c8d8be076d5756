"""The pages of query and configuration in a browser."""

import pytest
from playwright.sync_api import expect
from tests.web.conftest import faults_of

from marserver.archive.models import FinalTile
from marserver.reduction import requests

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_item_is_changed_saved_seen_in_the_history_and_undone(as_user, carol):
    page = as_user("carol")
    page.goto("/configuration")
    assert faults_of(page) == []
    page.get_by_label("Find an item").fill("DETECT_THRESH")
    item = page.get_by_label("CAT_DETECT_THRESH", exact=True)
    item.fill("2.5")
    expect(page.get_by_text("1 change not saved")).to_be_visible()
    page.get_by_role("button", name="as API calls").click()
    expect(page.get_by_role("dialog")).to_contain_text(
        "setItemConf section=Reduction item=CAT_DETECT_THRESH value=2.5"
    )
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody ins")).to_have_text("2.5")
    assert requests.get_conf()["msg"]["Reduction"]["CAT_DETECT_THRESH"] == 2.5
    assert faults_of(page) == []
    page.on("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert requests.get_conf()["msg"]["Reduction"]["CAT_DETECT_THRESH"] == 1.5


def test_what_the_server_refuses_stays_marked(as_user, carol):
    page = as_user("carol")
    page.goto("/configuration")
    page.get_by_label("Find an item").fill("SN_THRESHOLDS")
    page.get_by_label("SN_THRESHOLDS", exact=True).fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("mar-messages .bad")).to_contain_text("SN_THRESHOLDS")
    expect(page.get_by_text("1 change not saved")).to_be_visible()
    page.watched.complaints.clear()  # the browser tells of the 400
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("1 change not saved")).to_be_hidden()


def test_an_operator_reads_but_does_not_change(as_user, alice):
    page = as_user("alice")
    page.goto("/configuration")
    page.get_by_label("Find an item").fill("DETECT_THRESH")
    expect(page.get_by_label("CAT_DETECT_THRESH", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_a_statement_is_run_plotted_and_kept(as_user, alice):
    for number in range(12):
        FinalTile.objects.create(field=f"F{number}", band="R", status=1, fwhm=1.0 + number / 10, depth=21.0)
    page = as_user("alice")
    page.goto("/query")
    assert faults_of(page) == []
    page.get_by_role("button", name="Seeing of the tiles").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("mar-rows tbody tr")).to_have_count(12)
    page.get_by_text("Plot", exact=True).click()
    expect(page.locator(".plot canvas")).to_be_visible()
    assert faults_of(page) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename.endswith(".csv")
    page.goto("/query")
    page.get_by_role("button", name="SELECT field, band, fwhm").click()
    assert "files_finaltiles" in page.locator("textarea").input_value()


def test_a_refused_statement_is_told(as_user, alice):
    page = as_user("alice")
    page.goto("/query?q=DELETE FROM files_finaltiles")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("[data-at=result] .bad")).to_contain_text("SELECT")
    page.watched.complaints.clear()
