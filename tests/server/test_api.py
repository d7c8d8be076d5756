"""The conventions that every endpoint keeps."""

import json

import pytest
from django.test import Client

from marserver.api.bodies import Body
from marserver.api.main import RESOURCES

pytestmark = pytest.mark.django_db

NAMES = [name for resource in RESOURCES for name in resource.names]
TYPES = [(resource, body) for resource in RESOURCES for body in resource.actions]
BLOCK = "get create process add remove setcomment validate setstatus setsubstatus delete"
CONTRACT = {
    "individualfile": "get validate setstatus setcomment",
    "finaltiles": "get getfields getshort process processfield setstatus setsubstatus setsuperflat "
    "setcomment validate setflag",
    "biasblock": f"{BLOCK} register",
    "flatbyfilter": f"{BLOCK} register",
    "flatblock": BLOCK,
    "scibyfilter": f"{BLOCK} setsuperflat",
    "sciblock": f"{BLOCK} setsuperflat",
    "superflat": "get create setcomment validate register",
    "fieldimage": "get process setcomment setflag validate",
}
PATHS = """
get_process get_logs clear_logs scan_folder reset_thread reset_threads get_queue removeQueue cancel requeue
setpriority pause resume getConf setItemConf set_conf getOperation getOperationsStats getOperations rawQuery
get_trilogy_image request_twelve_im flatblockbyfilter fieldimages field
"""


def sentence_for(call, endpoint, status, **body):
    answer = call(endpoint, **body)
    assert call.status == status, answer
    assert answer["status"] is False
    return answer["msg"]


@pytest.mark.parametrize(("name", "types"), CONTRACT.items())
def test_every_type_of_the_contract_is_known(call, name, types):
    told = sentence_for(call, name, 400, type="no such type")
    assert set(told.partition("accepted types: ")[2].split(", ")) == {*types.split(), "history"}


@pytest.mark.parametrize("name", [*CONTRACT, *PATHS.split()])
def test_every_path_of_the_contract_needs_a_token_and_post(name, call_as):
    assert name in NAMES
    response = Client().post(f"/reduction/{name}", "{}", "application/json")
    assert response.status_code == 401
    response = Client().get(f"/reduction/{name}")
    assert response.status_code == 405
    assert response.json()["status"] is False
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("body", ["", "null", "{}", "  \n", '{"type": ""}'])
def test_no_body_null_and_an_empty_object_are_the_same(call, body):
    assert call.post("get_queue", body) == {"status": True, "msg": [], "running": []}


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "3",
        '"x"',
        "{",
        "[" * 100_000,
        "\xff",
        '{"id": NaN}',
        "9" * 5000,
        '{"id": "\\ud800"}',
        '{"\\u0000": 1}',
    ],
)
def test_what_is_no_json_object_is_400(call, body):
    answer = call.post("get_queue", body.encode("latin-1"))
    assert call.status == 400
    assert answer["status"] is False


def test_the_content_type_does_not_matter(call):
    assert call.post("get_queue", "{}", content_type="text/plain")["status"] is True
    call.post("get_queue", "a=1&b=2", content_type="application/x-www-form-urlencoded")
    assert call.status == 400


def test_a_body_that_is_too_large_is_413(call):
    answer = call.post("get_queue", b" " * (2 * 1024 * 1024))
    assert call.status == 413
    assert answer["status"] is False


@pytest.mark.parametrize(
    "path", ["/reduction/nothing", "/reduction/", "/nothing", "/reduction/a/b/c", "/reduction/%00"]
)
def test_unknown_paths_are_404_in_the_envelope(path, db):
    response = Client().post(path, "{}", "application/json")
    assert response.status_code == 404
    assert response.json()["status"] is False


def test_a_slash_at_the_end_of_a_path_does_not_matter(call):
    assert call("get_queue/") == {"status": True, "msg": [], "running": []}


def test_a_wrong_host_is_400_in_the_envelope(db):
    response = Client(headers={"Host": "evil.example"}).post("/reduction/get_queue", "{}", "application/json")
    assert response.status_code == 400
    assert response.json()["status"] is False


def test_unknown_parameters_are_refused_with_what_is_accepted(call):
    told = sentence_for(call, "biasblock", 400, type="get", id=1, colour="red")
    assert "'colour'" in told
    assert "(id | startDate, endDate)" in told
    told = sentence_for(call, "get_process", 400, id=1)
    assert "'id'" in told
    assert "no parameters" in told


@pytest.mark.parametrize(
    "value", [True, 1.5, "one", "1.0", "-1", -1, 2**63, str(2**63), [1], {"a": 1}, None, "\u0663"]
)
def test_what_is_no_whole_number_is_refused_by_name(call, value):
    assert "id" in sentence_for(call, "biasblock", 400, type="validate", id=value)


@pytest.mark.parametrize("value", [7, "7", 2**63 - 1, str(2**63 - 1), 0, "007"])
def test_whole_numbers_may_come_as_decimal_strings(call, value):
    assert "no biasblock" in sentence_for(call, "biasblock", 404, type="validate", id=value)


@pytest.mark.parametrize(
    "day", ["2024-02-30", "2024-1-1", "20240101", "2024-01-01T00:00:00", 20240101, "2024-01-0\u0661"]
)
def test_what_is_no_day_is_refused_by_name(call, day):
    told = sentence_for(call, "biasblock", 400, type="get", startDate=day, endDate="2024-03-01")
    assert told.startswith("startDate")


def test_dates_must_be_in_order(call):
    told = sentence_for(call, "biasblock", 400, type="create", startDate="2024-03-02", endDate="2024-03-01")
    assert "startDate 2024-03-02 is after endDate 2024-03-01" in told


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"startDate": "2024-03-01"},
        {"id": 1, "startDate": "2024-03-01", "endDate": "2024-03-01"},
        {"id": ""},
        {"valid": 1},
    ],
)
def test_exactly_one_parameter_set_must_be_given(call, body):
    assert "(id | startDate, endDate)" in sentence_for(call, "sciblock", 400, type="get", **body)


def test_empty_strings_count_as_not_given(call):
    answer = call("biasblock", type="get", id="", startDate="2024-03-01", endDate="2024-03-01", order="")
    assert answer == {"status": True, "msg": []}


@pytest.mark.parametrize("word", ["contains", "nameContains"])
def test_contains_has_an_older_spelling(call, word):
    assert call("individualfile", type="get", **{word: "bias"}) == {"status": True, "msg": []}
    told = sentence_for(
        call,
        "biasblock",
        404,
        type="create",
        startDate="2024-03-01",
        endDate="2024-03-01",
        band="R",
        **{word: "x"},
    )
    assert "BIAS" in told


@pytest.mark.parametrize("valid", [0, 1, "0", "1", True, False, "true", "false"])
def test_valid_takes_numbers_and_booleans(call, valid):
    assert call("superflat", type="get", startDate="2024-03-01", endDate="2024-03-01", valid=valid)["status"]


@pytest.mark.parametrize("valid", [2, "yes", [], 0.5, -1])
def test_valid_takes_nothing_else(call, valid):
    told = sentence_for(
        call, "superflat", 400, type="get", startDate="2024-03-01", endDate="2024-03-01", valid=valid
    )
    assert "valid" in told


@pytest.mark.parametrize("flag", [-2, 1024, "x"])
def test_flags_have_bounds(call, flag):
    assert "flag" in sentence_for(call, "finaltiles", 400, type="setflag", id=1, flag=flag)


def test_a_band_less_block_of_one_band_points_to_the_block_of_all(call):
    told = sentence_for(call, "scibyfilter", 400, type="create", startDate="2024-03-01", endDate="2024-03-01")
    assert "band" in told
    assert "sciblock" in told


@pytest.mark.parametrize("code", ["ov,sf mc", "co am", "", "ov,  ,co"])
def test_execution_codes_are_words_in_any_order(call, code):
    assert "no biasblock" in sentence_for(call, "biasblock", 404, type="process", id=1, code=code)


def test_an_unknown_word_of_the_code_is_refused(call):
    told = sentence_for(call, "biasblock", 400, type="process", id=1, code="ov xx")
    assert "'xx'" in told
    assert "ov sf mc am co" in told


def test_an_unknown_order_is_refused_before_the_first_byte(call):
    told = sentence_for(
        call, "individualfile", 400, type="get", startDate="2024-03-01", endDate="2024-03-01", order="colour"
    )
    assert "order" in told


def test_numbers_at_the_edge_are_no_fault(call):
    edge = {"limit": 2**63 - 1, "offset": 2**63 - 1, "startDate": "0001-01-01", "endDate": "9999-12-31"}
    for name in CONTRACT:
        if name != "finaltiles":
            assert call(name, type="get", **edge) == {"status": True, "msg": []}


def example_of(body: type[Body]) -> dict:
    return body.model_json_schema()["examples"][0]


@pytest.mark.parametrize(("resource", "body"), TYPES)
def test_every_example_is_understood(resource, body, call, call_as, carol):
    caller = call_as(carol)
    caller(resource.names[0], **example_of(body))
    # 403: the old password of an example is nobody's
    assert caller.status in (200, 403, 404, 409)


@pytest.mark.parametrize(("resource", "body"), TYPES)
def test_nothing_that_a_client_sends_makes_a_fault(resource, body, call_as, carol):
    """Each parameter of each type in turn holds something strange."""
    caller, good = call_as(carol), example_of(body)
    strange = [
        None,
        True,
        -1,
        1.5,
        1e308,
        2**64,
        [],
        {},
        "x",
        "a\x00b",
        "\ud800",
        "%",
        "../..",
        "x" * 5000,
        [[]],
    ]
    for name in {*good, *body.model_json_schema()["properties"], "unknown"}:
        for value in strange:
            answer = caller(resource.names[0], **(good | {name: value}))
            assert caller.status in (200, 400, 403, 404, 409, 413), (name, value, answer)


def test_a_fault_of_ours_is_500_in_the_envelope_without_a_trace(call, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("marserver.reduction.requests.queue_now", broken)
    answer = call("get_queue")
    assert call.status == 500
    assert answer == {"status": False, "msg": "the server failed on this request; its log says why"}
    assert "secret detail" in caplog.text


def test_cors_is_for_the_named_origins_only(settings, call):
    settings.MAR_CORS_ORIGINS = ["https://good.example"]
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    good = Client().options("/reduction/get_queue", headers={"Origin": "https://good.example", **ask})
    assert good.status_code == 204
    assert good["Access-Control-Allow-Origin"] == "https://good.example"
    assert "Authorization" in good["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in good
    bad = Client().options("/reduction/get_queue", headers={"Origin": "https://evil.example", **ask})
    assert bad.status_code == 405
    assert "Access-Control-Allow-Origin" not in bad


def test_answers_and_errors_tell_the_allowed_origin(settings, call):
    settings.MAR_CORS_ORIGINS = ["https://good.example"]
    for body in ({}, {"x": 1}):
        response = call.client.post(
            "/reduction/get_queue",
            json.dumps(body),
            "application/json",
            headers={"Origin": "https://good.example"},
        )
        assert response["Access-Control-Allow-Origin"] == "https://good.example"
        assert "Origin" in response["Vary"]


def test_without_origins_nothing_is_said_of_them(call):
    response = call.client.post("/reduction/get_queue", headers={"Origin": "https://good.example"})
    assert "Access-Control-Allow-Origin" not in response
