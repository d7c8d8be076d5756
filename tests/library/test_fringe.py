"""Subtracting fringes of known amplitude."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.config.fringe import Fringe
from mar.errors import BadImage
from mar.frame import Frame
from mar.kernels.fringe import block_means, subtract_pattern
from mar.masks import Bit
from mar.simulate.fringes import fringe_pattern
from mar.steps.fringe import fringe_amplitude, subtract_fringe
from mar.steps.smoothing import filled, only_waves, smooth_twice

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


def test_without_fringes_nothing_changes_and_the_header_and_the_log_say_so(sky, superflat, caplog):
    caplog.set_level("INFO", "mar.steps.fringe")
    got = subtract_fringe(sky, superflat, Fringe())
    assert_array_equal(got.data, sky.data)
    assert got.header["MAR FRINGE"] == "none seen"
    assert abs(got.header["MAR FRINGE AMP"]) < 5 * got.header["MAR FRINGE ERR"]
    assert "raw1.fits: fringes left alone, none seen" in caplog.text


def test_a_pattern_upside_down_is_left_alone(sky, pattern, superflat):
    frame = fringed(sky, pattern, -10)
    got = subtract_fringe(frame, superflat, Fringe())
    assert_array_equal(got.data, frame.data)
    assert (got.header["MAR FRINGE"], got.header["MAR FRINGE AMP"]) == (
        "none seen",
        pytest.approx(-10, rel=0.05),
    )


def test_a_superflat_that_is_mostly_noise_adds_none(sky, pattern, superflat):
    frame = fringed(sky, pattern, 15)
    got = subtract_fringe(frame, superflat.with_cards({"MAR FRINGE NOISE": 0.8}), Fringe())
    assert_array_equal(got.data, frame.data)
    assert got.header["MAR FRINGE"] in ("superflat is too noisy", "none seen")


def galaxy(y, x):
    return 2000 * np.exp(-4 * np.hypot((x - 200) / 150, (y - 190) / 110))


def cluster(y, x):
    rng = np.random.default_rng(4)
    light = np.zeros(SHAPE)
    for cy, cx in rng.normal(200, 50, (700, 2)):
        light += 10 ** rng.uniform(1, 3) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4)
    return light


def steep(y, x):
    return 400 * x / SHAPE[1] + 100 * (y / SHAPE[0]) ** 2


def ghost(y, x):
    return 60.0 * (np.abs(np.hypot(x - 250, y - 150) - 80) < 15)


def holes(y, x):
    return np.where((x % 3 == 0) & (y < 200), np.nan, 0.0)


@pytest.mark.parametrize("light", [galaxy, cluster, steep, ghost, holes])
def test_what_lies_on_the_sky_is_no_fringe(sky, pattern, superflat, light):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    bright = sky.replace(data=sky.data + light(y, x).astype("f4"))
    with_fringes = fringe_amplitude(fringed(bright, pattern, 10), superflat, Fringe())
    assert with_fringes.value == pytest.approx(10, abs=0.5)
    assert_array_equal(subtract_fringe(bright, superflat, Fringe()).data, bright.data)


def test_fringes_gone_means_less_noise(sky, pattern, superflat):
    before = fringed(sky, pattern, 4)
    after = subtract_fringe(before, superflat, Fringe())
    spread = [np.median(np.abs(one.data - np.median(one.data))) for one in (before, after)]
    assert spread[1] < spread[0]


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
    noise = smooth_twice(rng.normal(0, 1, SHAPE).astype("f4"), np.ones(SHAPE, bool), 11)
    share = 0.15  # of the variance of a pattern of rms 1
    mixed = np.sqrt(1 - share) * pattern + np.sqrt(share) * noise / noise.std()
    noisy = superflat.replace(data=mixed.astype("f4"))
    told = noisy.with_cards({"MAR FRINGE NOISE": np.sqrt(share)})
    frame, true = fringed(sky, pattern, 10), 10 / np.sqrt(1 - share)
    assert fringe_amplitude(frame, noisy, Fringe()).value < 0.92 * true
    assert fringe_amplitude(frame, told, Fringe()).value == pytest.approx(true, rel=0.05)


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


def test_where_the_pattern_is_unknown_the_frame_stays(sky, pattern, superflat):
    frame = fringed(sky, pattern, 10)
    superflat.data[100:110] = np.nan
    got = subtract_fringe(frame, superflat, Fringe()).data
    assert_array_equal(got[100:110], frame.data[100:110])
    assert np.isfinite(got).all()


def test_smoothing_keeps_waves(rng):
    wave = np.sin(2 * np.pi * np.arange(SHAPE[1]) / 20)[None, :] * np.ones((SHAPE[0], 1))
    smooth = smooth_twice(wave.astype("f4"), np.ones(SHAPE, dtype=bool), 5)
    assert smooth[200, 100:300].max() > 0.97


def test_waves_stand_out_of_noise_and_the_noise_left_is_told(pattern, rng):
    waves, told = only_waves((2 * pattern + rng.normal(0, 4, SHAPE)).astype("f4"))
    left = waves - 2 * pattern
    assert left.std() < 0.2 * 4
    assert told == pytest.approx(left.std(), rel=0.35)
    assert np.sum(left * pattern) / np.sum(2 * pattern**2) == pytest.approx(0, abs=0.1)


def test_noise_alone_has_no_waves(rng):
    waves, told = only_waves(rng.normal(0, 4, SHAPE).astype("f4"))
    assert waves.std() < 0.1 * 4
    assert told < 0.1 * 4


def test_holes_get_the_mean_around_them(rng):
    image = rng.normal(100, 1, (90, 80)).astype("f4")
    known = np.ones(image.shape, bool)
    known[20:24], known[60:, 40:] = False, False
    out = filled(np.where(known, image, np.nan), known, 11)
    assert_array_equal(out[known], image[known])
    assert np.abs(out[20:24] - 100).max() < 1
    assert out[80, 70] == 0


def test_block_means_agree_with_naive(rng):
    data, pattern = rng.normal(0, 1, (2, 21, 26)).astype("f4")
    data[3, 4] = pattern[9, 9] = np.nan
    mask = rng.choice([0, 1, 64], data.shape, p=[0.5, 0.3, 0.2]).astype("u1")
    for masks in ((mask, mask[::-1].copy()), (np.zeros((0, 0), "u1"),) * 2):
        out = np.empty((3, 6, 2))
        chosen = np.array([0, 2, 4])
        block_means(data, masks[0], pattern, masks[1], 1, (4, 4), chosen, out)
        assert_allclose(
            out, naive.block_means(data, masks[0], pattern, masks[1], 1, (4, 4), chosen, 6), rtol=1e-5
        )


def test_subtraction_agrees_with_numpy(rng):
    data, pattern = rng.normal(0, 1, (2, 21, 26)).astype("f4")
    out = np.empty_like(data)
    subtract_pattern(data, pattern, np.float32(3), out)
    assert_allclose(out, data - 3 * pattern, rtol=1e-5, atol=1e-6)
