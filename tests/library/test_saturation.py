"""Saturated pixels on raw counts, and what bleeds from them."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_array_equal

import naive
from mar.config.saturation import Saturation
from mar.errors import BadImage
from mar.frame import Frame
from mar.masks import Bit
from mar.simulate import plain_camera, simulate_sky_frame
from mar.steps.assemble import trim
from mar.steps.saturation import mark_saturated


@pytest.mark.parametrize("grow", [0, 1, 3])
@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_marks_agree_with_naive(rng, grow, kind):
    camera = plain_camera((40, 30))
    values = rng.choice([10, 80, 95, 120], (40, 30), p=[0.7, 0.1, 0.1, 0.1]).astype(kind)
    limits = Saturation(fraction=99.5 / camera.saturation_adu, bleed_fraction=0.9, grow=grow)
    marked = mark_saturated(Frame(values, Header()), camera, limits)
    assert_array_equal(marked.mask != 0, naive.mark_columns(values, 99.5, 0.9 * 99.5, grow))
    assert marked.header["MAR SATURATION NPIX"] == (values == 120).sum()


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


def test_charge_is_followed_into_the_next_amplifier(camera):
    raw = raw_frame(camera)
    lower, upper = camera.amplifiers[2], camera.amplifiers[10]
    raw.data[lower.science.y1 - 6 : lower.science.y1, lower.science.x0 + 9] = 62000
    raw.data[lower.science.y1 - 3, lower.science.x0 + 9] = 65535
    raw.data[upper.science.y0 : upper.science.y0 + 4, upper.science.x0 + 9] = 62000  # none is saturated here
    mask = trim(mark_saturated(raw, camera, Saturation(grow=1)).mask, camera)
    y, x = np.nonzero(mask)
    assert set(x) == {lower.trimmed.x0 + 9}
    assert (y.min(), y.max()) == (lower.trimmed.y1 - 7, upper.trimmed.y0 + 4)


def test_an_amplifier_may_bleed_along_rows(camera):
    values = camera.model_dump(by_alias=True)
    values["outputs"] = [one | {"bleeds_along": "x"} for one in values["outputs"]]
    raw = raw_frame(camera)
    area = camera.amplifiers[3].science
    raw.data[area.y0 + 50, area.x0 + 20 : area.x0 + 26] = 62000
    raw.data[area.y0 + 50, area.x0 + 22] = 65535
    y, x = np.nonzero(mark_saturated(raw, type(camera).model_validate(values), Saturation(grow=1)).mask)
    assert set(y) == {area.y0 + 50}
    assert (x.min(), x.max()) == (area.x0 + 19, area.x0 + 26)


def test_charge_at_the_edge_of_the_chip_and_a_frame_full_of_it(camera):
    raw = raw_frame(camera)
    first = camera.amplifiers[0].science
    raw.data[first.y0, first.x0] = 65535
    assert mark_saturated(raw, camera, Saturation(grow=3)).mask.astype(bool).sum() == 4
    raw.data[:] = 65535
    assert (trim(mark_saturated(raw, camera, Saturation()).mask, camera) == Bit.SATURATED).all()


def test_spikes_of_a_saturated_star_are_not_marked():
    """Its diffraction spikes stand along rows and columns, bright but not full."""
    camera = plain_camera((300, 300))
    data = np.full((300, 300), 1400.0)
    y, x = np.mgrid[:300, :300]
    data += 3e6 * (1 + np.hypot(y - 150, x - 150) ** 2 / 4) ** -3
    for away, along in ((x - 150, y - 150), (y - 150, x - 150)):
        data += 45000 * np.exp(-0.5 * (away / 1.2) ** 2) / (1 + np.abs(along) / 15)
    raw = Frame(np.minimum(data, 65535).astype("u2"), Header())
    marked = mark_saturated(raw, camera, Saturation()).mask != 0
    assert marked[150, 150]
    assert np.abs(np.nonzero(marked)[0] - 150).max() < 12
    full = raw.data == 65535
    assert marked.sum() <= full.sum() + 3 * full.any(axis=0).sum()
    assert (raw.data[150, 165:200] > 10000).all()


def test_simulated_stars_and_their_bleeding_are_found():
    sky = simulate_sky_frame((500, 500), seed=4, density=60.0, exptime_s=300.0)
    raw = Frame((sky.data + 1000).astype("u2"), sky.header)
    found = mark_saturated(raw, sky.camera, Saturation()).bits(Bit.SATURATED)
    true = (sky.mask & Bit.SATURATED) != 0
    assert true.sum() > 50
    assert (found & true).sum() >= 0.99 * true.sum()
    assert (found & true).sum() > 0.75 * found.sum()


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
