"""Subtracting fringes of known amplitude."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_array_equal

from mar.config.fringe import Fringe
from mar.errors import BadImage
from mar.frame import Frame
from mar.masks import Bit
from mar.simulate.fringes import fringe_pattern
from mar.steps.fringe import fringe_amplitude, subtract_fringe
from mar.steps.smoothing import noise_left, smooth_twice

SHAPE = (400, 480)


@pytest.fixture(scope="module")
def pattern():
    pattern = fringe_pattern(SHAPE, seed=2)
    return (pattern - pattern.mean()) / pattern.std()


@pytest.fixture
def superflat(pattern):
    return Frame(pattern.copy(), Header(), label="superflat_Z.fits", checksum="9")


@pytest.fixture
def sky(rng):
    """Sky with a gradient, noise and some stars, no fringes."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] / 400
    data = 400 + 10 * x + 5 * y * y + rng.normal(0, 20, SHAPE)
    for cy, cx in rng.uniform(10, 390, (60, 2)):
        area = np.s_[int(cy) - 5 : int(cy) + 6, int(cx) - 5 : int(cx) + 6]
        r2 = (np.mgrid[-5:6, -5:6] ** 2).sum(axis=0)
        data[area] += 3000 * np.exp(-r2 / 4)
    return Frame(data.astype("f4"), Header(), label="raw1.fits")


def fringed(sky, pattern, amplitude):
    return sky.replace(data=sky.data + np.float32(amplitude) * pattern.astype("f4"))


@pytest.mark.parametrize("amplitude", [4.0, 15.0])
def test_less_than_a_twentieth_of_the_fringes_is_left(sky, pattern, superflat, amplitude):
    frame = fringed(sky, pattern, amplitude)
    left = subtract_fringe(frame, superflat, Fringe()).data - sky.data
    assert left.std() < 0.05 * amplitude
    assert frame.data.std() > 0


def test_the_sky_level_stays(sky, pattern, superflat):
    frame = fringed(sky, pattern, 10)
    assert np.median(subtract_fringe(frame, superflat, Fringe()).data) == pytest.approx(
        np.median(sky.data), abs=1
    )


def test_without_fringes_nothing_changes_and_the_header_says_so(sky, superflat):
    got = subtract_fringe(sky, superflat, Fringe())
    assert_array_equal(got.data, sky.data)
    assert got.header["MAR FRINGE"] == "none seen"
    assert abs(got.header["MAR FRINGE AMP"]) < 5 * got.header["MAR FRINGE ERR"]


def test_the_header_names_the_superflat_and_the_amplitude(sky, pattern, superflat):
    header = subtract_fringe(fringed(sky, pattern, 10), superflat, Fringe()).header
    assert header["MAR FRINGE"] == "superflat_Z.fits 9"
    assert header["MAR FRINGE AMP"] == pytest.approx(10, rel=0.03)


def test_masked_junk_has_no_weight(sky, pattern, superflat):
    frame = fringed(sky, pattern, 10)
    mask = np.zeros(SHAPE, "u1")
    frame.data[100:200], mask[100:200] = 30000 * pattern[100:200], Bit.TRAIL
    amplitude = fringe_amplitude(frame.replace(mask=mask), superflat, Fringe())
    assert amplitude.value == pytest.approx(10, rel=0.05)


def test_a_noisy_superflat_does_not_make_the_amplitude_small(sky, pattern, superflat, rng):
    white = 1.5
    noise = smooth_twice(rng.normal(0, white, SHAPE).astype("f4"), np.ones(SHAPE, bool), 3)
    noisy = superflat.replace(data=superflat.data + noise)
    told = noisy.with_cards({"MAR FRINGE NOISE": white, "MAR FRINGE WIDTH": 3})
    frame = fringed(sky, pattern, 10)
    assert fringe_amplitude(frame, noisy, Fringe()).value < 9.3
    assert fringe_amplitude(frame, told, Fringe()).value == pytest.approx(10, rel=0.03)


def test_subtract_fringe_does_not_change_its_input(sky, pattern, superflat):
    frame = fringed(sky, pattern, 10)
    before, pattern_before = frame.data.copy(), superflat.data.copy()
    subtract_fringe(frame, superflat, Fringe())
    assert_array_equal(frame.data, before)
    assert_array_equal(superflat.data, pattern_before)


def test_a_frame_without_any_sky_is_left_alone(sky, superflat):
    frame = sky.replace(data=np.full(SHAPE, np.nan, "f4"))
    assert subtract_fringe(frame, superflat, Fringe()).header["MAR FRINGE"] == "none seen"


def test_a_superflat_of_another_size_is_refused(sky):
    with pytest.raises(BadImage, match="raw1"):
        subtract_fringe(sky, Frame(np.ones((5, 5), "f4"), Header()), Fringe())


def test_smoothing_keeps_waves_and_takes_noise(rng):
    everywhere = np.ones(SHAPE, bool)
    noise = rng.normal(0, 1, SHAPE).astype("f4")
    assert smooth_twice(noise, everywhere, 5).var() == pytest.approx(noise_left(5), rel=0.1)
    wave = np.sin(2 * np.pi * np.arange(SHAPE[1]) / 20)[None, :] * np.ones((SHAPE[0], 1))
    smooth = smooth_twice(wave.astype("f4"), everywhere, 5)
    assert smooth[200, 100:300].max() > 0.97
