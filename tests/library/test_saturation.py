"""Saturated pixels on raw counts, and what bleeds from them."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_array_equal

import naive
from mar.config.saturation import Saturation
from mar.errors import BadImage
from mar.frame import Frame
from mar.kernels.bleed import mark_columns
from mar.masks import Bit
from mar.simulate import simulate_sky_frame
from mar.steps.assemble import trim
from mar.steps.saturation import mark_saturated


@pytest.mark.parametrize("grow", [0, 1, 3])
def test_kernel_agrees_with_naive(rng, grow):
    values = rng.choice([10, 80, 95, 120], (40, 30), p=[0.7, 0.1, 0.1, 0.1]).astype("f4")
    out = np.empty(values.shape, dtype=bool)
    mark_columns(values, 100.0, 90.0, grow, out)
    assert_array_equal(out, naive.mark_columns(values, 100.0, 90.0, grow))


def raw_frame(camera):
    return Frame(np.full(camera.raw_shape, 1200, dtype="u2"), Header(), label="raw1")


def test_a_bled_column_is_marked_along_its_length(camera):
    raw = raw_frame(camera)
    area = camera.amplifiers[3].science
    raw.data[area.y0 + 50 : area.y0 + 90, area.x0 + 20] = 62000  # nearly full
    raw.data[area.y0 + 60 : area.y0 + 80, area.x0 + 20] = 65535
    mask = mark_saturated(raw, camera, Saturation(grow=2)).mask
    y, x = np.nonzero(mask)
    assert set(x) == {area.x0 + 20}
    assert (y.min(), y.max()) == (area.y0 + 48, area.y0 + 91)
    assert set(mask[mask > 0]) == {Bit.SATURATED}


def test_bright_but_not_saturated_stays(camera):
    raw = raw_frame(camera)
    raw.data[100:110, 50] = 64000
    assert not mark_saturated(raw, camera, Saturation()).mask.any()


def test_simulated_stars_and_their_bleeding_are_found():
    sky = simulate_sky_frame((500, 500), seed=4, density=60.0, exptime_s=300.0)
    raw = Frame((sky.data + 1000).astype("u2"), sky.header)
    found = mark_saturated(raw, sky.camera, Saturation()).bits(Bit.SATURATED)
    true = (sky.mask & Bit.SATURATED) != 0
    assert true.sum() > 50
    assert (found & true).sum() > 0.95 * true.sum()
    assert (found & true).sum() > 0.5 * found.sum()


def test_the_mask_is_in_raw_geometry_and_trims_with_it(camera):
    raw = raw_frame(camera)
    upper = camera.amplifiers[10]
    raw.data[upper.science.y0 + 5, upper.science.x0 + 6] = 65535
    mask = trim(mark_saturated(raw, camera, Saturation(grow=0)).mask, camera)
    assert mask[upper.trimmed.y0 + 5, upper.trimmed.x0 + 6] == Bit.SATURATED


def test_the_pixels_stay_and_the_step_is_recorded(camera):
    raw = raw_frame(camera)
    before = raw.data.copy()
    marked = mark_saturated(raw, camera, Saturation())
    assert_array_equal(marked.data, before)
    assert raw.mask is None
    assert "MAR SATURATION" in marked.header


def test_a_trimmed_frame_is_refused(camera):
    with pytest.raises(BadImage, match="already trimmed"):
        mark_saturated(Frame(np.zeros(camera.shape, "u2"), Header()), camera, Saturation())
