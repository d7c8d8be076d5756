"""The benchmarks judge and measure rightly: what they say of known masks, noise and memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io.fits import Header

import conventions
import processes
import truth
from mar.io.fits import write_image

BENCHMARKS = Path(conventions.__file__).parent


def test_a_found_mask_is_judged_within_a_pixel():
    real, found = np.zeros((2, 40, 40), dtype=bool)
    real[10, 5:15] = True
    found[11, 5:10] = True  # one row beside
    found[30, 30] = True  # nothing there
    recall, purity = truth.score([(found, real)])
    assert recall == pytest.approx(0.6)  # columns 5 to 10
    assert purity == pytest.approx(5 / 6)


def test_nothing_to_find_is_not_a_score():
    nothing = np.zeros((5, 5), dtype=bool)
    assert truth.score([(nothing, nothing)]) == (None, None)
    assert not conventions.Bar("recall", None, 0.9, above=True).held


def test_the_noise_of_a_tile_is_that_of_its_independent_pixels(rng, tmp_path):
    alike = rng.normal(0, 2.0, (400, 400))
    alike = (alike + np.roll(alike, 1, 0) + np.roll(alike, 1, 1) + np.roll(alike, (1, 1), (0, 1))) / 4
    write_image(tmp_path / "tile.fits", alike.astype("f4"), Header())
    write_image(tmp_path / "weight.fits", np.ones((400, 400), "f4"), Header())
    pixel_noise = np.std(alike)
    measured = truth.tile_noise(tmp_path / "tile.fits", tmp_path / "weight.fits", side_px=16)
    assert pixel_noise < 1.1
    assert measured == pytest.approx(2.0, rel=0.1)


def test_the_memory_of_children_is_seen():
    hold = (
        "import time; held = bytearray(200_000_000); held[::4096] = b'x' * len(held[::4096]); time.sleep(1)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent])
    with processes.watched(process.pid) as memory:
        process.wait()
    assert len(memory.processes) == 2
    assert 0.18 < memory.largest_gb < 0.4


def run_benchmark(monkeypatch, tmp_path, value, *words):
    """The exit code and the report of a benchmark whose one bar is a value below 1."""
    figures = conventions.Figures("work", bars=[conventions.Bar("figure", value, 1.0)])
    report = tmp_path / "report.json"
    monkeypatch.setattr(sys, "argv", ["bench_x.py", "--json", str(report), *words])
    code = conventions.main("About.", {"work": lambda arguments: figures})
    return code, json.loads(report.read_text())


@pytest.mark.parametrize(
    ("value", "words", "code"), [(2.0, ["--check"], 1), (2.0, [], 0), (0.5, ["--check"], 0)]
)
def test_check_ends_with_one_where_a_bar_is_missed(monkeypatch, tmp_path, value, words, code):
    ended, report = run_benchmark(monkeypatch, tmp_path, value, *words)
    assert ended == code
    assert report["works"][0]["held"] == [value < 1]
    assert report["machine"]["cores"] >= 1


def test_the_pixel_steps_report_figures_and_bars(tmp_path):
    report, plot = tmp_path / "report.json", tmp_path / "scaling.png"
    words = ["--only", "kernel", "--scale", "16", "--rounds", "1", "--root", tmp_path, "--plot", plot]
    subprocess.run(
        [sys.executable, BENCHMARKS / "bench_pixels.py", *words, "--json", report],
        capture_output=True,
        check=True,
        timeout=300,
    )
    [kernel] = json.loads(report.read_text())["works"]
    assert [bar["what"] for bar in kernel["bars"]] == ["median", "median, ccdclip", "median, avsigclip"]
    assert all(bar["value"] > 0 for bar in kernel["bars"])


@pytest.mark.parametrize("script", sorted(BENCHMARKS.glob("bench_*.py")), ids=lambda path: path.stem)
def test_every_benchmark_tells_its_works(script):
    said = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True, timeout=120
    )
    for option in ("--only", "--scale", "--json", "--check", "works:"):
        assert option in said.stdout
