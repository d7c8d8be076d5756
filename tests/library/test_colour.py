"""Levels and colours of the colour image."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mar.config.colour import Colour
from mar.kernels.stretch import log_stretch
from mar.steps.colour import Levels, find_levels, mix, paint


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def sample(rng):
    """Sky of noise 1 about 0, a tenth of stars with a steep distribution."""
    values = rng.normal(0, 1, 200_000)
    values[:20_000] += rng.pareto(1.2, 20_000) * 10
    return values.astype("f4")


def brightness(value, levels):
    out = np.empty((1, 1), "u1")
    log_stretch(np.full((1, 1), value, "f4"), levels.black, levels.steepness, levels.white, out)
    return out[0, 0] / 255


def test_levels_are_where_the_configuration_puts_them(sample):
    levels = find_levels(sample, Colour())
    assert levels.black == pytest.approx(-2, abs=0.15)
    assert levels.white == pytest.approx(np.percentile(sample, 99.999), rel=1e-6)
    assert brightness(levels.black, levels) == 0
    assert brightness(1.0, levels) == pytest.approx(0.15, abs=0.01)
    assert brightness(levels.white, levels) == 1
    brighter = find_levels(sample, Colour(noiselum=0.3))
    assert brightness(1.0, brighter) == pytest.approx(0.3, abs=0.01)


def test_pixels_without_data_do_not_count(sample):
    gaps = np.concatenate([sample, np.full(500_000, np.nan, "f4")])
    assert_allclose(find_levels(gaps, Colour()), find_levels(sample, Colour()), rtol=1e-4)


@pytest.mark.parametrize("values", [np.zeros(10), np.full(10, 5.0), np.full(10, np.nan), np.arange(10.0)])
def test_levels_of_images_without_contrast_are_finite(values):
    levels = find_levels(values.astype("f4"), Colour())
    assert np.isfinite(levels).all()
    assert levels.white > levels.black


def test_stretch_agrees_with_the_formula(rng):
    values = rng.uniform(-10, 200, (30, 40)).astype("f4")
    out = np.empty(values.shape, "u1")
    log_stretch(values, 1.0, 0.5, 150.0, out)
    expected = 255 * np.log1p(0.5 * np.clip(values - 1, 0, None)) / np.log1p(0.5 * 149)
    assert np.abs(out - np.clip(expected, 0, 255)).max() < 0.51
    nothing = np.full((2, 2), np.nan, "f4")
    log_stretch(nothing, 1.0, 0.5, 150.0, out[:2, :2])
    assert (out[:2, :2] == 0).all()


def test_mix_is_the_mean_where_there_are_data(rng):
    bands = [rng.normal(0, 1, (3, 4)).astype("f4") for _ in range(3)]
    assert_allclose(mix(bands), np.mean(bands, axis=0), rtol=1e-5, atol=1e-6)
    bands[0][0, 0], bands[1][0, 0], bands[2][0, 0] = 0, 0, 0
    bands[0][1, 1] = 0
    assert np.argwhere(np.isnan(mix(bands))).tolist() == [[0, 0]]


def test_mix_leaves_its_input(rng):
    bands = [rng.normal(0, 1, (3, 4)).astype("f4") for _ in range(3)]
    copies = [band.copy() for band in bands]
    mix(bands)
    assert all((band == copy).all() for band, copy in zip(bands, copies, strict=True))


def test_a_red_source_is_red_and_saturation_makes_it_redder():
    channels = [np.full((1, 1), value, "f4") for value in (50.0, 20.0, 5.0)]
    levels = [Levels(0.0, 100.0, 0.3)] * 3
    plain = paint(channels, levels, Colour())[0, 0].astype(int)
    assert plain[0] > plain[1] > plain[2]
    strong = paint(channels, levels, Colour(colorsatfac=1.5))[0, 0].astype(int)
    assert strong[0] - strong[2] > plain[0] - plain[2]
    grey = paint(channels, levels, Colour(colorsatfac=0))[0, 0].astype(int)
    assert np.ptp(grey) == 0
