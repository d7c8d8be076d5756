"""Attacks: roles, tokens, pages of other sites, headers, hosts, and secrets in logs."""

import json
import logging
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import Client
from django.utils import timezone
from test_live import live as live  # the fixture: a server on a free port

from marserver.accounts.models import LoginFailure, Role, Token, User
from marserver.accounts.tokens import create_token, media_secret
from marserver.api.guard import token_of
from marserver.api.main import RESOURCES
from marserver.api.resources import type_of
from marserver.serving import config

EVIL = "https://evil.example"
RIGHT = {"username": "alice", "password": "alice-password"}

# Who may do what, as the contract says; all else is for operators
VIEWER_TYPES = {"get", "getfields", "getshort", "history", "plan"}
VIEWER_PATHS = {
    "get_process",
    "get_queue",
    "get_logs",
    "getOperations",
    "getOperation",
    "getConf",
    "getConfHistory",
    "rawQuery",
    "get_trilogy_image",
    "auth/setpassword",
    "auth/tokens",
    "auth/revoke",
}
ADMINISTRATOR_PATHS = {
    "reset_thread",
    "setItemConf",
    "set_conf",
    "undoConf",
    "auth/users",
    "auth/setrole",
    "auth/setactive",
    "auth/history",
    "get_changes",
}


def actions():
    """Every action that is registered: its path and its body."""
    for resource in RESOURCES:
        for body in resource.actions:
            yield resource, body


def role_of(resource, body):
    """The role that the contract asks for."""
    if resource.names[0] in ADMINISTRATOR_PATHS:
        return Role.ADMINISTRATOR
    if resource.names[0] in VIEWER_PATHS or type_of(body) in VIEWER_TYPES:
        return Role.VIEWER
    return Role.OPERATOR


def label(resource, body):
    return f"{resource.names[0]} {type_of(body)}".strip()


ACTIONS = [pytest.param(*found, role_of(*found), id=label(*found)) for found in actions()]
BEYOND_VIEWERS = [one for one in ACTIONS if one.values[2] != Role.VIEWER]
BEYOND_OPERATORS = [one for one in ACTIONS if one.values[2] == Role.ADMINISTRATOR]


def example_of(body):
    """A body that is accepted, as OpenAPI has it."""
    return body.model_json_schema(by_alias=True)["examples"][0]


@pytest.mark.parametrize(("resource", "body", "role"), BEYOND_VIEWERS)
def test_a_viewer_is_refused_what_is_beyond_viewers(resource, body, role, call_as, bob):
    caller = call_as(bob)
    for name in resource.names:
        answer = caller(name, **example_of(body))
        assert caller.status == 403
        assert role in answer["msg"]


@pytest.mark.parametrize(("resource", "body", "role"), BEYOND_OPERATORS)
def test_an_operator_is_refused_what_is_for_administrators(resource, body, role, call):
    for name in resource.names:
        assert "administrator" in call(name, **example_of(body))["msg"]
        assert call.status == 403


@pytest.mark.parametrize(("resource", "body", "role"), ACTIONS)
def test_the_role_of_the_contract_is_enough(resource, body, role, call_as, alice, bob, carol):
    caller = call_as({Role.VIEWER: bob, Role.OPERATOR: alice, Role.ADMINISTRATOR: carol}[role])
    caller(resource.names[0], **example_of(body))
    assert caller.status != 401
    assert "this needs the role" not in caller.response.text


@pytest.mark.parametrize(("resource", "body", "role"), ACTIONS)
def test_nothing_is_done_without_a_token(resource, body, role, db):
    for name in resource.names:
        response = Client().post(f"/reduction/{name}", json.dumps(example_of(body)), "application/json")
        assert response.status_code == 401


def test_only_login_and_the_contract_itself_need_no_token():
    schema = Client().get("/reduction/openapi.json").json()
    free = [path for path, by in schema["paths"].items() for one in by.values() if "security" not in one]
    assert free == ["/reduction/auth/login"]


def test_nobody_has_an_account_in_a_new_database(db):
    assert not User.objects.exists()


# --- tokens


def post(token, path="get_queue", **headers):
    headers = {"Authorization": f"Bearer {token}", **headers}
    return Client().post(f"/reduction/{path}", "{}", "application/json", headers=headers)


@pytest.mark.parametrize("path", ["auth/logout", "auth/logoutall"])
def test_a_token_and_its_cookie_end_with_logout(alice, root, path):
    (root / "x.txt").write_text("x")
    token = create_token(alice)[0]
    browser = Client()
    browser.cookies["mar_media"] = media_secret(token)
    assert post(token).status_code == 200
    assert browser.get("/media/x.txt").getvalue() == b"x"
    assert post(token, path).status_code == 204
    for _ in range(2):
        assert post(token).status_code == 401
        assert post(token, path).status_code == 401
        assert browser.get("/media/x.txt").status_code == 401


def test_an_expired_token_does_not_come_back_by_being_used(alice, root, settings):
    token = create_token(alice)[0]
    Token.objects.update(
        expires=timezone.now() - timedelta(seconds=1), used=timezone.now() - timedelta(hours=9)
    )
    for _ in range(2):
        assert post(token).status_code == 401
    assert Token.objects.get().expires < timezone.now()


def test_a_token_ends_at_its_absolute_maximum_however_busy(alice, root, settings):
    token = create_token(alice)[0]
    born = timezone.now() - settings.MAR_TOKEN_MAXIMUM + timedelta(seconds=1)
    Token.objects.update(created=born, used=timezone.now() - timedelta(hours=1))
    assert post(token).status_code == 200
    assert Token.objects.get().expires == born + settings.MAR_TOKEN_MAXIMUM


def test_the_hash_of_a_token_is_no_token(alice, root):
    create_token(alice)
    row = Token.objects.get()
    assert post(row.digest).status_code == 401
    assert post(row.media_digest).status_code == 401


def test_the_media_cookie_is_good_for_reading_only(alice, root):
    (root / "x.txt").write_text("x")
    secret = media_secret(create_token(alice)[0])
    browser = Client(enforce_csrf_checks=True)
    for name in ("mar_media", "sessionid"):
        browser.cookies[name] = secret
    assert browser.post("/reduction/get_queue", "{}", "application/json").status_code == 401
    assert browser.get("/reduction/auth/user").status_code == 401
    assert browser.post("/media/x.txt").status_code == 405
    assert post(secret).status_code == 401
    header = Client(headers={"Authorization": f"Bearer {secret}"})
    assert header.get("/media/x.txt").status_code == 401


def test_a_bad_header_is_not_made_good_by_a_session(alice, root):
    browser = Client()
    browser.force_login(alice)
    response = browser.post("/reduction/get_queue", "{}", "application/json", headers={"Authorization": "x"})
    assert response.status_code == 401


# --- pages of other sites


@pytest.fixture
def browser(alice, root):
    """A browser that is logged in, with its CSRF token at hand as our own page would have it."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    browser.cookies["csrftoken"] = "a" * 32
    return browser


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"type": "validate", "id": 1}'),
        ("text/plain", '{"type": "validate", "id": 1, "x": "="}'),
        ("application/x-www-form-urlencoded", "type=validate&id=1"),
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
        ),
    ],
)
def test_a_page_cannot_use_the_session_of_its_visitor(browser, content_type, body):
    for headers in ({}, {"Origin": EVIL}, {"Origin": "null"}, {"Origin": EVIL, "X-CSRFToken": "a" * 32}):
        response = browser.post("/reduction/biasblock", body, content_type, headers=headers)
        assert response.status_code == 403
        assert response.json()["status"] is False
        assert "Access-Control-Allow-Origin" not in response


def test_our_own_page_can(browser):
    headers = {"Origin": "http://testserver", "X-CSRFToken": "a" * 32}
    response = browser.post("/reduction/get_queue", "{}", "application/json", headers=headers)
    assert response.status_code == 200


def test_a_csrf_token_of_the_form_itself_is_no_way_round(browser):
    body = "csrfmiddlewaretoken=" + "b" * 32
    response = browser.post("/reduction/get_queue", body, "application/x-www-form-urlencoded")
    assert response.status_code == 403


def test_logging_out_a_session_needs_its_csrf_token_and_ends_it(browser):
    assert browser.post("/reduction/auth/logout", "", "application/json").status_code == 403
    headers = {"X-CSRFToken": "a" * 32}
    old = browser.cookies["sessionid"].value
    assert browser.post("/reduction/auth/logout", "", "application/json", headers=headers).status_code == 204
    browser.cookies["sessionid"] = old
    assert browser.get("/reduction/auth/user").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver:3000", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
def test_a_page_of_another_site_cannot_log_its_visitor_in(alice, root, headers):
    for content_type in ("text/plain", "application/json"):
        response = Client(headers=headers).post("/reduction/auth/login", json.dumps(RIGHT), content_type)
        assert response.status_code == 403
        assert not response.cookies
        wrong = json.dumps(RIGHT | {"password": "x"})
        assert Client(headers=headers).post("/reduction/auth/login", wrong, content_type).status_code == 403
    assert not LoginFailure.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://client.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_scripts_our_pages_and_the_origins_we_name_can_log_in(alice, root, settings, headers):
    settings.MAR_CORS_ORIGINS = ["https://client.example"]
    response = Client(headers=headers).post("/reduction/auth/login", json.dumps(RIGHT), "application/json")
    assert response.status_code == 200


def test_the_login_page_needs_its_csrf_token(alice, root):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/login", RIGHT).status_code == 403
    assert "sessionid" not in browser.cookies


def test_a_session_begins_anew_at_login(alice, bob, root):
    planted = Client()
    planted.force_login(bob)
    fixed = planted.cookies["sessionid"].value
    victim = Client()
    victim.cookies["sessionid"] = fixed
    assert victim.post("/login", RIGHT).status_code == 302
    assert victim.cookies["sessionid"].value != fixed
    assert victim.cookies["sessionid"]["httponly"]
    assert victim.cookies["sessionid"]["samesite"] == "Lax"
    attacker = Client()
    attacker.cookies["sessionid"] = fixed
    assert attacker.get("/reduction/auth/user").status_code == 401
    unknown = Client()
    unknown.cookies["sessionid"] = "chosenbytheattacker0000000000000"
    unknown.post("/login", RIGHT)
    assert unknown.cookies["sessionid"].value != "chosenbytheattacker0000000000000"


def test_login_leads_nowhere_else(alice, root):
    for path in ("//evil.example", "https://evil.example/", "javascript:alert(1)"):
        response = Client().post(f"/login?next={path}", RIGHT)
        assert response["Location"] == "/"


# --- other origins


@pytest.fixture
def cors(settings):
    settings.MAR_CORS_ORIGINS = ["https://client.example"]


def test_a_preflight_needs_no_token_and_allows_no_credentials(cors, db):
    ask = {"Origin": "https://client.example", "Access-Control-Request-Method": "POST"}
    response = Client().options("/reduction/biasblock", headers=ask)
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "https://client.example"
    assert "Authorization" in response["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://client.example", "https://client.example.evil.example", "*", ""]
)
def test_other_origins_get_nothing(cors, client, origin):
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for response in (
        client.options("/reduction/get_queue", headers=ask),
        client.post("/reduction/get_queue", "{}", "application/json", headers={"Origin": origin}),
    ):
        assert not [name for name in response.headers if name.startswith("Access-Control")]


def test_an_allowed_origin_reads_good_answers_and_errors_never_with_credentials(cors, client):
    headers = {"Origin": "https://client.example"}
    for path, status in (("get_queue", 200), ("biasblock", 400), ("nothing", 404)):
        response = client.post(f"/reduction/{path}", "{}", "application/json", headers=headers)
        assert response.status_code == status
        assert response["Access-Control-Allow-Origin"] == "https://client.example"
        assert "Access-Control-Allow-Credentials" not in response
    assert (
        Client(headers=headers).get("/reduction/auth/user")["Access-Control-Allow-Origin"]
        == headers["Origin"]
    )


def test_a_star_allows_nobody(settings, client):
    settings.MAR_CORS_ORIGINS = ["*"]
    response = client.post("/reduction/get_queue", "{}", "application/json", headers={"Origin": EVIL})
    assert "Access-Control-Allow-Origin" not in response


# --- headers, hosts, bodies


@pytest.mark.parametrize(
    "header",
    [
        "Bearer \r\nX-Role: administrator",
        "Bearer a\x00b",
        "Bearer \u00e9\u0142",
        "Bearer " + "x" * 60_000,
        "Bearer\tx",
        "Bearer Bearer x",
        "Bearer null",
        "Bearer undefined",
        "Bearer '; DROP TABLE accounts_token; --",
        "Token",
        "Digest x",
        ",",
    ],
)
def test_strange_headers_are_401_and_are_not_repeated(db, header):
    response = Client(headers={"Authorization": header}).post(
        "/reduction/get_queue", "{}", "application/json"
    )
    assert response.status_code == 401
    assert "X-Role" not in response
    assert len(response.content) < 200


def test_a_token_among_others_does_not_count(alice):
    token = f"Bearer {create_token(alice)[0]}".encode()
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}

    def found(*values):
        headers = [(b"authorization", value) for value in values]
        return token_of(ASGIRequest({**scope, "headers": headers}, None))

    assert found(token).user == alice
    assert found(token, token) is None
    assert found(b"Bearer x", token) is None
    assert found(token, b"Basic YTpi") is None


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: sessionid=1", "a\u0085b", "a\u2028b", "\ud83d\ude00" * 10]
)
def test_line_ends_in_names_go_into_no_header_and_no_log(call_as, db, caplog, name):
    caller = call_as()
    caller("auth/login", username=name, password="x")
    assert caller.status == 401
    assert "sessionid" not in caller.response.cookies
    assert "Set-Cookie" not in caller.response.headers
    assert name not in caplog.text


@pytest.mark.parametrize(
    "path", ["/reduction/get_queue", "/reduction/auth/login", "/media/x", "/login", "/nothing"]
)
def test_an_unknown_host_is_400_in_the_envelope(settings, client, path):
    settings.ALLOWED_HOSTS = ["localhost"]
    for headers in ({"Host": "evil.example"}, {"Host": "localhost.evil.example"}, {"Host": "a b"}):
        response = client.post(path, "{}", "application/json", headers=headers)
        assert response.status_code == 400
        assert response.json()["status"] is False
        assert "evil" not in response.text
    named = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
    assert client.post(path, "{}", "application/json", headers=named).status_code == 400


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_the_method_is_the_method(client, header):
    assert client.get("/reduction/get_queue", headers={header: "POST"}).status_code == 405
    assert client.get("/reduction/get_queue?_method=POST").status_code == 405
    assert (
        client.post("/reduction/get_queue", "{}", "application/json", headers={header: "DELETE"}).status_code
        == 200
    )


def test_a_key_given_twice_means_the_same_to_the_guard_and_to_the_action(call_as, bob):
    caller = call_as(bob)
    caller.post("biasblock", '{"type": "get", "id": 1, "type": "validate"}')
    assert caller.status in (400, 403)
    caller.post("biasblock", '{"type": "validate", "id": 1, "type": "get"}')
    assert caller.status in (400, 404)
    caller = call_as()
    caller.post(
        "auth/login", '{"username": "bob", "password": "x", "password": "bob-password", "password": "x"}'
    )
    assert caller.status in (400, 401)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "lines",
    [
        "Host: evil.example\r\nAuthorization: Bearer {token}",
        "Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x",
        "Host: 127.0.0.1\r\nAuthorization: Bearer \r\n {token}",
        "Host: 127.0.0.1\r\nAuthorization: Bearer {token}\xff",
        "Host: 127.0.0.1\r\nCookie: mar_media={token}; sessionid={token}",
    ],
)
def test_over_the_wire_too_nothing_of_this_gets_in(live, alice, lines):
    token = create_token(alice)[0]
    lines = lines.format(token=token)
    with socket.create_connection(("127.0.0.1", urlsplit(live).port), timeout=20) as wire:
        request = f"GET /reduction/auth/user HTTP/1.1\r\nConnection: close\r\n{lines}\r\n\r\n"
        wire.sendall(request.encode("latin-1"))
        answer = b""
        while part := wire.recv(65536):
            answer += part
    assert answer.split(b" ", 2)[1] in (b"400", b"401")
    assert b'"status":false' in answer
    assert b"alice" not in answer


# --- secrets in logs


@pytest.fixture
def everything_logged(caplog):
    """All loggers at DEBUG, the statements of the database among them."""
    caplog.set_level(logging.DEBUG)
    apart = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    levels = [(logger, logger.level) for logger in apart]
    closed = [logger for logger in apart if not logger.propagate]
    for logger in apart:
        logger.setLevel(logging.DEBUG)
    for logger in closed:
        logger.addHandler(caplog.handler)
    yield caplog
    for logger, level in levels:
        logger.setLevel(level)
    for logger in closed:
        logger.removeHandler(caplog.handler)


def fail(*arguments, **named):
    raise RuntimeError("a fault of ours")


def test_no_secret_comes_into_any_log(everything_logged, alice, carol, call_as, monkeypatch):
    connection.force_debug_cursor = True
    secrets = ["alice-password", "Hunter2-wrong", "Hunter2-broken", "Hunter2-form", "Hunter2-strong-one"]
    try:
        nobody = call_as()
        token = nobody("auth/login", **RIGHT)["token"]
        secrets += [token, media_secret(token)]
        nobody("auth/login", username="alice", password="Hunter2-wrong")
        nobody("auth/login", username="alice", password="Hunter2-wrong", extra=1)
        nobody.post("auth/login", '{"username": "alice", "password": "Hunter2-broken')
        nobody.post("auth/login", "username=alice&password=Hunter2-form", "application/x-www-form-urlencoded")
        Client().post("/login", {"username": "alice", "password": "Hunter2-form"})
        admin = call_as(carol)
        admin("auth/register", username="dave", email="d@example.org", password="Hunter2-strong-one")
        admin("auth/setpassword", username="dave", password="Hunter2-strong-one")
        post(token)
        post(token, "auth/logout")
        monkeypatch.setattr("marserver.accounts.logins.authenticate", fail)
        nobody("auth/login", **RIGHT)
        assert nobody.status == 500
        assert "fault" not in nobody.response.text
    finally:
        connection.force_debug_cursor = False
    assert "a fault of ours" in everything_logged.text
    assert "accounts_token" in everything_logged.text
    assert [secret for secret in secrets if secret in everything_logged.text] == []


def test_neither_requests_nor_statements_are_logged_by_default(settings):
    assert config().access_log is False
    assert settings.DEBUG is False
    assert settings.LOGGING["loggers"]["django.db.backends"]["level"] == "WARNING"


def test_a_refusal_repeats_no_password(call_as, carol):
    admin = call_as(carol)
    for password in ("abc12", "password1", "9" * 1500):
        answer = admin("auth/register", username="dave", email="d@example.org", password=password)
        assert admin.status == 400
        assert password not in json.dumps(answer)


def test_a_forged_host_fills_no_log(security_log, settings, db):
    settings.ALLOWED_HOSTS = ["localhost"]
    assert Client().get("/reduction/auth/user", headers={"Host": "evil.example"}).status_code == 400
    assert "evil" not in security_log.text


@pytest.fixture
def security_log(caplog):
    """What the loggers that stand apart let through as they are set up."""
    security = logging.getLogger("django.security")
    security.addHandler(caplog.handler)
    yield caplog
    security.removeHandler(caplog.handler)
