"""The library's commands on a night: products, exit codes, and words for what was left out."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mar.cli import app
from mar.errors import MissingMaster
from mar.io.fits import read_header

DAYS = ["--start", "2024-03-01", "--end", "2024-03-02"]


@pytest.fixture
def mar(fresh, monkeypatch):
    """`mar("bias", ...)` on an empty data root."""
    monkeypatch.setenv("MAR_ROOT", str(fresh.root))
    monkeypatch.setenv("MAR_CAMERA", "t80cam-mini")
    monkeypatch.delenv("MAR_REFCAT", raising=False)

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


def test_a_night_by_commands_alone(mar, masters_made, fresh):
    night = masters_made.night
    assert mar("bias", *night.biases, *DAYS).exit_code == 0
    assert mar("flat", *night.flats["R"], "--band", "R", *DAYS).exit_code == 0
    raws = masters_made.raws()
    reduced = mar("science", *raws)
    assert reduced.exit_code == 0, reduced.output
    products = sorted(fresh.root.glob("PROCESSED/R/*/proc_*.fits.fz"))
    assert len(products) == len(raws)
    assert all(read_header(path)["ASTROMETRY"] == "SUCCESS" for path in products)
    tiled = mar("tile", *products)
    assert tiled.exit_code == 0, tiled.output
    assert "3 frames" in tiled.output
    coloured = mar("colour", "SPLUS-s25s10", "--partial")
    assert coloured.exit_code == 0, coloured.output
    assert fresh.colour_image("SPLUS-s25s10").read_bytes().startswith(b"\x89PNG")


def test_frames_left_out_are_named_and_the_exit_code_tells(mar, masters_made, tmp_path):
    text = tmp_path / "diary.fits"
    text.write_text("dear diary")
    made = mar("bias", *masters_made.night.biases, text, *DAYS)
    assert made.exit_code == 1
    assert "diary.fits: not a FITS file" in made.output.replace("\n", " ")


def test_a_frame_that_fails_does_not_stop_the_others(mar, masters_made, fresh, tmp_path):
    for kind in ("MASTERS",):
        shutil.copytree(masters_made.layout.root / kind, fresh.root / kind, dirs_exist_ok=True)
    good = masters_made.raws()[0]
    cut = tmp_path / "cut.fits"
    cut.write_bytes(good.read_bytes()[:-300_000])
    made = mar("science", cut, good, "--code", "ov")
    assert made.exit_code == 1
    assert "1 of 2 frames failed" in made.output
    assert len(list(fresh.root.glob("PROCESSED/R/*/*.fz"))) == 1


def test_a_missing_master_is_refused_with_the_date(mar, masters_made):
    refused = mar("flat", *masters_made.night.flats["R"], "--band", "R", *DAYS)
    assert isinstance(refused.exception, MissingMaster)
    assert "2024-03-01" in str(refused.exception)


def test_frames_that_tell_no_date_need_one(mar, tmp_path: Path):
    text = tmp_path / "diary.fits"
    text.write_text("dear diary")
    assert "--start" in str(mar("bias", text).exception)
