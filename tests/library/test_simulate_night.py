"""A simulated night on disk: files, headers, truth."""

import filecmp
import json
from datetime import date

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from typer import Typer
from typer.testing import CliRunner

from mar.camera import load_camera
from mar.cli.simulate import simulate_command
from mar.errors import BadConfig, BadHeader
from mar.exposure import FrameType, read_exposure
from mar.masks import Bit
from mar.simulate import Truth, simulate_night, true_sky_to_pixel


def exposure_of(path, camera):
    with fits.open(path) as hdus:
        header = hdus[1 if path.suffix == ".fz" else 0].header
        return read_exposure(header, camera, path.name.split(".")[0])


def test_every_frame_is_recognised_by_its_header(night, camera):
    for path in night.frames:
        exposure = exposure_of(path, camera)
        truth = night.truth.frame(exposure.name)
        assert exposure.type == truth.type
        assert exposure.band == truth.band
        assert exposure.exptime_s == truth.exptime_s
        assert exposure.date_obs.isoformat() == truth.date_obs
        assert exposure.night == date(2024, 3, 1)
    assert len({path.name for path in night.frames}) == len(night.frames) == 5 + 2 * 5 + 2 * 3


def test_another_camera_gets_its_own_cards(tmp_path):
    single = load_camera("single")
    night = simulate_night(
        tmp_path, single, fields=1, exposures=1, bands=["V"], biases=1, flats=1, compress="fz"
    )
    kinds = [exposure_of(path, single).type for path in night.frames]
    assert kinds == [FrameType.BIAS, FrameType.FLAT, FrameType.SCI]
    header = fits.getheader(night.frames[2], 1)
    assert header["FILTNAM1"] == "V"
    assert "DATE-OBS" not in header


def test_raw_frames_are_unsigned_16_bit(night, camera):
    header = fits.getheader(night.biases[0])
    assert (header["BITPIX"], header["BZERO"]) == (16, 32768)
    assert fits.getdata(night.biases[0]).shape == camera.raw_shape


def test_the_header_points_where_it_was_told_not_where_it_looked(night, camera):
    path = night.science[night.fields[0].name, "R"][0]
    exposure, truth = exposure_of(path, camera), night.truth.frame(path.stem)
    off = np.hypot(
        (exposure.ra_deg - truth.wcs.ra) * np.cos(np.radians(truth.wcs.dec)), exposure.dec_deg - truth.wcs.dec
    )
    assert 0.5 < off * 3600 < 90
    assert exposure.airmass == pytest.approx(1.1, abs=0.15)


def test_truth_masks_mark_what_is_in_the_frame(night):
    with_trail = [f for f in night.truth.frames.values() if f.trails]
    assert with_trail
    mask = night.truth.mask(with_trail[0].name)
    for bit in (Bit.SATURATED, Bit.COSMIC, Bit.TRAIL):
        assert (mask & np.uint8(bit)).any()
    assert night.truth.defects().shape == mask.shape


def test_bright_stars_stand_at_their_true_pixels(night, camera):
    name = night.science[night.fields[0].name, "R"][0].stem
    raw = fits.getdata(night.raw / f"{name}.fits").astype(float)
    stars = night.truth.sources_in(name)
    stars = stars[(stars["KIND"] == "star") & (stars["MAG_R"] < 15)]
    found = 0
    for amplifier in camera.amplifiers:
        area = amplifier.trimmed
        here = (stars["X"] > area.x0 + 3) & (stars["X"] < area.x1 - 4)
        here &= (stars["Y"] > area.y0 + 3) & (stars["Y"] < area.y1 - 4)
        level = np.median(raw[amplifier.science.slices])
        for star in stars[here]:
            x = round(float(star["X"])) - area.x0 + amplifier.science.x0
            y = round(float(star["Y"])) - area.y0 + amplifier.science.y0
            assert raw[y, x] > level + 1000
            found += 1
    assert found > 40


def test_reference_catalogue_covers_the_frames_with_bright_stars(night):
    reference = Table.read(night.reference)
    assert {"RA", "DEC", "PMRA", "PMDEC", "MAG", "MAG_R", "MAG_Z"} <= set(reference.colnames)
    assert reference["MAG"].max() < 18.5
    for path in night.science[night.fields[0].name, "R"]:
        x, y = true_sky_to_pixel(night.truth.frame(path.stem), reference["RA"], reference["DEC"])
        assert ((x > 0) & (x < 1152) & (y > 0) & (y < 1154)).sum() > 150
        assert x.min() < -60 < 1212 < x.max()


def test_the_same_seed_writes_the_same_bytes(camera, tmp_path):
    made = [
        simulate_night(
            tmp_path / name, camera, fields=1, exposures=1, bands=["R"], biases=1, flats=1, seed=seed
        )
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    first, second, other = (night.frames for night in made)
    assert all(filecmp.cmp(a, b, shallow=False) for a, b in zip(first, second, strict=True))
    assert not any(filecmp.cmp(a, c, shallow=False) for a, c in zip(first, other, strict=True))


def test_compressed_frames_hold_the_same_pixels(camera, tmp_path):
    plain, packed, mixed = (
        simulate_night(
            tmp_path / how, camera, fields=0, exposures=0, bands=["R"], biases=2, flats=0, compress=how
        ).biases
        for how in ("fits", "fz", "mixed")
    )
    assert (fits.getdata(plain[0]) == fits.getdata(packed[0])).all()
    assert [path.suffix for path in mixed] == [".fits", ".fz"]


def test_impossible_nights_are_refused(camera, tmp_path):
    with pytest.raises(BadHeader, match="Q"):
        simulate_night(tmp_path, camera, bands=["Q"])
    with pytest.raises(BadConfig, match="negative"):
        simulate_night(tmp_path, camera, biases=-1)


@pytest.fixture
def app() -> Typer:
    made = Typer()
    made.command("simulate")(simulate_command)
    return made


def test_the_command_makes_a_night(app, tmp_path):
    words = [
        str(tmp_path),
        "--fields",
        "1",
        "--exposures",
        "1",
        "--bands",
        "R",
        "--biases",
        "1",
        "--flats",
        "1",
    ]
    result = CliRunner().invoke(app, [*words, "--without", "cosmics", "--without", "trails", "--fz"])
    assert result.exit_code == 0, result.output
    assert "3 raw frames" in result.output
    assert len(list((tmp_path / "20240301").glob("*.fits.fz"))) == 3
    frames = json.loads((tmp_path / "TRUTH" / "frames.json").read_text())
    assert sum(frame["cosmics"] for frame in frames.values()) == 0
    assert Truth(tmp_path).response("R").shape == (1154, 1152)


def test_the_command_names_an_unknown_effect(app, tmp_path):
    result = CliRunner().invoke(app, [str(tmp_path), "--without", "aliens"])
    assert isinstance(result.exception, BadConfig)
    assert "aliens" in str(result.exception)
