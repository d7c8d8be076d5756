"""A night through the HTTP API with the real server, worker and library; also when the worker is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mar.io.catalogs import read_catalog, write_catalog
from mar.io.fits import open_image, read_image, write_image
from mar.io.names import Layout
from mar.refcat.packs import RefCat
from marclient import Client, Conflict, NotFound

FIELD = "SPLUS-s25s10"
NIGHT = {"startDate": "2024-03-01", "endDate": "2024-03-02"}
MAR = [sys.executable, "-c", "from mar.main import main; main()"]
WITHIN_S = 300


class Site:
    """A data root with the commands that run on it, each a process of its own."""

    def __init__(self, root: Path, engine: str = "inline") -> None:
        self.root = root
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAR_")}
        self.environment = {**kept, "MAR_ROOT": str(root), "MAR_CAMERA": "t80cam-mini", "MAR_ENGINE": engine}
        self.processes: list[subprocess.Popen] = []
        self.client: Client | None = None

    def start(self, *words: str) -> subprocess.Popen:
        """Start a command of mar."""
        process = subprocess.Popen(
            [*MAR, *words], env=self.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.processes.append(process)
        return process

    def open(self) -> Client:
        """Start the API and log in as Alice, an operator."""
        url = self.start("serve", "--port", "0").stdout.readline().split()[3]
        self.client = Client(url)
        self.client.login("alice", "wonderland-7")
        return self.client

    def add_alice(self) -> None:
        """Her account, by the command, also in an empty root."""
        words = [*MAR, "user", "add", "alice", "--role", "operator", "--password-stdin"]
        subprocess.run(words, input="wonderland-7\n", env=self.environment, text=True, check=True)

    def run(self, endpoint: str, **body) -> dict:
        """Ask for work and wait for its end; gives the ended operation."""
        job = self.client.call(endpoint, **body).values["job"]
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            ended = {one["id"]: one for one in self.client.call("getOperations", nums=100).msg}
            if job in ended:
                return ended[job]
            time.sleep(0.2)
        raise AssertionError(f"{endpoint} did not end within {WITHIN_S} s")

    def frames(self) -> list[dict]:
        """The raw science frames."""
        rows = self.client.call("individualfile", type="get", contains="_R").msg
        return [row for row in rows if row["file_type"] == "SCI"]

    def close(self) -> None:
        """End everything that was started."""
        if self.client is not None:
            self.client.close()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(60)
            process.stdout.close()


def processed(root: Path) -> dict[str, str]:
    """Checksums of the pixels of all processed frames and tiles, by file name."""
    sums = {}
    for path in [*root.glob("PROCESSED/R/*/*"), *root.glob("PROCESSED/BPMASK/*"), *root.glob("TILES/*/*.fz")]:
        with open_image(path) as image:
            sums[path.name] = image.checksum
    return sums


@pytest.fixture(scope="module")
def prepared(night, tmp_path_factory) -> Path:
    """A root whose masters are made, its server stopped: each test works on a copy."""
    root = tmp_path_factory.mktemp("prepared") / "root"
    shutil.copytree(night.raw, root / "20240301", ignore=shutil.ignore_patterns("*_Z.fits", "*-Z.fits"))
    bad_frames(root / "20240301")
    layout = Layout(root)
    layout.make_folders()
    RefCat(layout.reference).add(Path(night.reference), "simulated")
    site = Site(root)
    try:
        site.add_alice()
        client = site.open()
        site.start("worker")
        scanned = site.run("scan_folder", path="20240301")
        assert scanned["error"] == ""
        for kind in ("biasblock", "flatblock"):
            block = client.call(kind, type="create", **NIGHT).values["id"]
            assert site.run(kind, type="process", id=block)["error"] == ""
        client.call("sciblock", type="create", **NIGHT)
    finally:
        site.close()
    return root


def bad_frames(folder: Path) -> None:
    """What real folders hold beside good frames."""
    good = next(folder.glob("S*_R.fits"))
    data, header = read_image(good)
    (folder / "diary.fits").write_text("dear diary")
    (folder / "cut.fits").write_bytes(good.read_bytes()[:-300_000])
    write_image(folder / "small.fits", data[:300], header)
    for card in ("FILTER", "DATE-OBS"):
        without = header.copy()
        without.remove(card)
        write_image(folder / f"without-{card.lower()}.fits", data, without)


@pytest.fixture
def site(prepared, tmp_path):
    """A copy of the prepared root, without anything running yet."""
    shutil.copytree(prepared, tmp_path / "root", symlinks=True)
    made = Site(tmp_path / "root")
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(prepared, tmp_path_factory) -> Path:
    """The science block reduced without any disturbance, on the local Dask cluster."""
    root = tmp_path_factory.mktemp("undisturbed") / "root"
    shutil.copytree(prepared, root)
    site = Site(root, engine="")
    try:
        site.open()
        site.start("worker")
        ended = site.run("sciblock", type="process", id=1)
        assert ended["error"] == ""
        assert [row["status"] for row in site.frames()] == [5, 5, 5]
        tiles = site.client.call("finaltiles", type="get", field=FIELD, band="R").msg
        assert [(tile["ncombine"], tile["status"]) for tile in tiles] == [(3, 1)]
    finally:
        site.close()
    return root


def test_a_scan_names_every_frame_that_it_refuses(site):
    client = site.open()
    log = "\n".join(client.call("get_logs").msg["main"])
    for name, reason in {
        "diary.fits": "not a FITS file",
        "cut.fits": "truncated",
        "small.fits": "300",
        "without-filter.fits": "no filter",
        "without-date-obs.fits": "no date",
    }.items():
        assert any(name in line and reason in line for line in log.splitlines()), name
    assert len(site.frames()) == 3


def test_products_are_served_with_their_thumbnails(undisturbed):
    site = Site(undisturbed)
    try:
        client = site.open()
        tile = client.call("finaltiles", type="get", field=FIELD, band="R").msg[0]
        headers = {"Authorization": f"Bearer {client.token}"}
        for key, begins in (("file_thumb", b"\x89PNG"), ("file_path", b"SIMPLE")):
            answer = client.http.get(f"/media/{tile[key]}", headers=headers)
            assert answer.status_code == 200
            assert answer.content.startswith(begins)
    finally:
        site.close()


def test_a_killed_worker_ends_with_the_same_pixels_and_does_no_frame_twice(site, undisturbed):
    client = site.open()
    worker = site.start("worker")
    client.call("sciblock", type="process", id=1)
    until = time.monotonic() + WITHIN_S
    while not 0 < len(done := [row for row in site.frames() if row["status"] == 5]) < 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    # masks: the headers of images are written once more when the frames of a field are solved together
    masks = [path for path in site.root.glob("PROCESSED/BPMASK/*") if ".tmp" not in path.name]
    written = {path: path.stat().st_mtime_ns for path in masks}
    finished = {row["file_name"] for row in done}
    site.start("worker")
    while not (ended := [one for one in client.call("getOperations").msg if "sciblock" in one["operation"]]):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert ended[0]["error"] == ""
    assert processed(site.root) == processed(undisturbed)
    kept = [path for path in masks if path.name.removeprefix("bpmask_proc_").split(".")[0] in finished]
    assert len(kept) == len(finished)
    assert all(path.stat().st_mtime_ns == written[path] for path in kept)
    assert not list(site.root.glob("**/*.tmp"))


def test_frames_without_a_master_for_their_date_fail_with_words_and_are_done_later(site):
    client = site.open()
    site.start("worker")
    client.call("biasblock", type="validate", id=1)
    ended = site.run("sciblock", type="process", id=1)
    for row in site.frames():
        assert (row["status"], row["failed_step"]) == (0, "ov")
        assert "bias" in row["error"]
        assert "2024-03-02" in row["error"]
    assert not list(site.root.glob("PROCESSED/R/*/*"))
    client.call("biasblock", type="validate", id=1)
    ended = site.run("sciblock", type="process", id=1, code="ov")
    assert ended["error"] == ""
    for row in site.frames():
        assert (row["status"], row["error"]) == (1, "")


def test_what_is_not_there_is_said(site):
    client = site.open()
    site.start("worker")
    (site.root / "empty").mkdir()
    assert site.run("scan_folder", path="empty")["error"] == ""
    with pytest.raises(NotFound, match="2024-03"):
        client.call("biasblock", type="create", startDate="2023-01-01", endDate="2023-01-02")
    with pytest.raises(Conflict):
        client.call("biasblock", type="process", id=1)
    with pytest.raises(NotFound):
        client.call("sciblock", type="process", id=99)


def test_a_reference_without_stars_in_the_field_fails_each_frame_with_words(site):
    client = site.open()
    site.start("worker")
    layout = Layout(site.root)
    elsewhere = RefCat(layout.reference).packs()[0].path
    table = read_catalog(elsewhere)
    table["DEC"] = -table["DEC"]
    elsewhere.unlink()
    write_catalog(site.root / "elsewhere.fits", table)
    RefCat(layout.reference).add(site.root / "elsewhere.fits", "elsewhere", 2016.0)
    site.run("sciblock", type="process", id=1)
    for row in site.frames():
        assert (row["status"], row["failed_step"]) == (3, "am")
        assert "no reference star" in row["error"]
    assert client.call("finaltiles", type="get", field=FIELD).msg == []
