"""Logging in by the page, in a browser."""

from playwright.sync_api import Page


def log_in(page: Page, name: str, password: str) -> None:
    """Open the login page, and wait until it has let somebody through."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)
