"""Files below the data root over HTTP."""

import os
import re
from urllib.parse import quote

import pytest
from django.test import Client

from marserver.api.files import disposition

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
        "../root-evil/secret",
        "evil_link/secret",
        "%252e%252e/outside/secret",
        "TILES/%2e%2e/%2e%2e/outside/secret",
        "..\\outside\\secret",
        "TILES/..%5c..%5coutside%5csecret",
        "file:///etc/passwd",
        "hidden_link",
        ".git/config",
        "TILES/.part.fits",
        "mar.sqlite3.bak",
        "RAW/copy.db",
        "RAW/pipe.fits",
        "RAW/socket.fits",
        "RAW/device.fits",
        "RAW/loop",
        "RAW/loop/x",
        "RAW/text.fits/",
        "RAW/text.fits/x",
        "TMP/queries/1",
        "TMP/queries/999999/x.csv",
        "%ff",
        "%ed%a0%80",
        ".",
        "",
    ],
)
def test_what_is_hidden_or_outside_is_404(client, root, tmp_path, path):
    outside = tmp_path / "outside"
    names = [
        "CONFIG/secret_key",
        "TMP/x.csv",
        "TMP/queries/999999/x.csv",
        "mar.sqlite3",
        "mar.sqlite3-wal",
        "mar.sqlite3.bak",
        ".hidden",
        ".git/config",
        "TILES/.part.fits",
        "RAW/text.fits",
        "../outside/secret",
        "../root-evil/secret",
    ]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("secret")
    (root / "RAW/copy.db").write_bytes(b"SQLite format 3\0 and the hashes")
    (root / "link").symlink_to(outside / "secret")
    (root / "linked").symlink_to(outside)
    (root / "evil_link").symlink_to(tmp_path / "root-evil")
    (root / "hidden_link").symlink_to(root / ".hidden")
    (root / "config_link").symlink_to(root / "CONFIG" / "secret_key")
    (root / "RAW/device.fits").symlink_to("/dev/zero")
    (root / "RAW/loop").symlink_to("loop")
    os.mkfifo(root / "RAW/pipe.fits")
    os.mknod(root / "RAW/socket.fits", 0o140600)
    response = client.get(f"/media/{path}")
    assert response.status_code == 404
    assert response.json()["status"] is False


def test_links_within_the_root_are_followed(client, tile, root):
    (root / "newest.fits").symlink_to(root / tile.removeprefix("/media/"))
    assert client.get("/media/newest.fits").getvalue() == BYTES


def test_a_file_that_the_server_may_not_read_is_404(client, tile, monkeypatch):
    def refuse(root, path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("marserver.api.media.open_inside", refuse)  # a mode of 0 does not stop root
    assert client.get(tile).status_code == 404


def test_media_is_for_reading(client, tile):
    assert client.post(tile).status_code == 405


def test_a_database_elsewhere_below_the_root_is_hidden_with_its_journals(client, root, monkeypatch):
    (root / "DB").mkdir()
    for name in ("survey.db", "survey.db-wal", "survey.db-shm", "survey.dbx"):
        (root / "DB" / name).write_text("rows")
    (root / "db_link").symlink_to(root / "DB/survey.db")
    described = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(root / "DB/survey.db")}
    monkeypatch.setattr("marserver.reduction.paths.settings.DATABASES", {"default": described})
    for path in ("DB/survey.db", "DB/survey.db-wal", "DB/survey.db-shm", "db_link"):
        assert client.get(f"/media/{path}").status_code == 404
    assert client.get("/media/DB/survey.dbx").getvalue() == b"rows"


def test_a_file_that_becomes_a_link_after_the_check_is_not_read(client, tile, root, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("secret")
    path = root / tile.removeprefix("/media/")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    # the check sees the file as it was a moment ago
    monkeypatch.setattr("marserver.api.media.inside", lambda root, asked: asked)
    assert client.get(tile).status_code == 404
    path.unlink()
    path.parent.rmdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / path.name).write_text("secret")
    path.parent.symlink_to(tmp_path / "outside")
    assert client.get(tile).status_code == 404


def test_results_of_queries_are_each_readers_own(client, call_as, root, alice, bob):
    for user in (alice, bob):
        folder = root / "TMP" / "queries" / str(user.pk)
        folder.mkdir(parents=True)
        (folder / "r.csv").write_text(user.username)
    (root / "TMP/queries" / str(alice.pk) / "theirs.csv").symlink_to(root / f"TMP/queries/{bob.pk}/r.csv")
    (root / "theirs.csv").symlink_to(root / f"TMP/queries/{bob.pk}/r.csv")
    mine = client.get(f"/media/TMP/queries/{alice.pk}/r.csv")
    assert mine.getvalue() == b"alice"
    assert mine["Content-Type"] == "text/csv; charset=utf-8"
    assert mine["Content-Disposition"].startswith("attachment")
    for path in (f"TMP/queries/{bob.pk}/r.csv", f"TMP/queries/{alice.pk}/theirs.csv", "theirs.csv"):
        assert client.get(f"/media/{path}").status_code == 404
    assert call_as(bob).client.get("/media/theirs.csv").getvalue() == b"bob"


def test_a_multiple_or_foreign_range_and_that_of_head_get_the_whole_file(client, tile):
    response = client.head(tile, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response["Content-Length"]) == (200, "1024")
    assert "Content-Range" not in response


def test_a_range_of_the_same_version_is_honoured_by_mark_and_by_date(client, tile, root):
    path = root / tile.removeprefix("/media/")
    os.utime(path, (1.7e9, 1.7e9))
    head = client.head(tile)
    for same in (head["ETag"], head["Last-Modified"]):
        response = client.get(tile, headers={"Range": "bytes=0-9", "If-Range": same})
        assert (response.status_code, response.getvalue()) == (206, BYTES[:10])
    others = (f"W/{head['ETag']}", "Tue, 14 Nov 2023 22:13:21 GMT", "yesterday", '"x"')
    for other in others:
        response = client.get(tile, headers={"Range": "bytes=0-9", "If-Range": other})
        assert (response.status_code, response.getvalue()) == (200, BYTES)


def test_a_date_of_this_very_moment_is_not_exact_enough_for_a_range(client, tile):
    date = client.head(tile)["Last-Modified"]
    response = client.get(tile, headers={"Range": "bytes=0-9", "If-Range": date})
    assert (response.status_code, response.getvalue()) == (200, BYTES)


def test_dates_count_where_no_mark_is_given(client, tile, root):
    os.utime(root / tile.removeprefix("/media/"), (1.7e9, 1.7e9))
    date = client.head(tile)["Last-Modified"]
    same = client.get(tile, headers={"If-Modified-Since": date})
    assert (same.status_code, same.content, "Content-Type" in same) == (304, b"", False)
    assert same["ETag"] == client.head(tile)["ETag"]
    older = {"If-Modified-Since": "Mon, 13 Nov 2023 00:00:00 GMT"}
    both = {"If-Modified-Since": date, "If-None-Match": '"older"'}
    for headers in (older, both, {"If-Modified-Since": "soon"}):
        response = client.get(tile, headers=headers)
        assert (response.status_code, response.getvalue()) == (200, BYTES)


def test_a_file_put_in_the_place_of_another_has_another_mark(client, tile, root):
    path, etag = root / tile.removeprefix("/media/"), client.head(tile)["ETag"]
    status = path.stat()
    (path.parent / "new").write_bytes(BYTES[::-1])
    os.utime(path.parent / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (path.parent / "new").replace(path)
    assert client.head(tile)["ETag"] != etag


def test_an_empty_file_is_sent_and_has_no_range(client, root):
    (root / "empty.txt").touch()
    assert client.get("/media/empty.txt").content == b""
    assert client.get("/media/empty.txt", headers={"Range": "bytes=0-"}).status_code == 416
    assert client.get("/media/empty.txt", headers={"Range": "bytes=-5"}).status_code == 416


@pytest.mark.parametrize(
    ("name", "kind", "how"),
    [
        ("a.fits", "image/fits", "attachment"),
        ("a.fits.fz", "image/fits", "attachment"),
        ("a.png", "image/png", "inline"),
        ("a.PNG", "image/png", "inline"),
        ("a.log", "text/plain; charset=utf-8", "inline"),
        ("a.html", "text/html; charset=utf-8", "attachment"),
        ("a.svg", "image/svg+xml", "attachment"),
        ("a.xml", "application/xml", "attachment"),
        ("a.vot", "application/x-votable+xml", "attachment"),
        ("a.js", "text/javascript; charset=utf-8", "attachment"),
        ("a.png.gz", "application/octet-stream", "attachment"),
        ("data:,x.html", "text/html; charset=utf-8", "attachment"),
        ("a", "application/octet-stream", "attachment"),
    ],
)
def test_each_kind_of_file_has_its_type_and_only_pictures_and_text_are_shown(client, root, name, kind, how):
    (root / name).write_bytes(b"<script>1</script>")
    response = client.get(f"/media/{name}")
    response.close()
    assert (response["Content-Type"], response["Content-Disposition"].split(";")[0]) == (kind, how)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_what_lies_in_logs_is_text(client, root):
    (root / "LOGS").mkdir()
    (root / "LOGS/x.html").write_text("<b>")
    response = client.get("/media/LOGS/x.html")
    response.close()
    assert response["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("två.png", "inline; filename*=UTF-8''tv%C3%A5.png"),
        ('a"b.png', "inline; filename*=UTF-8''a%22b.png"),
        ("a\\b.png", "inline; filename*=UTF-8''a%5Cb.png"),
        ("a;b.png", "inline; filename*=UTF-8''a%3Bb.png"),
        ("a b.png", 'inline; filename="a b.png"'),
    ],
)
def test_no_name_can_end_the_header(client, root, name, said):
    (root / name).write_bytes(b"png")
    response = client.get("/media/" + quote(name))
    assert (response.status_code, response.getvalue()) == (200, b"png")
    assert response["Content-Disposition"] == said


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1.png", "a.png\n", "\x00", "\x7f.png", "\udcff"])
def test_no_line_end_gets_into_a_header(client, root, name):
    said = disposition(True, name)
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9_.%?~-]+", said)
    if "\0" not in name:
        (root / name).write_bytes(b"png")
        (root / "link.png").symlink_to(name)
        assert client.head("/media/" + quote(name, errors="surrogateescape")).status_code in (200, 404)
        assert client.head("/media/link.png").status_code in (200, 404)


def test_a_link_to_a_name_that_is_no_text_is_404(client, root):
    (root / os.fsdecode(b"\xff.png")).write_bytes(b"png")
    (root / "link.png").symlink_to(os.fsdecode(b"\xff.png"))
    assert client.get("/media/link.png").status_code == 404


@pytest.mark.parametrize(
    ("name", "kind"), [("F1.dzi", "application/xml"), ("F1_files/12/3_0.jpg", "image/jpeg")]
)
def test_the_tiles_of_a_colour_image_are_served(client, root, name, kind):
    path = root / "TILES/F1" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"content")
    response = client.get(f"/media/TILES/F1/{name}")
    assert (response.status_code, response["Content-Type"]) == (200, kind)
    assert b"".join(response) == b"content"


def test_a_web_server_before_this_one_sends_the_bytes(client, tile, root, tmp_path, settings):
    settings.MAR_ACCEL = "/protected/"
    response = client.get(tile, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.content) == (200, b"")
    assert response["X-Accel-Redirect"] == tile.replace("/media/", "/protected/")
    assert response["Content-Type"] == "image/fits"
    assert response["Content-Disposition"].startswith("attachment")
    (root / "CONFIG").mkdir()
    (root / "CONFIG/secret_key").write_text("secret")
    (root / "link").symlink_to(tmp_path)
    for hidden in ("CONFIG/secret_key", "link", "nothing", "TILES"):
        assert client.get(f"/media/{hidden}").status_code == 404
    assert Client().get(tile).status_code == 401


def test_the_path_handed_over_is_quoted_and_its_links_followed(client, root, settings):
    settings.MAR_ACCEL = "/protected/"
    (root / "TILES").mkdir()
    (root / "TILES/a%2e b?\n.png").write_bytes(b"png")
    (root / "newest.png").symlink_to(root / "TILES/a%2e b?\n.png")
    response = client.get("/media/newest.png")
    assert response["X-Accel-Redirect"] == "/protected/TILES/a%252e%20b%3F%0A.png"
    assert response["Content-Disposition"] == 'inline; filename="newest.png"'
