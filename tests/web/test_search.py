"""The search tool: it sends everything that the API takes, and shows what comes back."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.web.conftest import faults_of

from marserver.archive.models import FinalTile

pytestmark = pytest.mark.django_db(transaction=True)

LAST = ("auth/setrole", "auth/setpassword", "auth/setactive", "auth/revoke", "auth/logout", "auth/logoutall")

# Choose each endpoint and type in the page, fill in its example, send, and take down the answer
SEND_ALL = """async (lastOnes) => {
  const search = document.querySelector("mar-search");
  const told = [];
  const sent = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await sent(...asked);
    const body = asked[1]?.body;  // the page asks by itself too, now and then: with none
    if (body !== undefined) Object.assign(told.at(-1), { status: answer.status, body });
    return answer;
  };
  const last = (one) => lastOnes.indexOf(one.name);
  for (const endpoint of [...search.endpoints].sort((one, other) => last(one) - last(other))) {
    search.at("endpoint").value = endpoint.name;
    search.at("endpoint").dispatchEvent(new Event("change"));
    for (const type of endpoint.types) {
      search.at("type").value = type.type;
      search.at("type").dispatchEvent(new Event("change"));
      told.push({ endpoint: endpoint.name, type: type.type, example: type.example });
      for (const [name, value] of Object.entries(type.example)) {
        const field = search.at("fields").querySelector(`[name="${name}"]`);
        if (!field) continue;
        field.value = typeof value === "object" ? JSON.stringify(value) : String(value);
        if (field.value === "") field.value = value ? "true" : "false";
      }
      search.at("result").replaceChildren();
      await search.send();
      told.at(-1).shown = search.at("result").textContent.length;
    }
  }
  return told;
}"""


def test_every_type_of_every_endpoint_is_sent(as_user, carol):
    page = as_user("carol")
    page.goto("/search")
    page.locator("mar-search[ready]").wait_for()
    told = page.evaluate(SEND_ALL, list(LAST))
    published = page.request.get("/reduction/openapi.json").json()
    posted = [
        path for path, methods in published["paths"].items() if "requestBody" in methods.get("post", {})
    ]
    assert {f"/reduction/{one['endpoint']}" for one in told} == set(posted)
    assert len(told) > 120
    lost = [one for one in told if one["status"] not in (200, 201, 204, 400, 401, 403, 404, 409, 429)]
    assert lost == []
    assert all(one["shown"] for one in told)
    # What was sent is the example with its values as text, which the server takes too
    differ = [one for one in told if as_text(json.loads(one["body"])) != as_text(one["example"])]
    assert differ == []
    # The browser itself writes down each refusal; nothing else was wrong
    assert all("Failed to load resource" in line for line in page.watched.complaints)
    page.watched.complaints.clear()


def as_text(body):
    return {
        name: {"true": "1", "false": "0"}.get(str(value).lower(), str(value)) for name, value in body.items()
    }


def test_rows_are_shown_sorted_filtered_and_saved(as_user, alice):
    for number, band in enumerate(("R", "G", "Z")):
        FinalTile.objects.create(field="HYDRA", band=band, status=1, fwhm=1.0 + number, comments="=1+1")
    page = as_user("alice")
    page.goto("/search?endpoint=finaltiles&type=get&field=HYDRA")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("mar-rows tbody tr")).to_have_count(3)
    assert faults_of(page) == []
    page.locator("mar-rows button.sort", has_text="band").click()
    expect(page.locator("mar-rows tbody tr").first).to_contain_text("G")
    page.get_by_role("searchbox").fill("hydra")
    expect(page.locator("mar-rows tbody tr")).to_have_count(3)
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    text = Path(saved.value.path()).read_text()
    assert text.splitlines()[0].startswith("id,")
    assert ",'=1+1," in text  # no formula for a spreadsheet
    page.get_by_role("searchbox").fill("nothing like this")
    expect(page.locator("mar-rows tbody tr")).to_have_count(0)


def test_a_search_is_shared_by_its_address_and_found_again(as_user, alice):
    page = as_user("alice")
    page.goto("/search?endpoint=biasblock&type=get&startDate=2024-03-01&endDate=2024-03-02")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("0 rows")).to_be_visible()
    page.goto("/search?endpoint=get_queue")
    page.get_by_text("Recent calls").click()
    page.get_by_role("button", name="biasblock get startDate=2024-03-01").click()
    expect(page.locator("[name=startDate]")).to_have_value("2024-03-01")
    page.get_by_text("The same for a script").click()
    expect(page.locator("[data-at=call]")).to_contain_text("mar call biasblock type=get startDate=2024-03-01")


def test_a_refusal_is_told_in_the_words_of_the_server(as_user, alice):
    page = as_user("alice")
    page.goto("/search?endpoint=finaltiles&type=get")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-at=result] .bad")).to_contain_text("400")
    page.watched.complaints.clear()
