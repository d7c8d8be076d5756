"""What clients call a path: nothing leaves the root, nothing waits, and what is read is what was checked."""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from marserver.errors import Invalid, NotFound
from marserver.jobs.models import Job
from marserver.reduction import paths, requests
from marserver.reduction.paths import below_root, file_below, folder_below, inside, is_kept_back, open_inside

OUTSIDE = [
    "../elsewhere",
    "..",
    "RAW/../../x",
    "/etc",
    "/etc/passwd",
    "//etc",
    "/reductionmedia/../..",
    "/reductionmedia/../../etc",
    "../root-evil",
    "../root-evil/a.fits",
    "away",
    "away/a.fits",
    "away.fits",
    "a\0b",
    "\0",
    "\ud800",
]


@pytest.fixture
def places(root, tmp_path):
    """A root with a folder of raw frames, and what stands around it."""
    for folder in (root / "RAW", tmp_path / "elsewhere", tmp_path / "root-evil"):
        folder.mkdir()
        (folder / "a.fits").write_text(folder.name)
    (root / "away").symlink_to(tmp_path / "elsewhere")
    (root / "away.fits").symlink_to(tmp_path / "elsewhere/a.fits")
    (root / "within").symlink_to("RAW")
    return root


@pytest.mark.parametrize("path", OUTSIDE)
def test_what_is_outside_is_invalid_for_folders_and_files_alike(places, path):
    with pytest.raises(Invalid, match=r"^path: "):
        folder_below(path)
    with pytest.raises(Invalid, match=r"^filepath: "):
        file_below(path, "filepath")
    assert inside(places, path.removeprefix("/reductionmedia/")) is None


@pytest.mark.parametrize(
    "path", ["%2e%2e/elsewhere", "%252e%252e/elsewhere", "..\\elsewhere", "RAW\\..\\..\\elsewhere", "x" * 300]
)
def test_what_only_looks_like_a_way_out_is_a_name_that_is_not_there(places, path):
    with pytest.raises(NotFound):
        folder_below(path)
    with pytest.raises(NotFound):
        file_below(path, "filepath")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", "."),
        ("  ", "."),
        ("/reductionmedia", "."),
        ("/reductionmedia/", "."),
        ("RAW", "RAW"),
        ("RAW/", "RAW"),
        ("/reductionmedia/RAW", "RAW"),
        ("/reductionmedia//RAW", "RAW"),
        ("within", "RAW"),
        ("RAW/../RAW", "RAW"),
    ],
)
def test_each_spelling_of_a_folder_is_that_folder(places, path, found):
    assert folder_below(path) == found


def test_an_absolute_path_below_the_root_is_a_path_below_it(places):
    assert folder_below(str(places / "RAW")) == "RAW"


def test_the_older_spelling_is_a_whole_word(places):
    with pytest.raises(Invalid, match="outside"):
        below_root("/reductionmediaX/RAW")


def test_a_path_too_long_for_the_database_is_invalid(places):
    with pytest.raises(Invalid, match="more than 500 characters"):
        below_root("/".join(["x" * 100] * 6))


def test_a_loop_of_links_is_not_found(places):
    (places / "loop").symlink_to("loop")
    with pytest.raises(NotFound):
        folder_below("loop")
    with pytest.raises((NotFound, Invalid)):
        file_below("loop/x", "filepath")


def test_a_file_below_is_opened(places):
    with open_inside(places, "RAW/a.fits") as file:
        assert file.read() == b"RAW"


@pytest.mark.parametrize("path", ["away/a.fits", "away.fits", "within/a.fits"])
def test_no_link_is_followed_when_a_file_is_opened(places, path):
    with pytest.raises(OSError):
        open_inside(places, path)


@pytest.mark.parametrize(
    "path", ["../elsewhere/a.fits", "RAW/../../elsewhere/a.fits", "..", "/etc/passwd", "//etc/passwd"]
)
def test_what_leads_out_by_itself_is_not_opened_either(places, path):
    with pytest.raises(OSError, match="not a path below"):
        open_inside(places, path)
    with pytest.raises(OSError, match="out of the data root"):
        paths.open_below(places, path)


def test_a_link_that_stays_below_is_followed_where_that_is_wanted(places):
    with paths.open_below(places, "within/a.fits") as file:
        assert file.read() == b"RAW"
    with pytest.raises(OSError, match="out of the data root"):
        paths.open_below(places, "away/a.fits")


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder", "nothing", ""])
def test_what_is_no_file_is_refused_at_once(places, kind, monkeypatch):
    path = places / "RAW" / "x.fits"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(path.parent)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("x.fits")
    elif kind == "device":
        os.mknod(path, 0o020600, os.makedev(1, 5))
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(OSError):
        open_inside(places, "RAW/x.fits" if kind else ".")


def test_a_pipe_put_in_the_place_of_a_file_does_not_hold_us_up(places, monkeypatch):
    os.mkfifo(places / "RAW/x.fits")
    seen = (places / "RAW/a.fits").stat()
    monkeypatch.setattr(paths.os, "stat", lambda *place, **how: seen)  # as if it still were the file
    with pytest.raises(OSError, match="not a file"):
        open_inside(places, "RAW/x.fits")


def test_no_descriptor_is_left_open(places):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("RAW/a.fits", "away/a.fits", "RAW", "RAW/nothing", "RAW/nothing/x"):
        with suppress(OSError):
            open_inside(places, path).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_while_a_folder_is_swapped_for_a_link_nothing_outside_is_ever_read(places, tmp_path):
    done = threading.Event()

    def swap():
        while not done.is_set():
            (places / "RAW").rename(places / "kept")
            (places / "RAW").symlink_to(tmp_path / "elsewhere")
            (places / "RAW").unlink()
            (places / "kept").rename(places / "RAW")

    thread = threading.Thread(target=swap)
    thread.start()
    read = set()
    for _ in range(3000):
        with suppress(OSError), paths.open_below(places, "RAW/a.fits") as file:
            read.add(file.read())
    done.set()
    thread.join()
    assert read <= {b"RAW"}  # whichever thread was faster
    with paths.open_below(places, "RAW/a.fits") as file:
        assert file.read() == b"RAW"


@pytest.mark.parametrize(
    "path",
    ["CONFIG/x", "TMP/x", "TMP/queries/1/x.csv", ".x", "a/.b/c", "mar.sqlite3", "a/mar.sqlite3-shm", "."],
)
def test_what_is_for_the_server_alone_is_kept_back(root, path):
    assert is_kept_back(path)


@pytest.mark.parametrize("path", ["RAW/CONFIG/x", "RAW/TMP/x", "a/b.c", "LOGS/x", "TILES/F1/F1.png"])
def test_what_only_has_such_a_name_elsewhere_is_not(root, path):
    assert not is_kept_back(path)


@pytest.mark.django_db
@pytest.mark.parametrize("path", OUTSIDE)
def test_a_scan_outside_the_root_is_400_and_nothing_is_queued(call, places, path):
    answer = call("scan_folder", path=path)
    assert (call.status, answer["status"]) == (400, False)
    assert "path" in answer["msg"]
    assert not Job.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["MASTERS", "/reductionmedia/TILES/F1", "CONFIG", "TMP", "PROCESSED/R/20240301", "linked"]
)
def test_a_scan_of_a_folder_of_products_is_400(call, root, path):
    for folder in ("MASTERS", "TILES/F1", "CONFIG", "TMP", "PROCESSED/R/20240301"):
        (root / folder).mkdir(parents=True)
    (root / "linked").symlink_to("TILES")
    answer = call("scan_folder", path=path)
    assert call.status == 400
    assert "holds products" in answer["msg"]


@pytest.mark.django_db
def test_a_scan_of_a_file_or_of_nothing_is_404(call, places):
    for path in ("RAW/a.fits", "nowhere", "RAW/nowhere"):
        call("scan_folder", path=path)
        assert call.status == 404


@pytest.mark.django_db
def test_a_scan_is_audited(places):
    from marserver.audit.record import history

    job = requests.scan_folder("RAW", asked_by="alice").values["job"]
    (line,) = history("operation", job)
    assert (line["user"], line["action"]) == ("alice", "scan_folder")
