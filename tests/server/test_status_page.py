"""The plain status page and its login."""

import pytest
from django.test import Client

from marserver.archive.models import FinalTile

pytestmark = pytest.mark.django_db


def test_the_page_needs_a_login(root):
    response = Client().get("/")
    assert response.status_code == 302
    assert response["Location"].startswith("/login")


def test_a_user_logs_in_and_sees_queue_and_products(root, alice, call):
    FinalTile.objects.create(field="STRIPE82-0001", band="R", file_path="TILES/a b/x.fits", status=1)
    call("scan_folder", path="")
    browser = Client()
    response = browser.post("/login", {"username": "alice", "password": "alice-password"})
    assert response["Location"] == "/"
    page = browser.get("/").content.decode()
    assert "scan_folder" in page
    assert "STRIPE82-0001" in page
    assert 'href="/media/TILES/a%20b/x.fits"' in page


def test_what_comes_from_files_is_not_taken_for_markup(root, bob):
    FinalTile.objects.create(field="<script>", band="R")
    browser = Client()
    browser.force_login(bob)
    page = browser.get("/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_logging_out_ends_the_session(root, alice):
    browser = Client()
    browser.force_login(alice)
    assert browser.post("/logout").status_code == 302
    assert browser.get("/").status_code == 302
