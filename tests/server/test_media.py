"""Files below the data root over HTTP."""

import pytest
from django.test import Client

BYTES = bytes(range(256)) * 4


@pytest.fixture
def tile(root):
    path = root / "TILES" / "STRIPE82-0001" / "STRIPE82-0001_R_swp.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(BYTES)
    return "/media/TILES/STRIPE82-0001/STRIPE82-0001_R_swp.fits"


def test_a_file_comes_whole_with_its_validators(client, tile):
    response = client.get(tile)
    assert response.status_code == 200
    assert response.getvalue() == BYTES
    assert response["Content-Length"] == str(len(BYTES))
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"].startswith('"')
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=1000-", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=5-99999", 5, 1024),
    ],
)
def test_ranges_are_honoured(client, tile, asked, start, stop):
    response = client.get(tile, headers={"Range": asked})
    assert response.status_code == 206
    assert response.getvalue() == BYTES[start:stop]
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert response["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_file_is_416(client, tile, asked):
    response = client.get(tile, headers={"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */1024"
    assert response.json()["status"] is False


@pytest.mark.parametrize("asked", ["bytes=9-2", "lines=1-2", "bytes=0-1,4-5", "bytes=-", "bytes=a-b"])
def test_ranges_that_are_not_understood_get_the_whole_file(client, tile, asked):
    response = client.get(tile, headers={"Range": asked})
    assert response.status_code == 200
    assert response.getvalue() == BYTES


def test_a_known_file_is_304_and_a_range_of_an_older_one_is_whole(client, tile):
    etag = client.head(tile)["ETag"]
    assert client.get(tile, headers={"If-None-Match": etag}).status_code == 304
    response = client.get(tile, headers={"Range": "bytes=0-9", "If-Range": '"older"'})
    assert response.status_code == 200
    assert response.getvalue() == BYTES


def test_head_tells_all_but_the_bytes(client, tile):
    response = client.head(tile)
    assert response.status_code == 200
    assert response["Content-Length"] == "1024"
    assert response.content == b""


def test_download_offers_a_name(client, tile, root):
    (root / "THUMBS").mkdir()
    (root / "THUMBS" / "a.png").write_bytes(b"png")
    shown, kept = client.get("/media/THUMBS/a.png"), client.get("/media/THUMBS/a.png?download=1")
    assert shown["Content-Disposition"].startswith("inline")
    assert kept["Content-Disposition"] == 'attachment; filename="a.png"'
    assert kept.getvalue() == shown.getvalue() == b"png"


def test_pages_and_drawings_are_never_shown_in_our_origin(client, root):
    (root / "x.html").write_text("<script>1</script>")
    response = client.get("/media/x.html")
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    response.close()


def test_without_login_there_is_nothing(tile, db):
    response = Client().get(tile)
    assert response.status_code == 401
    assert response.json()["status"] is False


def test_the_cookie_of_login_reads_media_and_nothing_else(tile, alice):
    browser = Client()
    body = {"username": "alice", "password": "alice-password"}
    answer = browser.post("/reduction/auth/login", body, "application/json")
    cookie = answer.cookies["mar_media"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/media", "Lax", True)
    assert browser.get(tile).getvalue() == BYTES
    assert browser.post("/reduction/get_queue", "{}", "application/json").status_code == 401
    as_token = {"Authorization": f"Bearer {cookie.value}"}
    assert (
        Client().post("/reduction/get_queue", "{}", "application/json", headers=as_token).status_code == 401
    )
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert browser.post("/reduction/auth/logout", "{}", "application/json", headers=token).status_code == 204
    browser.cookies["mar_media"] = cookie.value
    assert browser.get(tile).status_code == 401


def test_a_session_reads_media(tile, alice):
    browser = Client()
    browser.force_login(alice)
    assert browser.get(tile).getvalue() == BYTES


@pytest.mark.parametrize(
    "path",
    [
        "CONFIG/secret_key",
        "mar.sqlite3",
        "mar.sqlite3-wal",
        "TMP/x.csv",
        "link",
        "linked/secret",
        "TILES/../CONFIG/secret_key",
        "../outside/secret",
        "%2e%2e/outside/secret",
        "TILES/..%2fCONFIG/secret_key",
        "config_link",
        "TILES",
        "TILES/",
        ".hidden",
        "nothing",
        "a%00b",
        "x" * 300,
        "/etc/passwd",
        "//etc/passwd",
    ],
)
def test_what_is_hidden_or_outside_is_404(client, root, tmp_path, path):
    outside = tmp_path / "outside"
    for folder in (outside, root / "CONFIG", root / "TMP", root / "TILES"):
        folder.mkdir()
    names = [
        "CONFIG/secret_key",
        "TMP/x.csv",
        "mar.sqlite3",
        "mar.sqlite3-wal",
        ".hidden",
        "../outside/secret",
    ]
    for name in names:
        (root / name).write_text("secret")
    (root / "link").symlink_to(outside / "secret")
    (root / "linked").symlink_to(outside)
    (root / "config_link").symlink_to(root / "CONFIG" / "secret_key")
    response = client.get(f"/media/{path}")
    assert response.status_code == 404
    assert response.json()["status"] is False


def test_links_within_the_root_are_followed(client, tile, root):
    (root / "newest.fits").symlink_to(root / tile.removeprefix("/media/"))
    assert client.get("/media/newest.fits").getvalue() == BYTES


def test_a_file_that_the_server_may_not_read_is_404(client, tile, monkeypatch):
    def refuse(path, *how):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)  # a mode of 0 does not stop root
    assert client.get(tile).status_code == 404


def test_media_is_for_reading(client, tile):
    assert client.post(tile).status_code == 405
