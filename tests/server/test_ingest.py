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
