"""Subtracting the master bias."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose, assert_array_equal

from mar.errors import BadImage
from mar.frame import Frame
from mar.masks import Bit
from mar.steps.bias import subtract_bias


@pytest.fixture
def master(rng):
    mask = np.zeros((40, 50), "u1")
    mask[3, 4] = Bit.BAD
    return Frame(
        rng.normal(3, 1, (40, 50)).astype("f4"), Header(), mask, label="masterbias.fits", checksum="7"
    )


@pytest.fixture
def frame(master):
    return Frame(master.data + np.float32(100), Header(), label="raw1")


def test_the_structure_of_the_bias_is_gone(frame, master):
    assert_allclose(subtract_bias(frame, master).data, 100, atol=1e-4)


def test_its_bad_pixels_join_the_mask(frame, master):
    mask = np.zeros((40, 50), "u1")
    mask[3, 4] = mask[9, 9] = Bit.SATURATED
    got = subtract_bias(frame.replace(mask=mask), master).mask
    assert got[3, 4] == Bit.SATURATED | Bit.BAD
    assert got[9, 9] == Bit.SATURATED
    assert np.count_nonzero(got) == 2


def test_the_header_names_the_master(frame, master):
    assert subtract_bias(frame, master).header["MAR BIAS"] == "masterbias.fits 7"


def test_subtract_bias_does_not_change_its_input(frame, master):
    before, master_before = frame.data.copy(), master.data.copy()
    subtract_bias(frame, master)
    assert_array_equal(frame.data, before)
    assert_array_equal(master.data, master_before)
    assert frame.mask is None


def test_a_master_of_another_size_is_refused(frame):
    with pytest.raises(BadImage, match="raw1"):
        subtract_bias(frame, Frame(np.zeros((5, 5), "f4"), Header()))
