"""Overscan, trim, bias and flat in one pass, against the steps one after the other."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.camera import load_camera
from mar.config.scan import Scan
from mar.errors import BadImage
from mar.frame import Frame
from mar.kernels.levels import apply_masters
from mar.masks import Bit
from mar.recipes.detrended import detrend
from mar.simulate import simulate_raw
from mar.steps.bias import subtract_bias
from mar.steps.flat import divide_flat
from mar.steps.master_rows import MasterRows
from mar.steps.overscan import subtract_overscan


@pytest.fixture(scope="module")
def raw(camera):
    frame = simulate_raw(camera, 500, drift=True).raw
    mask = np.zeros(camera.raw_shape, "u1")
    science = camera.amplifiers[12].science
    mask[science.y0 + 5, science.x0 + 7] = Bit.SATURATED
    return frame.replace(mask=mask)


def master(camera, mean, sigma, label, **cards):
    rng = np.random.default_rng(len(label))
    mask = (rng.random(camera.shape) < 0.001).astype("u1")
    pixels = rng.normal(mean, sigma, camera.shape).astype("f4")
    return Frame(pixels, Header(cards), mask, None, label, "77")


@pytest.fixture(scope="module")
def bias(camera):
    return master(camera, 3, 1, "masterbias.fits")


@pytest.fixture(scope="module")
def flat(camera):
    flat = master(camera, 1, 0.02, "masterflat.fits")
    flat.data[100, 100:103] = 0, np.nan, -1
    return flat


def test_one_pass_gives_what_the_steps_give(raw, bias, flat, camera):
    once = detrend(raw, camera, MasterRows.of(bias), MasterRows.of(flat), Scan())
    steps = divide_flat(subtract_bias(subtract_overscan(raw, camera, Scan()), bias), flat)
    assert_array_equal(once.data, steps.data)
    assert_array_equal(once.mask, steps.mask)
    assert once.header.tostring() == steps.header.tostring()
    assert once.header["MAR FLAT"] == "masterflat.fits 77"
    assert (once.mask[100, 100:103] & Bit.BAD).all()


def test_masters_and_frames_need_no_mask(raw, bias, flat, camera):
    bare = [MasterRows.of(one.replace(mask=None)) for one in (bias, flat)]
    made = detrend(raw.replace(mask=None), camera, *bare, Scan())
    assert np.count_nonzero(made.mask) == 3


def test_the_kernel_agrees_with_its_twin(rng):
    rows, bias = rng.normal(500, 20, (2, 7, 90)).astype("f4")
    flat = rng.choice([0.9, 1.1, 0, -1, np.nan, np.inf], (7, 90)).astype("f4")
    mask = rng.integers(0, 9, (7, 90)).astype("u1")
    expected, marked = naive.apply_masters(rows, bias, flat, 1, mask)
    apply_masters(rows, bias, flat, np.uint8(1), mask)
    assert_allclose(rows, expected, rtol=1e-6)
    assert_array_equal(mask, marked)


def test_a_master_of_another_camera_is_refused(raw, bias, flat, camera):
    small = flat.replace(data=flat.data[:50], mask=None)
    with pytest.raises(BadImage, match=r"masterflat\.fits is"):
        detrend(raw, camera, MasterRows.of(bias), MasterRows.of(small), Scan())


def test_a_master_of_other_gains_is_refused(raw, bias, flat, camera):
    uneven = master(camera, 3, 1, "masterbias.fits", OVERSCAN="OVSCX polynomial 1")
    with pytest.raises(BadImage, match=r"masterbias\.fits was made with another Scan\.AMPLIFIER_GAIN"):
        detrend(raw, camera, MasterRows.of(uneven), MasterRows.of(flat), Scan(amplifier_gain=True))
    even = master(camera, 3, 1, "masterbias.fits", OVERSCAN="OVSCX polynomial 1, even gain")
    with pytest.raises(BadImage, match="make it again"):
        detrend(raw, camera, MasterRows.of(even), MasterRows.of(flat), Scan())


def test_a_single_amplifier_goes_the_same_way():
    single = load_camera("single")
    frame = simulate_raw(single, 500, 4, shot_noise=False).raw
    bias = Frame(np.zeros(single.shape, "f4"), Header())
    made = detrend(
        frame, single, MasterRows.of(bias), MasterRows.of(bias.replace(data=bias.data + 2)), Scan()
    )
    assert made.data.mean() == pytest.approx(250, abs=0.1)
