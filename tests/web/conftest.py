"""A real browser, Debian's Chromium, on a real server: what it complains of fails the test."""

import os
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from live import running_server
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from tests.server.conftest import (  # noqa: F401 - fixtures
    _quick_passwords,
    alice,
    bob,
    carol,
    django_db_modify_db_settings,
    django_db_setup,
    root,
    small_site,
)

from login_page import log_in
from parts import need

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; it begins with the first test that needs it."""
    path = need("chromium")
    # Its driver keeps an event loop in this thread, in which Django would refuse its database
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(path), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def live(root, settings) -> Iterator[str]:  # noqa: F811 - the fixture
    """The URL of a server that runs in a thread of this process."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with running_server() as url:
        yield url


class Watched:
    """What the browser complained of, and where it went."""

    def __init__(self, page: Page, url: str) -> None:
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda sent: self.went(sent.url, url))

    def heard(self, said: ConsoleMessage) -> None:
        """Remember what the console was told is wrong."""
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def went(self, to: str, home: str) -> None:
        """Remember a request that left the server."""
        if not to.startswith((home, "data:", "blob:")):
            self.elsewhere.append(to)


@pytest.fixture
def page(chromium: Browser, live: str) -> Iterator[Page]:
    """A page of nobody yet. Complaints in the console and requests to elsewhere fail the test at its end.

    `page.watched.complaints.clear()` forgets those that a test provoked.
    """
    context = chromium.new_context(base_url=live, viewport={"width": 1366, "height": 850})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.watched = Watched(page, live)
    yield page
    context.close()
    assert page.watched.complaints == []
    assert page.watched.elsewhere == []


@pytest.fixture
def as_user(page: Page) -> Callable[[str], Page]:
    """Log somebody in by the login page."""

    def enter(name: str) -> Page:
        log_in(page, name, f"{name}-password")
        return page

    return enter


def faults_of(page: Page) -> list[str]:
    """The serious faults of accessibility that axe-core finds."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
