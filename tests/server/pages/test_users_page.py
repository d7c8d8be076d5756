"""The pages of accounts and changes."""

import pytest

from marserver.accounts.tokens import create_token
from marserver.archive.models import FinalTile
from marserver.reduction import requests

pytestmark = pytest.mark.django_db


def test_accounts_are_for_administrators(browser, browser_of, carol, bob):
    assert browser.get("/users").status_code == 403
    assert browser.get("/users/bob").status_code == 403
    page = browser_of(carol).get("/users").content.decode()
    assert "bob@example.org" in page
    assert browser_of(carol).get("/users/nobody").status_code == 404


def test_everybody_sees_the_own_logins_and_nothing_of_their_tokens(browser, alice):
    token = create_token(alice)[0]
    page = browser.get("/account").content.decode()
    assert "End it" in page
    assert token not in page


def test_changes_tell_who_what_before_and_after(browser, alice):
    tile = FinalTile.objects.create(field="HYDRA", band="R")
    requests.setcomment("finaltiles", tile.pk, "clouds <here>", asked_by="alice")
    page = browser.get("/changes?kind=finaltiles").content.decode()
    assert "clouds &lt;here&gt;" in page
    assert "clouds" not in browser.get("/changes?user=bob").content.decode()
    assert "clouds" in browser.get("/account").content.decode()


def test_the_menu_of_an_operator_has_no_users(browser):
    assert 'href="/users"' not in browser.get("/account").content.decode()
