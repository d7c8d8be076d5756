"""A built browser client at /client/: its files, its routes, its policy, and nothing beside it."""

import base64
import hashlib
import os
import re

import pytest
from django.test import Client

from mar.errors import BadConfig
from marserver.environment import check_client

RUNTIME = '!function(e){"a</b>"}([]);'
INDEX = f"""<!doctype html><html><head><script src="/client/static/js/main.4f2a81cc.js" defer></script></head>
<body><div id="root"></div><script>{RUNTIME}</script></body></html>"""
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def built(tmp_path, settings):
    """A client as create-react-app builds it, and a secret beside its folder."""
    folder = tmp_path / "build"
    files = {
        "index.html": INDEX,
        "static/js/main.4f2a81cc.js": "main()",
        "static/js/2.123abc45.chunk.js": "chunk()",
        "static/js/plain-settings.js": "settings()",
        "static/css/main.0b1c2d3e.css": "body{}",
        "assets/index-BX3f9_aZ.js": "vite()",
        "manifest.json": "{}",
        "data-20240301.json": "[]",
        ".env": "SECRET=1",
        "../build-evil/secret.js": "secret",
        "../secret.js": "secret",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings.MAR_CLIENT_DIR = str(folder)
    return folder


def get(path, **headers):
    return Client().get(path, headers=headers)


@pytest.mark.parametrize(
    "path", ["", "index.html", "tiles", "tiles/STRIPE82-0001/R", "login/", "static", "static/"]
)
def test_the_index_answers_for_itself_and_for_the_clients_own_routes(built, path):
    response = get(f"/client/{path}")
    assert (response.status_code, response.getvalue().decode()) == (200, INDEX)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("static/js/main.4f2a81cc.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("static/js/2.123abc45.chunk.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("static/css/main.0b1c2d3e.css", "text/css; charset=utf-8", FOR_EVER),
        ("assets/index-BX3f9_aZ.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("static/js/plain-settings.js", "text/javascript; charset=utf-8", "no-cache"),
        ("manifest.json", "application/json", "no-cache"),
        ("data-20240301.json", "application/json", "no-cache"),
    ],
)
def test_files_have_their_type_and_are_kept_long_where_their_name_holds_a_hash(built, path, kind, cache):
    response = get(f"/client/{path}")
    assert response.getvalue() == (built / path).read_bytes()
    assert (response["Content-Type"], response["Cache-Control"]) == (kind, cache)
    assert response["X-Content-Type-Options"] == "nosniff"


def test_what_a_browser_knows_is_not_sent_again(built):
    first = get("/client/")
    first.getvalue()
    assert get("/client/", **{"If-None-Match": first["ETag"]}).status_code == 304


def test_scripts_run_from_our_origin_and_inline_only_those_of_the_page(built):
    response = get("/client/")
    response.getvalue()
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    digest = base64.b64encode(hashlib.sha256(RUNTIME.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert (policy["connect-src"], policy["object-src"], policy["frame-ancestors"]) == (
        "'self'",
        "'none'",
        "'none'",
    )
    script = get("/client/static/js/main.4f2a81cc.js")
    script.getvalue()
    assert "sha256" not in script["Content-Security-Policy"]


def test_a_client_built_anew_has_a_policy_of_its_own(built):
    before = get("/client/")
    before.getvalue()
    (built / "index.html").write_text(INDEX.replace(RUNTIME, "other()"))
    after = get("/client/")
    after.getvalue()
    assert after["Content-Security-Policy"] != before["Content-Security-Policy"]


def test_line_ends_count_as_a_browser_counts_them(built):
    (built / "index.html").write_bytes(b"<script>\r\na()\r\n</script>")
    response = get("/client/")
    response.getvalue()
    digest = base64.b64encode(hashlib.sha256(b"\na()\n").digest()).decode()
    assert digest in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "static/js/main.00000000.js",
        "../secret.js",
        "static/../../secret.js",
        "%2e%2e/secret.js",
        "..%2fsecret.js",
        "%252e%252e%252fsecret.js",
        "..\\secret.js",
        "../build-evil/secret.js",
        "..",
        "/etc/passwd.js",
        "/etc/passwd",
        "a%00b",
        ".env",
        "static/.git",
        "link.js",
        "linked/secret.js",
        "pipe.js",
        "device.js",
        "x" * 300 + ".js",
    ],
)
def test_no_path_leaves_the_folder(built, tmp_path, path):
    (built / "link.js").symlink_to(tmp_path / "secret.js")
    (built / "linked").symlink_to(tmp_path)
    (built / "device.js").symlink_to("/dev/zero")
    os.mkfifo(built / "pipe.js")
    response = get(f"/client/{path}")
    assert response.status_code == 404
    assert response.json()["status"] is False


def test_without_its_slash_the_client_is_a_redirect(built):
    response = get("/client?x=1")
    assert (response.status_code, response["Location"]) == (302, "/client/?x=1")
    assert get("/client")["Location"] == "/client/"


def test_without_a_client_there_is_nothing(settings):
    settings.MAR_CLIENT_DIR = ""
    for path in ("/client", "/client/", "/client/static/js/main.4f2a81cc.js"):
        assert "MAR_CLIENT_DIR" in get(path).json()["msg"]


def test_a_folder_that_goes_while_the_server_runs_is_404(settings, tmp_path):
    settings.MAR_CLIENT_DIR = str(tmp_path / "gone")
    assert get("/client/").status_code == 404


def test_a_client_is_for_reading(built):
    assert Client().post("/client/").status_code == 405


@pytest.mark.parametrize("content", [None, "other.html"])
def test_a_folder_without_a_client_is_said_at_the_start(tmp_path, monkeypatch, content):
    folder = tmp_path / "build"
    if content:
        folder.mkdir()
        (folder / content).touch()
    monkeypatch.setenv("MAR_CLIENT_DIR", str(folder))
    with pytest.raises(BadConfig, match=rf"MAR_CLIENT_DIR: {re.escape(str(folder))} holds no index\.html"):
        check_client()


def test_a_built_client_and_none_are_both_right_at_the_start(built, monkeypatch):
    monkeypatch.setenv("MAR_CLIENT_DIR", str(built))
    check_client()
    monkeypatch.delenv("MAR_CLIENT_DIR")
    check_client()
