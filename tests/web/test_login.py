"""Logging in and out, and what all pages share, in a browser."""

import pytest
from playwright.sync_api import expect
from tests.web.conftest import faults_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_logs_in_and_comes_to_the_page_that_was_asked_for(page, alice):
    page.goto("/?show=all")
    assert faults_of(page) == []
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("alice-password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/?show=all")
    assert faults_of(page) == []
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")


def test_a_wrong_password_is_told(page, alice):
    page.goto("/login")
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".errorlist")).to_contain_text("password")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_choice_of_colours_stays(as_user, alice, colours):
    page = as_user("alice")
    page.get_by_label("Colours").select_option(colours)
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == colours
    expect(page.get_by_label("Colours")).to_have_value(colours)
    assert faults_of(page) == []


def test_a_script_from_elsewhere_does_not_run(as_user, alice):
    page = as_user("alice")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in line for line in page.watched.complaints)
    page.watched.complaints.clear()
