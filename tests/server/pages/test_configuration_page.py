"""The pages of configuration and query."""

import pytest

from marserver.reduction import requests

pytestmark = pytest.mark.django_db


def test_every_item_is_there_with_its_sentence(browser):
    page = browser.get("/configuration").content.decode()
    for section, items in requests.get_conf()["schema"].items():
        for name in items:
            assert section == "Instrument" or f'id="{section}.{name}"' in page
    assert "Detection threshold above the background" in page


def test_a_change_is_shown_with_before_and_after(browser_of, carol):
    requests.set_item("Reduction", "CAT_DETECT_THRESH", "2.5", asked_by="carol")
    page = browser_of(carol).get("/configuration").content.decode()
    assert "<del>1.5</del>" in page
    assert "<ins>2.5</ins>" in page


def test_a_file_that_cannot_be_read_is_told_and_can_be_undone(browser_of, carol, root):
    requests.set_item("Reduction", "CAT_DETECT_THRESH", "2.5", asked_by="carol")
    (root / "CONFIG" / "mar.toml").write_text("[Reduction\n")
    response = browser_of(carol).get("/configuration")
    assert response.status_code == 200
    assert "undoConf" in response.content.decode()


def test_what_a_query_may_read_is_listed(browser):
    page = browser.get("/query?q=SELECT 1").content.decode()
    assert "files_individualfiles" in page
    assert "accounts" not in page
    assert ">SELECT 1</textarea>" in page


def test_an_item_says_what_it_takes(browser):
    page = browser.get("/configuration").content.decode()
    assert "it takes one of" in page
    assert "at least 0" in page
