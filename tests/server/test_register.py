"""Masters made earlier become blocks, by path; whatever is wrong with one is said by card."""

import os
import re
import shutil
import sys
from datetime import UTC, date, datetime

import numpy as np
import pytest
from astropy.io import fits
from tests.server.nights import frame

from mar import run
from mar.camera import load_camera
from mar.config import load_config
from mar.frame import set_cards
from mar.io.fits import write_image
from mar.io.names import Layout
from mar.run.products import MasterFiles
from marserver.archive.models import BiasBlock, FlatByFilter, IndividualFile, Superflat
from marserver.audit.record import history
from marserver.reduction import paths, plan

pytestmark = pytest.mark.django_db
KIND = {"BIAS": "biasblock", "FLAT": "flatbyfilter", "FRINGE": "superflat"}
GOOD = {"START_DATE": "2024-03-01", "END_DATE": "2024-03-02"}
STATISTICS = {"NCMODE": 10.5, "NCMIDPT": 10.25, "NCNOISE": 3.5, "NCMIDRMS": 0.5, "NCNOIRMS": 0.25}


@pytest.fixture(autouse=True)
def mini(root, settings):
    settings.MAR_CAMERA = "t80cam-mini"
    return load_camera("t80cam-mini")


@pytest.fixture
def master(root, mini):
    """Writes a master below OLD, and its mask unless `mask` is false; cards given as None are left out."""

    def write(kind="BIAS", name="old.fits", shape=None, mask=True, statistics=None, **cards):
        values = {"MASTER_TYPE": kind, **GOOD, "BAND": "R", "MASK_NAME": "mask.fits"}
        values |= {f"MAR QC {card}": value for card, value in (statistics or {}).items()}
        header = fits.Header()
        set_cards(header, {card: value for card, value in (values | cards).items() if value is not None})
        data = np.full(shape or mini.shape, 7.0, np.float32)
        data[:, data.shape[1] // 2 :] = 9.0  # where the mask is set
        write_image(root / "OLD" / name, data, header)
        if mask:
            bits = np.zeros(mini.shape, np.uint8)
            bits[:, bits.shape[1] // 2 :] = 1
            write_image(root / "OLD" / "mask.fits", bits, fits.Header())
        return f"OLD/{name}"

    return write


def register(call, path, kind="biasblock"):
    return call(kind, type="register", filepath=path)


@pytest.mark.parametrize(
    ("kind", "model"), [("BIAS", BiasBlock), ("FLAT", FlatByFilter), ("FRINGE", Superflat)]
)
def test_it_works(call, root, master, kind, model):
    answer = register(call, master(kind), KIND[kind])
    assert (call.status, answer["status"]) == (200, True)
    block = model.objects.get(pk=answer["id"])
    assert (block.status, block.isvalid) == (1, True)
    assert (block.block_start_date, block.block_end_date) == (date(2024, 3, 1), date(2024, 3, 2))
    assert getattr(block, "band", "R") == "R"
    assert block.checksum.isdigit()
    shown = call(KIND[kind], type="get", id=answer["id"])["msg"][0]
    paths = {key: value for key, value in shown.items() if key.endswith(("Path", "Thumb"))}
    masks = {"maskPath": "OLD/mask.fits"} if kind != "FRINGE" else {}
    assert masks.items() <= paths.items()
    assert "OLD/old.fits" in paths.values()
    for key, path in paths.items():
        start = b"\x89PNG" if key.endswith("Thumb") else b"SIMPLE"
        assert (root / path).read_bytes().startswith(start)


def test_statistics_are_those_of_the_header_else_measured(call, master):
    said = register(call, master(statistics=STATISTICS))["id"]
    measured = register(call, master(name="other.fits", statistics={"NCMODE": 1.0}))["id"]
    said, measured = BiasBlock.objects.get(pk=said), BiasBlock.objects.get(pk=measured)
    columns = ("modeavg", "medianavg", "noiseavg", "medianrms", "noiserms")
    assert [getattr(said, column) for column in columns] == list(STATISTICS.values())
    assert measured.medianavg == pytest.approx(7.0)  # of the pixels that the mask leaves
    assert measured.noiseavg == 0


def test_it_is_audited(call, alice, master):
    pk = register(call, master())["id"]
    (line,) = history("biasblock", pk)
    assert (line["user"], line["action"], line["after"]["path"]) == ("alice", "register", "OLD/old.fits")


def test_the_older_spelling_and_the_absolute_path_below_the_root_are_the_same_file(call, root, master):
    path = master()
    assert register(call, f"/reductionmedia/{path}")["status"] is True
    assert "already the master of biasblock" in register(call, str(root / path))["msg"]
    assert call.status == 409


def test_the_same_file_twice_is_a_conflict_that_names_the_block(call, root, master):
    path = master()
    pk = register(call, path)["id"]
    (root / "again.fits").symlink_to(root / path)
    for other in (path, f"OLD/../{path}", "again.fits"):
        assert f"biasblock {pk}" in register(call, other)["msg"]
        assert call.status == 409
    assert BiasBlock.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "cards", "said"),
    [
        ("BIAS", {"MASTER_TYPE": None}, "MASTER_TYPE is missing; it must be BIAS"),
        ("BIAS", {"MASTER_TYPE": "FLAT"}, "MASTER_TYPE = 'FLAT'; it must be BIAS"),
        ("FLAT", {"MASTER_TYPE": "BIAS"}, "MASTER_TYPE = 'BIAS'; it must be FLAT"),
        ("BIAS", {"START_DATE": None}, "START_DATE is missing; it must be a day YYYY-MM-DD"),
        ("BIAS", {"END_DATE": "2024-02-31"}, "END_DATE = '2024-02-31'; it must be a day YYYY-MM-DD"),
        ("BIAS", {"START_DATE": 20240301}, "START_DATE"),
        ("BIAS", {"START_DATE": "2024-03-09"}, "START_DATE 2024-03-09 is after END_DATE"),
        ("FLAT", {"BAND": None}, "BAND is missing; it must be one of U, F378"),
        ("FRINGE", {"BAND": "B"}, "BAND = 'B'; it must be one of U, F378"),
        ("BIAS", {"MASK_NAME": None}, "MASK_NAME is missing"),
        ("FLAT", {"MASK_NAME": "nothing.fits"}, "MASK_NAME = 'nothing.fits': there is no such file"),
        ("BIAS", {"MASK_NAME": "../OLD/mask.fits"}, "MASK_NAME"),
        ("BIAS", {"MASK_NAME": "/etc/passwd"}, "MASK_NAME"),
        ("BIAS", {"MASK_NAME": ".."}, "MASK_NAME"),
        ("BIAS", {"MASK_NAME": "..\\mask.fits"}, "MASK_NAME"),
        ("BIAS", {"MASK_NAME": "m" * 60 + ".fits"}, "MASK_NAME"),
    ],
)
def test_each_wrong_card_is_named(call, master, kind, cards, said):
    answer = register(call, master(kind, **cards), KIND[kind])
    assert call.status == 400
    assert said in answer["msg"]


def test_a_nul_in_the_name_of_the_mask_is_refused(call, root, master):
    path = root / master(MASK_NAME="mask.fits#x")
    path.write_bytes(path.read_bytes().replace(b"mask.fits#x", b"mask.fits\0x"))
    assert "MASK_NAME" in register(call, path.relative_to(root).as_posix())["msg"]
    assert call.status == 400


def test_a_mask_that_leads_out_of_the_root_is_refused(call, root, master, tmp_path):
    path = master()
    (root / "OLD/mask.fits").rename(tmp_path / "mask.fits")
    (root / "OLD/mask.fits").symlink_to(tmp_path / "mask.fits")
    assert "out of the data root" in register(call, path)["msg"]
    assert call.status == 400


@pytest.mark.parametrize("value", [-1.0, 0.5, 256.0, np.nan])
def test_a_mask_of_other_than_bits_is_refused(call, root, mini, master, value):
    path = master()
    write_image(root / "OLD/mask.fits", np.full(mini.shape, value, np.float32), fits.Header())
    assert "0 to 255" in register(call, path)["msg"]


def test_another_shape_than_the_camera_is_refused_for_master_and_mask(call, root, master):
    answer = register(call, master(shape=(10, 12)))
    assert call.status == 400
    assert "12 x 10 pixels; a master of t80cam-mini has" in answer["msg"]
    path = master()
    write_image(root / "OLD/mask.fits", np.zeros((3, 4), np.uint8), fits.Header())
    assert "mask.fits: 4 x 3 pixels" in register(call, path)["msg"]


def test_a_damaged_file_is_refused_by_name(call, root, master):
    path = root / master()
    whole = path.read_bytes()
    for content in (b"", b"no FITS", whole[:5000], whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert re.search(r"filepath: old\.fits", register(call, "OLD/old.fits")["msg"])
        assert call.status == 400


def test_a_master_without_any_value_is_refused(call, root, mini, master):
    path = root / master()
    write_image(path, np.full(mini.shape, np.nan, np.float32), fits.getheader(path))
    assert "no pixel has a value" in register(call, "OLD/old.fits")["msg"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("OLD/nothing.fits", 404),
        ("nowhere/old.fits", 404),
        ("x" * 300, 404),
        ("OLD/%2e%2e/OLD/old.fits", 404),
        ("OLD\\old.fits", 404),
        ("OLD", 400),
        ("/reductionmedia", 400),
        ("../outside/old.fits", 400),
        ("OLD/../../outside/old.fits", 400),
        ("/etc/passwd", 400),
        ("/reductionmedia/../outside/old.fits", 400),
        ("../root-evil/old.fits", 400),
        ("link.fits", 400),
        ("folder/old.fits", 400),
        ("a\0b", 400),
        ("\ud800", 400),
        ("pipe.fits", 400),
        ("socket.fits", 400),
        ("device.fits", 400),
        ("CONFIG/old.fits", 400),
        ("TMP/old.fits", 400),
        (".old.fits", 400),
        ("mar.sqlite3", 400),
        ("öld.fits", 400),
    ],
)
def test_no_path_leads_out_of_the_root_or_to_what_is_no_file(call, root, master, tmp_path, path, status):
    good = root / master()
    for place in ("CONFIG/old.fits", "TMP/old.fits", ".old.fits", "mar.sqlite3", "öld.fits"):
        (root / place).parent.mkdir(exist_ok=True)
        shutil.copy(good, root / place)
    for folder in ("outside", "root-evil"):
        shutil.copytree(root / "OLD", tmp_path / folder)
    (root / "link.fits").symlink_to(tmp_path / "outside/old.fits")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "device.fits").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.fits")
    os.mknod(root / "socket.fits", 0o140600)
    answer = register(call, path)
    assert (call.status, answer["status"]) == (status, False)
    assert BiasBlock.objects.count() == 0


def test_a_file_that_becomes_a_link_after_the_check_is_not_read(call, root, master, tmp_path, monkeypatch):
    path = root / master()
    path.rename(tmp_path / "old.fits")
    path.symlink_to(tmp_path / "old.fits")
    # the check sees the file as it was a moment ago
    registering = sys.modules["marserver.reduction.requests.register"]
    monkeypatch.setattr(registering, "file_below", lambda *asked: "OLD/old.fits")
    monkeypatch.setattr(paths, "inside", lambda root, path: "OLD/old.fits")
    assert "cannot be read" in register(call, "OLD/old.fits")["msg"]
    assert call.status == 400


def test_viewers_may_not_register(call_as, bob, master):
    caller = call_as(bob)
    assert register(caller, master())["status"] is False
    assert caller.status == 403


@pytest.fixture
def reduced(root, mini, night):
    """A master bias and a master flat that MAR made, in a data root whose database knows neither."""
    raws = [path for path in sorted(night.raw.rglob("*.fits*")) if "TRUTH" not in path.parts]
    biases = [path for path in raws if fits.getval(path, "EXPTIME") == 0]
    flats = [
        path
        for path in raws
        if "flat" in f"{fits.getheader(path)}".lower() and fits.getval(path, "FILTER") == "R"
    ]
    config = load_config(None)
    layout, days = Layout(root), (date(2024, 3, 1), date(2024, 3, 2))
    bias = run.master_bias(biases, layout, mini, config, *days)
    flat = run.master_flat(flats, "R", MasterFiles(bias.master, bias.mask), layout, mini, config, *days)
    return bias, flat


def test_masters_that_mar_made_can_be_registered_and_are_found_for_a_frame(call, root, reduced):
    bias, flat = reduced
    bias_id = register(call, bias.master.relative_to(root).as_posix())["id"]
    flat_id = register(call, flat.master.relative_to(root).as_posix(), "flatblockbyfilter")["id"]
    raw: IndividualFile = frame("sci", when=datetime(2024, 3, 2, 5, tzinfo=UTC))
    assert plan.bias_for(raw).pk == bias_id
    assert plan.flat_for(raw).pk == flat_id
    block = FlatByFilter.objects.get(pk=flat_id)
    assert block.mask_path == flat.mask.relative_to(root).as_posix()
    assert block.checksum == flat.checksum
    assert block.medianavg == pytest.approx(flat.statistics["medianavg"], rel=1e-6)
    assert bias.master.name in [one["path"] for one in block.inputs]
    assert len(block.config_hash) > 8
