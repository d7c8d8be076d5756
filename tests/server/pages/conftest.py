"""A browser without a window: Django's test client, logged in."""

import pytest
from django.test import Client

from marserver.kept import Kept


@pytest.fixture(autouse=True)
def _nothing_is_old(monkeypatch):
    """A test sees what it has just done, and nothing of the tests before."""
    monkeypatch.setattr(Kept, "is_fresh", lambda self, found: False)


@pytest.fixture
def browser_of(root):
    """`browser_of(alice)`: a client with that user's session."""

    def log_in(user) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def browser(browser_of, alice) -> Client:
    """Alice's."""
    return browser_of(alice)


@pytest.fixture
def part(browser):
    """`part("/queue")`: the part of a page that its script asks for, as text."""

    def get(path: str) -> str:
        response = browser.get(path, headers={"HX-Request": "true"})
        assert response.status_code == 200
        return response.content.decode()

    return get
