"""The published contract."""

import re

import pytest
from django.test import Client

from marserver.api.main import RESOURCES

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema():
    return Client().get("/reduction/openapi.json").json()


def test_the_contract_is_openapi_3_1_and_needs_no_token(schema):
    assert schema["openapi"].startswith("3.1")
    assert "/reduction/auth/login" in schema["paths"]
    assert "security" not in schema["paths"]["/reduction/auth/login"]["post"]
    assert schema["paths"]["/reduction/get_queue"]["post"]["security"] == [{"BearerToken": []}]


def test_every_path_and_alias_is_published(schema):
    for resource in RESOURCES:
        for name in resource.names:
            assert f"/reduction/{name}" in schema["paths"]


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    if isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_leads_somewhere(schema):
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= known


def test_types_are_told_apart_by_a_discriminator(schema):
    wanted = schema["paths"]["/reduction/biasblock"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert wanted["discriminator"]["propertyName"] == "type"
    assert wanted["discriminator"]["mapping"]["create"] == "#/components/schemas/Create"
    assert len(wanted["oneOf"]) == len(wanted["discriminator"]["mapping"])


def test_every_body_has_an_example_and_refuses_unknown_parameters(schema):
    for resource in RESOURCES:
        for body in resource.actions:
            published = schema["components"]["schemas"][body.__name__]
            assert published["additionalProperties"] is False
            assert set(published.get("required", [])) <= set(published["examples"][0])


def test_every_parameter_says_what_it_means(schema):
    for resource in RESOURCES:
        for body in resource.actions:
            published = schema["components"]["schemas"][body.__name__]["properties"]
            silent = [
                name for name, part in published.items() if name != "type" and not part.get("description")
            ]
            assert silent == [], body


def test_no_body_is_needed_where_nothing_is(schema):
    queue = schema["paths"]["/reduction/get_queue"]["post"]["requestBody"]
    assert queue["required"] is False
    assert {"type": "null"} in queue["content"]["application/json"]["schema"]["anyOf"]
    assert schema["paths"]["/reduction/biasblock"]["post"]["requestBody"]["required"] is True


def test_the_bands_of_the_camera_are_named(schema):
    bands = schema["components"]["schemas"]["CreateOfBand"]["properties"]["band"]["enum"]
    assert {"U", "F378", "Z", "rSDSS"} <= set(bands)


def test_rows_are_described_column_by_column(schema):
    gives = schema["paths"]["/reduction/finaltiles"]["post"]["responses"]["200"]
    names = {
        one["$ref"].rpartition("/")[2] for one in gives["content"]["application/json"]["schema"]["anyOf"]
    }
    assert {"FinaltilesRows", "Sentence", "Changes", "Objects"} == names
    row = schema["components"]["schemas"]["FinaltilesRow"]
    assert row["properties"]["composedBy"]["items"]["$ref"].endswith("/Frame")
    assert row["properties"]["fwhm"]["anyOf"] == [{"type": "number"}, {"type": "null"}]
    assert "composedBy" not in row["required"]


def test_no_parameter_is_published_as_null(schema):
    for resource in RESOURCES:
        for body in resource.actions:
            published = schema["components"]["schemas"][body.__name__]["properties"]
            assert '"null"' not in str(published).replace("'", '"')


def test_the_docs_page_shows_every_path_and_needs_no_network():
    response = Client().get("/reduction/docs")
    page = response.content.decode()
    assert response.status_code == 200
    for resource in RESOURCES:
        assert f"/reduction/{resource.names[0]}" in page
    assert not re.search(r"(src|href)=.(https?:)?//", page)
    assert "<script" not in page
    assert "style=" not in page
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_the_docs_page_has_its_style_on_this_server():
    page = Client().get("/reduction/docs").content.decode()
    style = re.search(r'href="([^"]+\.css)"', page)[1]
    response = Client().get(style)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/css")
    response.close()


@pytest.mark.parametrize("path", ["openapi.json", "docs"])
def test_reading_is_all_one_can_do_there(path):
    response = Client().post(f"/reduction/{path}")
    assert response.status_code == 405
    assert response.json()["status"] is False
