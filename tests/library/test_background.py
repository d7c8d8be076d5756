"""The sky and the objects in it, on images whose sky we know."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import naive_sources
from mar.kernels.mesh import clipped_level
from mar.masks import Bit
from mar.steps.background import Cubics, estimate
from mar.steps.objects import find_objects, mark_objects
from painted_sky import frame_of, noisy, starry


@pytest.fixture
def rng():
    return np.random.default_rng(17)


@pytest.fixture(scope="module")
def sloping():
    image, stars = starry(stars=100, seed=4)
    slope = np.linspace(-40, 40, image.shape[1])[None, :]
    return noisy(image + slope), 400 + slope, stars


def test_background_follows_a_slope_under_stars(sloping):
    data, sky, _ = sloping
    level = estimate(data, mesh_px=64).level()
    assert level.dtype == np.float32
    assert np.abs(level - sky).mean() < 2.5
    assert abs(np.median(level - sky)) < 1.5


def test_background_knows_its_noise(sloping):
    background = estimate(sloping[0], mesh_px=64)
    truth = np.sqrt(400 / 0.95 + (3.43 / 0.95) ** 2)
    assert background.rms_adu == pytest.approx(truth, rel=0.08)
    assert np.median(background.rms()) == pytest.approx(truth, rel=0.08)


def test_background_leaves_out_masked_and_infinite_pixels():
    data = noisy(np.full((256, 256), 400.0))
    mask = np.zeros(data.shape, dtype=np.uint8)
    data[64:120, 64:120], mask[64:120, 64:120] = 450, Bit.BAD
    data[10, 10] = np.nan
    data[20, 20] = np.inf
    level = estimate(data, mask, mesh_px=64, filter_meshes=1).level()
    assert np.abs(level - 400).max() < 6
    assert np.abs(estimate(data, mask * 0, mesh_px=64, filter_meshes=1).level() - 400).max() > 20


def test_background_subtracts_to_zero_and_keeps_its_input(sloping):
    data = sloping[0]
    before = data.copy()
    residual = estimate(data, mesh_px=64).subtracted_from(data)
    assert abs(np.median(residual)) < 1.5
    assert np.array_equal(data, before)


def test_background_reads_big_endian_pixels(sloping):
    assert estimate(sloping[0].astype(">f4")).level_adu == estimate(sloping[0]).level_adu


def test_objects_cover_stars_and_leave_the_sky(sloping):
    data, _, stars = sloping
    found = find_objects(data, None, sky=estimate(data, mesh_px=64))
    bright = [(x, y) for x, y, peak in stars if peak > 200]
    assert all(found[round(y), round(x)] for x, y in bright)
    assert found.mean() < 0.2


def test_objects_are_none_in_an_empty_sky():
    assert find_objects(noisy(np.full((400, 400), 400.0))).mean() < 1e-3


def test_objects_do_not_depend_on_bands_of_rows(sloping, monkeypatch):
    whole = find_objects(sloping[0])
    monkeypatch.setattr("mar.steps.objects.BAND_ROWS", 100)
    assert np.array_equal(find_objects(sloping[0]), whole)


def test_marking_objects_sets_their_bit_and_keeps_its_input(sloping):
    frame = frame_of(sloping[0])
    marked = mark_objects(frame)
    assert marked.bits(Bit.OBJECT).any()
    assert not frame.mask.any()
    assert marked.header["MAR OBJECTS"] == "done"


@pytest.mark.parametrize("seed", range(4))
def test_the_level_of_a_cell_is_that_of_its_twin(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(1000, 12, 40000)
    values[: 1500 * seed] += rng.exponential(80, 1500 * seed)
    values = values.astype("f4")
    level, sigma = clipped_level(values, 3.0)
    assert level == pytest.approx(naive_sources.cell_level(values)[0], abs=0.25)
    assert sigma == pytest.approx(naive_sources.cell_level(values)[1], rel=0.01)


def test_cells_of_one_value_have_no_noise():
    assert clipped_level(np.full(100, 7.0, "f4"), 3.0) == (7.0, 0.0)


def test_the_sky_is_a_natural_cubic_spline_through_the_cells(rng):
    y, x = np.arange(5) * 20.0 + 9.5, np.arange(4) * 25.0 + 12
    values = rng.normal(100, 10, (5, 4))
    drawn = Cubics.through(y, x, values, (100, 100)).drawn()
    columns = CubicSpline(y, values, axis=0, bc_type="natural")(np.arange(100))
    expected = CubicSpline(x, columns, axis=1, bc_type="natural")(np.arange(100))
    np.testing.assert_allclose(drawn, expected, atol=1e-3)


def test_a_frame_of_one_cell_has_a_flat_sky():
    drawn = Cubics.through(np.r_[9.5], np.r_[9.5], np.r_[[[42.0]]], (20, 20)).drawn()
    np.testing.assert_array_equal(drawn, np.full((20, 20), 42, "f4"))
