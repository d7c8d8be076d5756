"""Repair of masked pixels: smooth over defects, silent about stars."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage

import naive
from mar.config.reduction import Reduction
from mar.config.repair import Repair
from mar.kernels.repair import IDW, LINEAR, MEDIAN, group_areas, interpolate, runs_not_finite, runs_of
from mar.masks import Bit
from mar.steps.repair import repair_masked
from painted_sky import frame_of, noisy, paint_star


@pytest.fixture
def defective():
    """A sloping sky with a dead column and a hot blob, all marked bad."""
    rng = np.random.default_rng(6)
    truth = 400 + np.linspace(0, 30, 200)[None, :] + np.zeros((300, 1))
    data = noisy(truth)
    mask = np.zeros(data.shape, dtype=np.uint8)
    mask[:, 77] = mask[150:155, 20:25] = mask[0, 0] = Bit.BAD
    data[mask != 0] = rng.uniform(2000, 60000, np.count_nonzero(mask))
    return frame_of(data, mask), truth


@pytest.mark.parametrize("method", ["idw", "median", "linear"])
def test_repair_gives_bad_pixels_the_sky_around(defective, method):
    frame, truth = defective
    repaired = repair_masked(frame, Repair(), Reduction(pixcor_interpolator=method))
    bad = frame.bits(Bit.BAD)
    assert np.abs(repaired.data - truth)[bad].max() < 100
    assert abs(np.median((repaired.data - truth)[bad])) < 3
    assert repaired.header["MAR REPAIR NPIX"] == np.count_nonzero(bad)


def test_repair_touches_only_what_was_asked(defective):
    frame, _ = defective
    frame.mask[40, 40] = Bit.COSMIC
    frame.mask[41, 50] = Bit.SATURATED | Bit.BAD
    repaired = repair_masked(frame, Repair(), Reduction())
    changed = repaired.data != frame.data
    assert not changed[~frame.bits(Bit.BAD)].any()
    assert not changed[41, 50]
    assert np.array_equal(repaired.mask, frame.mask)
    both = repair_masked(frame, Repair(), Reduction(pixcor_maskvalues=(1, 4)))
    assert both.data[40, 40] != frame.data[40, 40]


def test_repair_does_not_change_its_input(defective):
    frame, _ = defective
    before, mask = frame.data.copy(), frame.mask.copy()
    repair_masked(frame, Repair(), Reduction())
    assert np.array_equal(frame.data, before)
    assert np.array_equal(frame.mask, mask)


def test_repair_never_invents_the_core_of_a_star():
    image = np.full((200, 200), 400.0)
    paint_star(image, 100, 100, 20000, 3.0)
    data = noisy(image)
    mask = np.zeros(data.shape, dtype=np.uint8)
    mask[:, 100] = Bit.BAD
    repaired = repair_masked(frame_of(data, mask), Repair(), Reduction())
    assert np.array_equal(repaired.data[97:104, 100], data[97:104, 100])
    assert (repaired.data[:80, 100] != data[:80, 100]).all()


def test_repair_leaves_large_groups_alone_in_mode_morphology(defective):
    frame, _ = defective
    groups = repair_masked(frame, Repair(), Reduction(pixcor_maxarea=100))
    assert np.array_equal(groups.data[:, 77], frame.data[:, 77])
    assert not np.array_equal(groups.data[150:155, 20:25], frame.data[150:155, 20:25])
    pixels = repair_masked(frame, Repair(), Reduction(pixcor_maxarea=100, pixcor_mode="pixels"))
    assert (pixels.data[:, 77] != frame.data[:, 77]).all()


def test_repair_leaves_no_nan(defective):
    frame, truth = defective
    frame.data[200, 100] = np.nan
    frame.data[250:300, 150:200] = np.inf
    frame.mask[250:300, 150:200] = Bit.BAD
    repaired = repair_masked(frame, Repair(largest_radius=5), Reduction())
    assert np.isfinite(repaired.data).all()
    assert np.abs(repaired.data - truth)[frame.mask != 0].max() < 120


def test_repair_of_a_clean_frame_is_the_frame():
    frame = frame_of(noisy(np.full((100, 100), 400.0)))
    repaired = repair_masked(frame, Repair(), Reduction())
    assert np.array_equal(repaired.data, frame.data)
    assert repaired.data is not frame.data


@pytest.mark.parametrize("method", [IDW, MEDIAN, LINEAR])
def test_interpolation_agrees_with_naive(method):
    rng = np.random.default_rng(7)
    data = rng.normal(400, 20, (30, 34)).astype(np.float32)
    usable = rng.random(data.shape) > 0.4
    usable[:14, :12] = False
    data[20, 20], usable[20, 20] = np.nan, False
    ys, xs = np.nonzero(~usable)
    mask = np.where(usable, 64, 1).astype(np.uint8)
    ours = interpolate(data, mask, 1, ys, xs, method, 6)
    assert np.isnan(ours).any()
    assert_allclose(ours, naive.interpolate(data, usable, ys, xs, method, 6), rtol=1e-5)


def test_runs_and_groups_agree_with_scipy():
    rng = np.random.default_rng(3)
    for density in (0.05, 0.4, 1.0):
        mask = rng.choice([0, 1, 2, 3], (40, 37), p=[1 - density, density / 2, 0, density / 2]).astype("u1")
        runs = runs_of(mask, 1, 0)
        marked = np.zeros(mask.shape, bool)
        areas = np.zeros(mask.shape, int)
        for (y, x0, x1), area in zip(runs, group_areas(runs), strict=True):
            marked[y, x0:x1], areas[y, x0:x1] = True, area
        labels, _ = ndimage.label(mask & 1, np.ones((3, 3)))
        assert np.array_equal(marked, (mask & 1) != 0)
        assert np.array_equal(areas[marked], np.bincount(labels.ravel())[labels[marked]])
        not_two = np.concatenate([np.arange(x0, x1) + 37 * y for y, x0, x1 in runs_of(mask, 1, 2)])
        assert np.array_equal(not_two, np.flatnonzero(mask == 1))


def test_runs_that_are_not_finite():
    data = np.zeros((4, 6), "f4")
    data[1, 2:4], data[3, 5], data[3, 0] = np.nan, np.inf, -np.inf
    assert runs_not_finite(data).tolist() == [[1, 2, 4], [3, 0, 1], [3, 5, 6]]


@pytest.mark.parametrize("method", ["idw", "median", "linear"])
def test_an_island_larger_than_the_window_keeps_its_middle(method):
    data = noisy(np.full((120, 120), 400.0))
    mask = np.zeros(data.shape, np.uint8)
    mask[30:80, :60] = Bit.BAD  # down to the border
    data[mask != 0] = 9000
    config = Repair(largest_radius=8)
    repaired = repair_masked(frame_of(data, mask), config, Reduction(pixcor_interpolator=method))
    assert (repaired.data[42:68, :48] == 9000).all()
    assert np.abs(repaired.data[30:36, :60] - 400).max() < 150
    assert np.array_equal(repaired.mask, mask)


def test_a_frame_that_is_all_masked_stays_and_one_without_a_number_becomes_nought():
    data = noisy(np.full((50, 60), 400.0))
    mask = np.full(data.shape, Bit.BAD, np.uint8)
    assert np.array_equal(repair_masked(frame_of(data, mask), Repair(), Reduction()).data, data)
    for given in (mask, np.zeros_like(mask)):
        empty = repair_masked(frame_of(np.full((50, 60), np.nan), given), Repair(), Reduction())
        assert not empty.data.any()
        assert empty.header["MAR REPAIR NPIX"] == 3000


def test_the_border_is_repaired_from_within():
    data = noisy(np.full((80, 90), 400.0))
    mask = np.zeros(data.shape, np.uint8)
    mask[0], mask[-1], mask[:, 0], mask[:, -1] = (Bit.BAD,) * 4
    data[mask != 0] = 0
    repaired = repair_masked(frame_of(data, mask), Repair(), Reduction(pixcor_interpolator="linear"))
    assert np.abs(repaired.data - 400).max() < 120
