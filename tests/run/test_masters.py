"""Masters on files: what they carry, what they leave out."""

from pathlib import Path

import pytest

from mar import run
from mar.errors import NotEnoughFrames
from mar.io.fits import read_header, read_image, write_image


def test_a_master_tells_its_days_its_mask_and_its_frames(masters_made):
    header = read_header(masters_made.bias.master)
    assert (header["MASTER_TYPE"], header["START_DATE"], header["END_DATE"]) == (
        "BIAS",
        "2024-03-01",
        "2024-03-02",
    )
    assert header["MASK_NAME"] == masters_made.bias.mask.name
    assert header["NCOMBINE"] == 5
    assert {header[f"COMB_{n}"] for n in range(1, 6)} == {
        Path(path).stem for path in masters_made.night.biases
    }
    flat = read_header(masters_made.flats["R"].master)
    assert (flat["MASTER_TYPE"], flat["BAND"]) == ("FLAT", "R")


def test_bad_frames_are_left_out_with_their_reason(masters_made, fresh, tmp_path):
    good = [Path(path) for path in masters_made.night.biases]
    cut = tmp_path / "cut.fits"
    cut.write_bytes(good[0].read_bytes()[:-100_000])
    text = tmp_path / "text.fits"
    text.write_text("not pixels")
    small = tmp_path / "small.fits"
    data, header = read_image(good[0])
    write_image(small, data[:500], header)
    products = run.master_bias(
        [*good[:3], cut, text, small], fresh, masters_made.camera, masters_made.config, *masters_made.days
    )
    assert products.used == good[:3]
    reasons = {one.path.name: one.reason for one in products.dropped}
    assert set(reasons) == {"cut.fits", "text.fits", "small.fits"}
    assert "truncated" in reasons["cut.fits"]
    assert "not a FITS file" in reasons["text.fits"]


def test_no_usable_frame_makes_no_master(masters_made, fresh, tmp_path):
    text = tmp_path / "text.fits"
    text.write_text("not pixels")
    with pytest.raises(NotEnoughFrames):
        run.master_bias([text], fresh, masters_made.camera, masters_made.config, *masters_made.days)
    assert not list(fresh.root.glob("MASTERS/BIAS/*"))


def test_a_master_is_compared_with_the_last_one(masters_made, fresh, tmp_path):
    camera, config, days = masters_made.camera, masters_made.config, masters_made.days
    raws, last = [Path(path) for path in masters_made.night.biases[:3]], masters_made.bias
    products = run.master_bias(raws, fresh, camera, config, *days, last=last)
    assert products.remarks[0].startswith(f"against {last.master.name}: median difference")
    header = read_header(products.master)
    assert header["MAR LAST"] == last.master.name
    assert abs(header["MAR LAST OUT1 DIFF"]) < 1
    text = tmp_path / "text.fits"
    text.write_text("not pixels")
    products = run.master_bias(raws, fresh, camera, config, *days, last=run.MasterFiles(text))
    assert "not compared with the last master: text.fits: not a FITS file" in products.warnings
