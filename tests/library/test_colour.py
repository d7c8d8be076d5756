"""Levels and colours of the colour image."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mar.camera import load_camera
from mar.config.colour import Colour
from mar.kernels.stretch import asinh_stretch, log_stretch
from mar.steps.colour import Levels, find_common_levels, find_levels, mix, paint, response


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


LUPTON = Colour(scaling="lupton")


def test_asinh_agrees_with_lupton(rng):
    """Lupton et al. (2004), equations 2 and 3: r f(I) / I, and by the greatest where that is beyond 1."""
    channels = rng.exponential(30, (3, 20, 30)).astype("f4")
    black, span = np.array([1, 2, 3], "f4"), np.array([10, 20, 30], "f4")
    out = np.empty((20, 30, 3), "u1")
    asinh_stretch(*channels, black, span, 8.0, out)
    light = np.clip((np.moveaxis(channels, 0, -1) - black) / span, 0, None).astype(float)
    mean = light.mean(axis=2, keepdims=True)
    expected = light * np.arcsinh(8 * mean) / 8 / np.where(mean > 0, mean, 1)
    expected /= np.maximum(1, expected.max(axis=2, keepdims=True))
    assert np.abs(out - 255 * expected).max() < 0.51


def test_what_has_no_data_is_black_and_what_is_far_too_bright_white():
    channels = [np.array([[np.nan, 1e6, 0.0]], "f4"), np.array([[np.nan, 1e4, 0.0]], "f4")]
    out = np.empty((1, 3, 3), "u1")
    asinh_stretch(*channels, channels[1], np.zeros(3, "f4"), np.ones(3, "f4"), 8.0, out)
    assert out[0].tolist() == [[0, 0, 0], [255, 255, 255], [0, 0, 0]]


def test_the_sky_is_grey_and_a_sun_white_whatever_the_channels_respond(rng):
    responses = (8.0, 2.0, 0.5)
    noise = [rng.normal(5, sigma, (200, 500)).astype("f4") for sigma in (0.5, 0.3, 0.1)]
    levels = find_common_levels(noise, responses, LUPTON)
    sky = [np.full((1, 1), 5, "f4")] * 3
    assert np.ptp(paint(sky, levels, LUPTON)[0, 0].astype(int)) <= 1
    assert 10 < paint(sky, levels, LUPTON)[0, 0].max() < 60
    sun = [np.full((1, 1), 5 + 20 * gain, "f4") for gain in responses]
    seen = paint(sun, levels, LUPTON)[0, 0].astype(int)
    assert np.ptp(seen) <= 1
    assert 100 < seen.min() < 255


def test_the_colour_of_a_star_does_not_depend_on_its_brightness(rng):
    noise = [rng.normal(0, 1, (100, 500)).astype("f4") for _ in range(3)]
    levels = [level._replace(black=0.0) for level in find_common_levels(noise, (1, 1, 1), LUPTON)]
    ratios = []
    for flux in (30.0, 300.0, 1000.0):
        star = [np.full((1, 1), flux * part, "f4") for part in (1.0, 0.7, 0.5)]
        red, green, blue = paint(star, levels, LUPTON)[0, 0].astype(float)
        ratios.append((green / red, blue / red))
    assert_allclose(ratios, [(0.7, 0.5)] * 3, atol=0.02)


def test_common_levels_of_images_without_contrast_are_finite():
    for values in (np.zeros(10, "f4"), np.full(10, np.nan, "f4")):
        levels = find_common_levels([values] * 3, (1, 1, 1), LUPTON)
        assert np.isfinite(levels).all()
        assert all(level.white > level.black for level in levels)


def test_red_bands_respond_more_to_the_sun_than_blue_ones():
    camera = load_camera("t80cam")
    red, green, blue = (
        response([band for band in camera.filters if band.channel == channel]) for channel in "RGB"
    )
    assert red > green > blue > 0
