"""The simulator's own WCS: a cubic radial distortion, held exactly by a TPV header."""

import numpy as np
import pytest
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from mar.simulate.wcs import TrueWcs, make_wcs

SHAPE = (1154, 1152)


@pytest.fixture
def wcs() -> TrueWcs:
    return make_wcs(SHAPE, 0.55, (359.99, -85.0), rotation_deg=2.0, distortion_px=4.0)


@pytest.fixture
def pixels(rng):
    return rng.uniform(0, SHAPE[1], 200), rng.uniform(0, SHAPE[0], 200)


def test_pixels_return_to_themselves(wcs, pixels):
    assert_allclose(wcs.sky_to_pixel(*wcs.pixel_to_sky(*pixels)), pixels, atol=1e-6)


def test_header_says_the_same_to_astropy(wcs, pixels):
    ra, dec = WCS(wcs.header()).all_pix2world(*pixels, 0)
    assert_allclose(wcs.pixel_to_sky(*pixels), (ra, dec), atol=1e-9)


def test_distortion_reaches_its_size_in_the_corner():
    bent = make_wcs(SHAPE, 0.55, (110.0, -25.0), distortion_px=4.0)
    straight = make_wcs(SHAPE, 0.55, (110.0, -25.0))
    corner = straight.sky_to_pixel(*bent.pixel_to_sky(-0.5, -0.5))
    assert np.hypot(corner[0] + 0.5, corner[1] + 0.5) == pytest.approx(4.0, abs=0.01)


def test_rotation_and_parity_follow_the_camera():
    north_up = make_wcs(SHAPE, 0.55, (110.0, -25.0), rotation_deg=0.0)
    x, y = north_up.sky_to_pixel(np.array([110.0, 110.01]), np.array([-24.99, -25.0]))
    assert y[0] > north_up.y0 + 60
    assert x[1] < north_up.x0 - 55  # east is on the left
    flipped = make_wcs(SHAPE, 0.55, (110.0, -25.0), east_left=False, north_up=False)
    x, y = flipped.sky_to_pixel(np.array([110.0, 110.01]), np.array([-24.99, -25.0]))
    assert y[0] < flipped.y0 - 60
    assert x[1] > flipped.x0 + 55


def test_sky_behind_the_telescope_has_no_pixel(wcs):
    x, _ = wcs.sky_to_pixel(np.array([100.0]), np.array([80.0]))
    assert np.isnan(x[0])


def test_it_survives_as_plain_numbers(wcs):
    assert TrueWcs.from_dict(wcs.as_dict()) == wcs
