"""The scan: what becomes a frame, what is refused and why."""

import os
import shutil
import threading
import time
from datetime import UTC, date, datetime

import numpy as np
import pytest
from astropy.io import fits

from mar.camera import load_camera
from mar.io.names import Layout
from marserver.archive.models import IndividualFile
from marserver.errors import Invalid, NotFound
from marserver.jobs.models import Job, LogLine
from marserver.jobs.worker import Worker
from marserver.reduction import ingest, requests
from marserver.reduction.tasks import TASKS

pytestmark = pytest.mark.django_db


@pytest.fixture
def camera(settings):
    settings.MAR_CAMERA = "t80cam-mini"
    return load_camera("t80cam-mini")


def raw(path, camera, shape=None, compressed=False, level=0, **cards):
    """A small raw file; a card given as None is left out."""
    header = fits.Header()
    values = {
        "OBJECT": "SPLUS n01 s02", "FILTER": "R", "EXPTIME": 30.0, "IMAGETYP": "LIGHT",
        "DATE-OBS": "2024-03-01T05:06:07.5", "RA": "10:00:00", "DEC": "-30:00:00",
    } | cards  # fmt: skip
    for card, value in values.items():
        if value is not None:
            header[card] = value
    data = np.full(shape or camera.raw_shape, level, np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = fits.CompImageHDU if compressed else fits.PrimaryHDU
    kind(data, header).writeto(path)
    past = time.time() - 60
    os.utime(path, (past, past))
    return path


def names():
    return sorted(IndividualFile.objects.values_list("file_name", flat=True))


def scan(root, camera, folder=".", contains=""):
    return ingest.scan(root, folder, camera, contains, tell=lambda reason: None)


def test_it_works(root, camera):
    raw(root / "RAW/night/sci1.fits", camera)
    assert scan(root, camera).sentence() == "1 new frames, 0 known, 0 refused"
    frame = IndividualFile.objects.get()
    assert (frame.file_name, frame.file_path) == ("sci1", "RAW/night/sci1.fits")
    assert (frame.file_type, frame.band, frame.field, frame.exptime) == ("SCI", "R", "SPLUS-n01-s02", 30.0)
    assert frame.obs_date == datetime(2024, 3, 1, 5, 6, 7, 500000, UTC)
    assert frame.night == date(2024, 2, 29)
    assert (frame.crval1, frame.crval2) == pytest.approx((150.0, -30.0))


def test_types_are_told_apart(root, camera):
    raw(root / "RAW/a.fits", camera, EXPTIME=0.0, FILTER=None, OBJECT=None)
    raw(root / "RAW/b.fits", camera, IMAGETYP="SKYFLAT")
    raw(root / "RAW/c.fits.fz", camera, compressed=True)
    scan(root, camera)
    assert list(IndividualFile.objects.order_by("file_name").values_list("file_name", "file_type")) == [
        ("a", "BIAS"),
        ("b", "FLAT"),
        ("c", "SCI"),
    ]


def test_a_second_scan_finds_nothing_new(root, camera):
    raw(root / "RAW/sci1.fits", camera)
    scan(root, camera)
    again = scan(root, camera)
    assert (again.new, again.known, again.refused) == (0, 1, [])


def test_product_folders_truth_and_hidden_files_are_passed_by(root, camera):
    for place in (
        "PROCESSED/R/x.fits",
        "MASTERS/BIAS/m.fits",
        "TMP/t.fits",
        "RAW/TRUTH/s.fits",
        "RAW/.part.fits",
    ):
        raw(root / place, camera)
    raw(root / "RAW/TMP/mine.fits", camera)
    scan(root, camera)
    assert names() == ["mine"]


def test_compressed_and_plain_files_of_one_name_are_one_frame(root, camera):
    raw(root / "RAW/a.fits", camera)
    raw(root / "RAW/a.fits.fz", camera, compressed=True)
    assert scan(root, camera).new == 1
    (root / "RAW/a.fits").unlink()
    assert scan(root, camera).sentence() == "0 new frames, 1 known, 0 refused"
    assert IndividualFile.objects.get().file_path == "RAW/a.fits.fz"


def test_another_file_of_a_known_name_is_refused_with_both_paths(root, camera):
    raw(root / "RAW/one/a.fits", camera, level=1)
    raw(root / "RAW/two/a.fits", camera, level=2)
    reasons = scan(root, camera).refused
    assert len(reasons) == 1
    assert "RAW/one/a.fits" in reasons[0]
    assert "RAW/two/a.fits" in reasons[0]
    assert IndividualFile.objects.get().file_path == "RAW/one/a.fits"


def test_a_copy_of_a_known_frame_is_known(root, camera):
    raw(root / "RAW/one/a.fits", camera, level=1)
    (root / "RAW/two").mkdir()
    shutil.copy2(root / "RAW/one/a.fits", root / "RAW/two/a.fits")
    assert scan(root, camera).sentence() == "1 new frames, 1 known, 0 refused"


def test_names_may_come_again_where_the_camera_says_so(root, camera):
    camera = camera.model_copy(update={"unique_name": "path"})
    raw(root / "RAW/one/a.fits", camera, level=1)
    raw(root / "RAW/two/a.fits", camera, level=2)
    assert scan(root, camera).new == 2
    assert names() == ["RAW/one/a", "RAW/two/a"]


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"FILTER": None}, "FILTER"),
        ({"DATE-OBS": None}, "DATE-OBS"),
        ({"FILTER": "B"}, "no filter 'B'"),
        ({"DATE-OBS": "yesterday"}, "yesterday"),
        ({"EXPTIME": "long"}, "EXPTIME"),
        ({"OBJECT": None}, "OBJECT"),
    ],
)
def test_a_bad_header_is_refused_by_path_and_card(root, camera, cards, said):
    raw(root / "RAW/bad.fits", camera, **cards)
    raw(root / "RAW/good.fits", camera)
    reason = scan(root, camera).refused[0]
    assert reason.startswith("RAW/bad.fits: ")
    assert said in reason
    assert names() == ["good"]


def test_a_wrong_size_is_refused(root, camera):
    raw(root / "RAW/small.fits", camera, shape=(10, 12))
    assert "12 x 10 pixels" in scan(root, camera).refused[0]
    assert names() == []


def test_a_truncated_file_is_refused_and_taken_when_it_is_whole(root, camera):
    path = raw(root / "RAW/part.fits", camera)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "truncated" in scan(root, camera).refused[0]
    path.write_bytes(whole)
    assert scan(root, camera).new == 1


def test_a_file_that_grows_is_refused(root, camera, monkeypatch):
    path = raw(root / "RAW/grows.fits", camera)
    os.utime(path)
    done = threading.Event()

    def grow():
        with path.open("ab") as file:
            while not done.wait(0.002):
                file.write(b"more")
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    reasons = scan(root, camera).refused
    done.set()
    thread.join()
    assert "still growing" in reasons[0]


def test_a_text_file_is_refused(root, camera):
    (root / "RAW").mkdir()
    (root / "RAW/text.fits").write_text("hello")
    assert scan(root, camera).refused == ["RAW/text.fits: not a FITS file"]


def test_an_empty_folder_is_no_error(root, camera):
    (root / "RAW").mkdir()
    assert scan(root, camera, "RAW").sentence() == "0 new frames, 0 known, 0 refused"


def test_links_out_of_the_root_are_refused(root, camera, tmp_path):
    raw(tmp_path / "secret/a.fits", camera)
    (root / "RAW").mkdir()
    (root / "RAW/a.fits").symlink_to(tmp_path / "secret/a.fits")
    (root / "RAW/folder").symlink_to(tmp_path / "secret")
    reasons = scan(root, camera).refused
    assert len(reasons) == 1
    assert "link out of the data root" in reasons[0]
    assert names() == []


def test_contains_is_a_part_of_the_path(root, camera):
    raw(root / "RAW/n1/a.fits", camera)
    raw(root / "RAW/n2/b.fits", camera)
    scan(root, camera, contains="n2/")
    assert names() == ["b"]


def test_what_is_found_is_kept_piece_by_piece(root, camera, monkeypatch):
    monkeypatch.setattr(ingest, "FILES_AT_ONCE", 2)
    for name in "abcde":
        raw(root / f"RAW/{name}.fits", camera)
    seen = []
    ingest.scan(root, ".", camera, progress=lambda step, done, total: seen.append((done, len(names()))))
    assert seen[1:] == [(0, 0), (2, 2), (4, 4), (5, 5)]


def test_a_scan_is_asked_for_run_and_told(root, camera):
    raw(root / "RAW/good.fits", camera)
    raw(root / "RAW/bad.fits", camera, FILTER=None)
    outcome = requests.scan_folder("/reductionmedia/RAW", asked_by="alice")
    job = Job.objects.get(pk=outcome.values["job"])
    assert Worker(TASKS).run_one()
    job.refresh_from_db()
    assert (job.status, job.outcome) == ("done", "RAW: 1 new frames, 0 known, 1 refused")
    assert job.result["refused"][0].startswith("RAW/bad.fits: ")
    assert LogLine.objects.filter(job=job, level="WARN", text__startswith="RAW/bad.fits").exists()


@pytest.mark.parametrize("path", ["../elsewhere", "/etc", "/reductionmedia/../..", "RAW/../../x", "a\0b"])
def test_a_folder_outside_the_root_is_invalid(root, path):
    with pytest.raises(Invalid, match="path"):
        requests.scan_folder(path)


def test_a_link_to_a_folder_outside_is_invalid(root, tmp_path):
    (root / "away").symlink_to(tmp_path)
    with pytest.raises(Invalid, match="outside the data root"):
        requests.scan_folder("away")


def test_a_folder_that_is_not_there_is_not_found(root):
    with pytest.raises(NotFound, match="no folder nowhere"):
        requests.scan_folder("nowhere")


def test_pipes_and_devices_are_refused_and_hold_nothing_up(root, camera):
    raw(root / "RAW/good.fits", camera)
    os.mkfifo(root / "RAW/pipe.fits")
    os.mknod(root / "RAW/socket.fits", 0o140600)
    (root / "RAW/device.fits").symlink_to("/dev/zero")
    (root / "RAW/linked.fits").symlink_to("pipe.fits")
    (root / "RAW/broken.fits").symlink_to("nothing.fits")
    (root / "RAW/folder.fits").mkdir()
    reasons = scan(root, camera).refused
    assert [reason.split(":")[0] for reason in reasons] == [
        f"RAW/{name}.fits" for name in ("broken", "device", "linked", "pipe", "socket")
    ]
    assert "cannot be read: No such file" in reasons[0]
    assert "link out of the data root" in reasons[1]
    assert all("a pipe or a device" in reason for reason in reasons[2:])
    assert names() == ["good"]


def test_links_into_products_are_refused_and_those_to_raw_frames_followed(root, camera):
    raw(root / "PROCESSED/R/p.fits", camera)
    raw(root / "KEPT/a.fits", camera)
    (root / "RAW").mkdir()
    (root / "RAW/p.fits").symlink_to(root / "PROCESSED/R/p.fits")
    (root / "RAW/b.fits").symlink_to("../KEPT/a.fits")
    scanned = scan(root, camera, "RAW")
    assert scanned.refused == ["RAW/p.fits: it is a link into PROCESSED, which a scan passes by"]
    assert IndividualFile.objects.get().file_path == "RAW/b.fits"


def test_a_frame_that_becomes_a_link_after_the_check_is_not_read(root, camera, tmp_path, monkeypatch):
    raw(tmp_path / "secret/a.fits", camera)
    (root / "RAW").mkdir()
    (root / "RAW/a.fits").symlink_to(tmp_path / "secret/a.fits")
    # the checks see the file as it was a moment ago
    monkeypatch.setattr("marserver.reduction.folders.misplaced", lambda *seen: "")
    monkeypatch.setattr("marserver.reduction.paths.inside", lambda root, path: path)
    assert "RAW/a.fits: cannot be read" in scan(root, camera).refused[0]
    assert names() == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"a\xff.fits", "RAW/a\\udcff.fits: its name holds characters"),
        (b"a\nb.fits", "RAW/a\\nb.fits: its name holds characters"),
        ("två.fits".encode(), "RAW/två.fits: its name holds characters"),
        (b"n" * 201 + b".fits", "its name has more than 200 characters"),
    ],
)
def test_a_name_that_no_header_can_hold_is_refused(root, camera, name, said):
    path = raw(root / "RAW/good.fits", camera)
    shutil.copy2(path, root / "RAW" / os.fsdecode(name))
    (reason,) = scan(root, camera).refused
    assert said in reason
    assert reason.isprintable()
    assert names() == ["good"]


def test_a_name_too_long_with_its_folders_is_refused_where_folders_belong_to_it(root, camera):
    camera = camera.model_copy(update={"unique_name": "path"})
    raw(root / ("d" * 200) / ("n" * 150 + ".fits"), camera)
    assert "more than 300 characters" in scan(root, camera).refused[0]


def test_a_folder_that_cannot_be_read_is_reported(root, camera, monkeypatch):
    raw(root / "RAW/good.fits", camera)
    raw(root / "SHUT/a.fits", camera)
    look = os.scandir

    def shut(path):
        if "SHUT" in str(path):
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr("marserver.reduction.folders.os.scandir", shut)  # a mode of 0 does not stop root
    assert scan(root, camera).refused == ["SHUT/: cannot be read: Permission denied"]
    assert names() == ["good"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("../../etc/passwd", "-..-etc-passwd"),
        ("/etc/passwd", "-etc-passwd"),
        ("..\\..\\x", "-..-x"),
        ("a/b c  d", "a-b-c-d"),
        ("a\tb", None),
        (".hidden", "hidden"),
        ("....", None),
        ("..", None),
        ("x" * 68, "x" * 68),
    ],
)
def test_no_object_leads_out_of_the_folder_of_tiles(root, camera, said, field):
    path = raw(root / "RAW/a.fits", camera, OBJECT="placeholder".ljust(68, "#"))
    content = path.read_bytes().replace(b"placeholder".ljust(68, b"#"), said.ljust(68).encode())
    path.write_bytes(content)
    scanned = scan(root, camera)
    if field is None:
        assert "no OBJECT" in scanned.refused[0]
        return
    assert IndividualFile.objects.get().field == field
    for tile in (Layout(root).tile(field, "R", True), Layout(root).colour_image(field)):
        assert tile.resolve().parent == root.resolve() / "TILES" / field


def test_an_object_too_long_for_the_name_of_a_file_is_refused(root, camera):
    raw(root / "RAW/a.fits", camera, OBJECT="x" * 151)
    assert "OBJECT has 151 characters; a field has at most 150" in scan(root, camera).refused[0]


@pytest.mark.parametrize("date_obs", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_outside_the_calendar_is_refused(root, camera, date_obs):
    raw(root / "RAW/a.fits", camera, **{"DATE-OBS": date_obs})
    assert "outside the calendar" in scan(root, camera).refused[0]


def test_a_pointing_that_is_no_number_is_unknown(root, camera):
    raw(root / "RAW/a.fits", camera, RA="nan", DEC="inf")
    scan(root, camera)
    frame = IndividualFile.objects.get()
    assert (frame.crval1, frame.crval2) == (None, None)


def test_fields_that_are_asked_for_are_names_that_a_scan_found(call, root, camera):
    raw(root / "RAW/a.fits", camera)
    scan(root, camera)
    for field in ("../../etc", "/etc", "..", "SPLUS-n01-s02/../..", ".", "TILES"):
        for endpoint, more in (
            ("finaltiles", {"type": "processfield"}),
            ("finaltiles", {"type": "process", "band": "R"}),
            ("fieldimage", {"type": "process", "partial": True}),
            ("request_twelve_im", {}),
            ("get_trilogy_image", {}),
        ):
            answer = call(endpoint, field=field, **more)
            assert (call.status, answer["status"]) == (404, False)
    assert not Job.objects.exists()


def test_a_folder_gone_since_it_was_asked_for_is_reported(root, camera):
    (root / "RAW").mkdir()
    outcome = requests.scan_folder("RAW")
    (root / "RAW").rmdir()
    assert Worker(TASKS).run_one()
    job = Job.objects.get(pk=outcome.values["job"])
    assert job.result["refused"] == ["RAW/: cannot be read: No such file or directory"]
