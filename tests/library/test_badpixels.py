"""Hot and cold pixels of masters whose defects are known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.masks import Bit
from mar.steps.badpixels import cold_mask, hot_mask


@pytest.fixture
def bias(camera, rng):
    """A bias with a slope over each amplifier, far larger than its noise."""
    data = rng.normal(0, 1, camera.shape)
    for amplifier in camera.amplifiers:
        part = data[amplifier.trimmed.slices]
        part += np.linspace(0, 30, part.shape[1])
    return data.astype("f4")


@pytest.fixture
def flat(camera, rng):
    y, x = np.mgrid[: camera.shape[0], : camera.shape[1]] / 1000
    vignetted = 1 - 0.1 * ((y - 0.55) ** 2 + (x - 0.6) ** 2)
    return (vignetted * rng.normal(1, 0.005, camera.shape)).astype("f4")


def test_hot_pixels_and_columns_are_found_and_little_else(bias, camera):
    bias[100, 200] += 20
    bias[700:900, 900] += 15
    mask = hot_mask(bias, camera, Bias())
    assert mask[100, 200] == Bit.BAD
    assert (mask[700:900, 900] == Bit.BAD).all()
    assert np.count_nonzero(mask) < 201 + 10


def test_a_higher_limit_marks_fewer(bias, camera):
    assert hot_mask(bias, camera, Bias(hot_sigma=3)).sum() > 10 * hot_mask(bias, camera, Bias()).sum()


def test_pixels_without_a_number_are_bad(bias, camera):
    bias[5, 5] = np.nan
    assert hot_mask(bias, camera, Bias())[5, 5] == Bit.BAD


def test_cold_pixels_are_found_and_vignetting_is_not(flat, camera):
    flat[50, 60] *= 0.9
    flat[800:1000, 30] *= 0.5
    flat[20, 20] = 0
    flat[21, 21] = np.nan
    flat[22, 22] *= 1.08
    mask = cold_mask(flat, camera, Flat())
    for y, x in ((50, 60), (20, 20), (21, 21), (22, 22)):
        assert mask[y, x] == Bit.BAD
    assert (mask[800:1000, 30] == Bit.BAD).all()
    assert np.count_nonzero(mask) < 204 + 10


def test_wider_limits_mark_fewer(flat, camera):
    flat[50, 60] *= 0.93
    assert cold_mask(flat, camera, Flat())[50, 60]
    assert not cold_mask(flat, camera, Flat(cold_low=0.9))[50, 60]


def test_masks_do_not_change_their_input(bias, flat, camera):
    before, flat_before = bias.copy(), flat.copy()
    hot_mask(bias, camera, Bias())
    cold_mask(flat, camera, Flat())
    assert_array_equal(bias, before)
    assert_array_equal(flat, flat_before)
