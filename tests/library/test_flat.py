"""Dividing by the master flat."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose, assert_array_equal

from mar.errors import BadImage
from mar.frame import Frame
from mar.masks import Bit
from mar.steps.flat import divide_flat


@pytest.fixture
def master(rng):
    return Frame(
        rng.uniform(0.8, 1.2, (40, 50)).astype("f4"), Header(), label="masterflat.fits", checksum="8"
    )


@pytest.fixture
def frame(master):
    return Frame(master.data * np.float32(500), Header(), label="raw1")


def test_an_even_sky_becomes_even(frame, master):
    got = divide_flat(frame, master)
    assert_allclose(got.data, 500, rtol=1e-6)
    assert got.data.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, -0.2, np.nan])
def test_where_the_flat_tells_nothing_the_pixel_is_bad_and_finite(frame, master, value):
    master.data[5, 6] = value
    got = divide_flat(frame, master)
    assert got.mask[5, 6] == Bit.BAD
    assert got.data[5, 6] == frame.data[5, 6]
    assert np.count_nonzero(got.mask) == 1


def test_cold_pixels_join_the_mask(frame, master):
    mask = np.zeros((40, 50), "u1")
    mask[1, 1] = Bit.BAD
    assert divide_flat(frame, master.replace(mask=mask)).mask[1, 1] == Bit.BAD


def test_the_header_names_the_master(frame, master):
    assert divide_flat(frame, master).header["MAR FLAT"] == "masterflat.fits 8"


def test_divide_flat_does_not_change_its_input(frame, master):
    before, flat_before = frame.data.copy(), master.data.copy()
    divide_flat(frame, master)
    assert_array_equal(frame.data, before)
    assert_array_equal(master.data, flat_before)


def test_a_flat_of_another_size_is_refused(frame):
    with pytest.raises(BadImage, match="raw1"):
        divide_flat(frame, Frame(np.ones((5, 5), "f4"), Header()))
