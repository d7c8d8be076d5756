"""Another camera is another file: one imported from the existing system, and one of a different kind."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from mar import run
from mar.camera import camera_from_text, camera_to_toml, load_camera
from mar.config import Config
from mar.io.fits import read_header, read_image
from mar.io.names import Layout
from mar.legacy import import_camera
from mar.refcat.packs import RefCat
from mar.simulate import simulate_night

DAYS = date(2024, 3, 1), date(2024, 3, 2)


@pytest.fixture
def imported(camera, tmp_path):
    """The mini camera as the existing system's YAML tells it, written to TOML and read back."""
    keys = {
        "IMSC": "science",
        "PRSCX": "prescan_x",
        "OVSCX": "overscan_x",
        "PRSCY": "prescan_y",
        "OVSCY": "overscan_y",
    }
    instrument = {
        "MASTER_GAIN": camera.gain,
        "MASTER_RNOISE": camera.read_noise_e,
        "SATURATE": camera.saturation_adu,
        "PIXSCALE": camera.pixel_scale_arcsec,
    }
    for output in camera.outputs:
        for key, name in keys.items():
            section = getattr(output, name)
            instrument[f"HIERARCH MAR DET {output.id} {key}"] = section.to_fits() if section else ""
    scan = {"CCD_ORDER": [list(range(1, 9)), list(range(9, 17))]}
    (tmp_path / "mini.yaml").write_text(yaml.safe_dump({"Instrument": instrument, "Scan": scan}))
    return camera_from_text(camera_to_toml(import_camera(tmp_path / "mini.yaml")))


def test_a_camera_imported_from_yaml_gives_the_same_products(masters_made, frames_made, fresh, imported):
    made, config = masters_made, masters_made.config
    bias = run.master_bias([Path(p) for p in made.night.biases], fresh, imported, config, *DAYS)
    assert bias.checksum == made.bias.checksum
    files = run.MasterFiles(bias.master, bias.mask)
    flats = [Path(p) for p in made.night.flats["R"]]
    flat = run.master_flat(flats, "R", files, fresh, imported, config, *DAYS)
    assert flat.checksum == made.flats["R"].checksum
    masters = run.ScienceMasters(files, run.MasterFiles(flat.master, flat.mask))
    raw = made.raws()[0]
    science = run.science(raw, masters, 0, frozenset(("ov", "sf", "mc", "am")), fresh, imported, config)
    assert science.checksum == frames_made[raw.stem].checksum


@pytest.fixture(scope="module")
def single_night(tmp_path_factory):
    """A night of the camera with one amplifier, other cards and other filters."""
    root = tmp_path_factory.mktemp("single")
    camera = load_camera("single")
    night = simulate_night(root, camera, fields=1, exposures=2, bands=["V"], biases=4, flats=3)
    layout = Layout(root)
    layout.make_folders()
    RefCat(layout.reference).add(Path(night.reference), "simulated")
    return night, camera, layout


def test_a_camera_of_another_kind_works_by_its_file_alone(single_night):
    night, camera, layout = single_night
    config = Config()
    bias = run.master_bias([Path(p) for p in night.biases], layout, camera, config, *DAYS)
    files = run.MasterFiles(bias.master, bias.mask)
    flat = run.master_flat([Path(p) for p in night.flats["V"]], "V", files, layout, camera, config, *DAYS)
    field = night.fields[0].name
    masters = run.ScienceMasters(files, run.MasterFiles(flat.master, flat.mask))
    steps = frozenset(("ov", "sf", "mc", "am"))
    frames = [
        run.science(Path(raw), masters, 0, steps, layout, camera, config) for raw in night.science[field, "V"]
    ]
    assert [(one.status, one.error) for one in frames] == [(5, "")] * 2
    tile = run.tile([one.processed for one in frames], field, "V", None, layout, camera, config)
    assert (tile.ncombine, tile.dropped) == (2, [])
    assert tile.astrometric_rms < 0.055
    data, _ = read_image(tile.tile)
    assert np.isfinite(data).all()


def test_frames_of_one_name_in_two_folders_have_products_of_their_own(single_night):
    night, camera, layout = single_night
    raw = Path(night.science[night.fields[0].name, "V"][0])
    places = set()
    bias = run.MasterFiles(layout.master_bias(*DAYS))
    flat = run.MasterFiles(layout.master_flat("V", *DAYS))
    for folder in ("first", "second"):
        masters = run.ScienceMasters(bias, flat)
        name = f"{folder}/{raw.stem}"
        products = run.science(raw, masters, 0, frozenset(("ov",)), layout, camera, Config(), name=name)
        assert products.error == ""
        places.add(products.processed)
        assert read_header(products.bpmask)["NAXIS1"] == 1024
    assert len(places) == 2
