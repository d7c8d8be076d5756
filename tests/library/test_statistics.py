"""The five statistics of images whose level and noise are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.camera import load_camera
from mar.kernels.boxes import clipped
from mar.steps.statistics import cards, level_of, measure, per_amplifier


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_kernel_agrees_with_naive(rng):
    values = np.concatenate([rng.normal(50, 4, 900), rng.uniform(60, 5000, 80), [np.nan] * 3]).astype("f4")
    assert_allclose(clipped(values), naive.clipped(values), rtol=1e-6)


def test_level_and_noise_of_a_flat_sky(rng):
    found = measure(rng.normal(1000, 7, (600, 700)).astype("f4"))
    assert found.median == pytest.approx(1000, abs=0.1)
    assert found.mode == pytest.approx(1000, abs=0.3)
    assert found.noise == pytest.approx(7, rel=0.01)
    assert found.median_rms < 0.5
    assert found.noise_rms < 0.3


def test_stars_and_cosmic_rays_have_no_weight(rng):
    sky = rng.normal(200, 5, (512, 512)).astype("f4")
    sky[rng.random(sky.shape) < 0.02] += 5000
    found = measure(sky)
    assert found.mode == pytest.approx(200, abs=0.3)
    assert found.noise == pytest.approx(5, rel=0.03)


def test_a_slope_shows_in_the_rms_of_the_medians(rng):
    y = np.linspace(0, 100, 512)[:, None]
    found = measure((rng.normal(200, 5, (512, 512)) + y).astype("f4"))
    assert found.median_rms == pytest.approx(100 / np.sqrt(12), rel=0.1)
    assert found.noise < 8


def test_uneven_noise_shows_in_the_rms_of_the_noise(rng):
    sky = rng.normal(0, 1, (512, 512))
    sky[:, 256:] *= 3
    assert measure(sky.astype("f4")).noise_rms == pytest.approx(1, rel=0.1)


def test_masked_pixels_and_nan_take_no_part(rng):
    sky = rng.normal(100, 2, (256, 256)).astype("f4")
    mask = np.zeros(sky.shape, dtype="u1")
    sky[:100], mask[:100] = 60000, 2
    sky[150:170] = np.nan
    assert measure(sky, mask).median == pytest.approx(100, abs=0.2)


def test_nothing_usable_gives_no_numbers():
    found = measure(np.full((64, 64), np.nan, dtype="f4"))
    assert np.isnan(found.mode)
    assert found.cards() == {}


def test_each_amplifier_is_measured_apart(rng):
    mini = load_camera("t80cam-mini")
    data = rng.normal(0, 3, mini.shape).astype("f4")
    for index, amplifier in enumerate(mini.amplifiers):
        data[amplifier.trimmed.slices] += 100 * index
    found = per_amplifier(data, mini)
    assert [round(found[a.id].median / 100) for a in mini.amplifiers] == list(range(16))


def test_cards_have_the_names_of_the_survey(rng):
    mini = load_camera("t80cam-mini")
    said = cards(rng.normal(10, 3, mini.shape).astype("f4"), mini)
    assert {
        "MAR QC NCMODE",
        "MAR QC NCMIDPT",
        "MAR QC NCNOISE",
        "MAR QC NCMIDRMS",
        "MAR QC NCNOIRMS",
        "MAR QC OUT16 NCNOIRMS",
    } <= set(said)
    assert said["MAR QC NCMIDPT"][0] == pytest.approx(10, abs=0.1)
    assert len(said) == 5 * 17


def test_levels(rng):
    values = rng.gamma(2.0, 10.0, 20000)  # skew: mode < median < mean
    mode, median, mean = (level_of(values, kind) for kind in ("mode", "median", "mean"))
    assert mode < median < mean
    assert level_of(values, "none") == 0


def test_statistics_do_not_change_their_input(rng):
    data = rng.normal(0, 1, (64, 64)).astype("f4")
    before = data.copy()
    measure(data)
    level_of(data, "mode")
    assert_array_equal(data, before)
