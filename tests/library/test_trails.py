"""Trails: each one found and drawn, and none where there is none."""

from itertools import pairwise

import numpy as np
import pytest

import naive
from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.kernels.radon import bin_mean, join_strips
from mar.kernels.strips import piece_levels
from mar.masks import Bit
from mar.simulate import Conditions, Effects, simulate_sky_frame
from mar.steps.trails import find_trails, mark_trails
from painted_sky import frame_of, noise_of, noisy, paint_star, satellite, starry

SHAPE = (620, 600)
SKY_NOISE = float(noise_of(np.array([400.0]))[0])


@pytest.fixture(scope="module")
def stars():
    return starry(SHAPE, stars=90, seed=11)[0]


def trails_in(data, mask=None, **changes):
    mask = np.zeros(data.shape, dtype=np.uint8) if mask is None else mask
    return find_trails(np.asarray(data, dtype=np.float32), mask, Trails(**changes), Reduction())


def recall_and_purity(stars, trail, seed=3):
    image = stars + trail
    found = mark_trails(frame_of(noisy(image, seed)), Trails(), Reduction()).bits(Bit.TRAIL)
    truth = trail > noise_of(image)
    hit = np.count_nonzero(found & truth)
    return hit / np.count_nonzero(truth), hit / max(1, np.count_nonzero(found))


@pytest.mark.parametrize(("angle", "peak", "fwhm"), [(0, 3, 4), (31, 30, 3), (89.9, 30, 6), (135, 3, 8)])
def test_trail_is_found_and_drawn_with_its_width(stars, angle, peak, fwhm):
    trail = satellite(SHAPE, (280, 330), angle, peak * SKY_NOISE, fwhm=fwhm)
    recall, purity = recall_and_purity(stars, trail)
    assert recall > 0.95
    assert purity > 0.8
    # marked over true pixels: the width of a trail from edge to edge
    assert 0.7 < recall / purity < 1.3


def test_trails_of_three_sigma_lose_and_gain_few_pixels():
    rng = np.random.default_rng(4711)
    true = marked = hit = 0
    for seed in range(8):
        fwhm = (2.5, 4.0)[seed % 2]
        image, _ = starry(SHAPE, stars=(60, 400)[seed // 2 % 2], fwhm=fwhm, seed=900 + seed)
        at, angle, wider = tuple(rng.uniform(200, 400, 2)), rng.uniform(0, 180), rng.uniform(1, 1.8)
        trail = satellite(SHAPE, at, angle, 3 * SKY_NOISE, fwhm=wider * fwhm)
        image += trail
        found = mark_trails(frame_of(noisy(image, seed)), Trails(), Reduction()).bits(Bit.TRAIL)
        truth = trail > noise_of(image)
        true += np.count_nonzero(truth)
        marked += np.count_nonzero(found)
        hit += np.count_nonzero(found & truth)
    assert hit > 0.95 * true
    assert hit > 0.80 * marked


@pytest.mark.parametrize("seed", [1])
def test_trail_of_the_simulated_camera_is_found_and_none_without(seed):
    sky = simulate_sky_frame(SHAPE, seed, band="R", exposure=1)
    saturated = sky.mask & np.uint8(Bit.SATURATED)
    found = mark_trails(frame_of(sky.data, saturated), Trails(), Reduction()).bits(Bit.TRAIL)
    truth = (sky.mask & Bit.TRAIL) != 0
    assert np.count_nonzero(found & truth) > 0.85 * np.count_nonzero(truth) > 0
    assert np.count_nonzero(found & truth) > 0.6 * np.count_nonzero(found)
    clean = simulate_sky_frame(SHAPE, seed, band="R", exposure=1, effects=Effects().without("trails"))
    assert trails_in(clean.data, clean.mask & np.uint8(Bit.SATURATED)) == []


def test_bent_and_wide_trails_are_followed(stars):
    bent = satellite(SHAPE, (300, 300), 20, 8 * SKY_NOISE, bend_px=2)
    assert recall_and_purity(stars, bent)[0] > 0.95
    wide = satellite(SHAPE, (300, 300), 70, 5 * SKY_NOISE, fwhm=15)
    assert recall_and_purity(stars, wide)[0] > 0.9


def test_two_crossing_trails_are_both_found(stars):
    one = satellite(SHAPE, (300, 300), 20, 5 * SKY_NOISE)
    other = satellite(SHAPE, (200, 400), 110, 12 * SKY_NOISE)
    assert len(trails_in(noisy(stars + one + other))) == 2


def test_trail_goes_through_masked_pixels(stars):
    data = noisy(stars + satellite(SHAPE, (300, 300), 45, 10 * SKY_NOISE))
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[:, 150:180], data[:, 150:180] = Bit.BAD, np.nan
    assert len(trails_in(data, mask)) == 1


@pytest.mark.parametrize(("stars", "fwhm", "seed"), [(30, 2, 0), (300, 4.5, 5)])
def test_no_trail_in_a_clean_frame(stars, fwhm, seed):
    image, _ = starry(SHAPE, stars=stars, fwhm=fwhm, seed=seed)
    assert trails_in(noisy(image, seed)) == []


def test_defects_of_the_detector_are_no_trails(stars):
    data = noisy(stars)
    data[:, 300] += 60  # a warm column
    data[:310, 200:203] += 200  # three of one amplifier
    data[450, :] += 60  # a warm row
    data[:310, 150:300] += 15  # an amplifier with another level
    assert trails_in(data) == []


def test_objects_in_a_row_galaxies_spikes_and_bleeding_are_no_trails(stars):
    image = stars.copy()
    for step in range(16):
        paint_star(image, 40 + 35 * step, 60 + 32 * step, 400 + 900 * (step % 4), 2.5)
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]
    across, along = (xs - 400) * 0.6 - (ys - 200) * 0.8, (xs - 400) * 0.8 + (ys - 200) * 0.6
    image += 800 * np.exp(-np.hypot(along / 25, across / 2.5))
    paint_star(image, 150, 450, 5e5, 3)
    image += 4000 * np.exp(-np.abs(xs - 150) / 30 - (ys - 450) ** 2 / 4)
    image += 4000 * np.exp(-np.abs(ys - 450) / 30 - (xs - 150) ** 2 / 4)
    data = noisy(image)
    data[250:, 149:152] = 60000
    mask = np.where(data > 59000, Bit.SATURATED, 0).astype(np.uint8)
    assert trails_in(data, mask) == []


@pytest.mark.parametrize("turn_deg", [30, 110])
def test_a_large_galaxy_seen_edge_on_is_no_trail(stars, turn_deg):
    turn = np.radians(turn_deg)
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]
    along = (xs - 310) * np.cos(turn) + (ys - 330) * np.sin(turn)
    across = (ys - 330) * np.cos(turn) - (xs - 310) * np.sin(turn)
    disc = 20 * SKY_NOISE * np.exp(-np.hypot(along, across / 0.05) / 35)
    assert trails_in(noisy(stars + disc, turn_deg)) == []


def test_a_trail_that_ends_in_the_frame_is_drawn_to_its_end(stars):
    half = satellite(SHAPE, (300, 300), 25, 8 * SKY_NOISE)
    half[:, 300:] = 0
    recall, purity = recall_and_purity(stars, half)
    assert recall > 0.95
    assert purity > 0.75


@pytest.mark.parametrize(
    ("kind", "least_purity"), [("tumbling", 0.55), ("meteor", 0.55), ("aircraft", 0.5), ("cut", 0.7)]
)
def test_other_kinds_of_trails_are_found_and_drawn_where_they_shine(kind, least_purity):
    conditions = Conditions(trail_kind=kind, density=3)
    effects = Effects().without("galaxies")
    sky = simulate_sky_frame(
        SHAPE, 77, density=3, band="R", exposure=1, conditions=conditions, effects=effects
    )
    found = mark_trails(frame_of(sky.data, sky.mask & np.uint8(Bit.SATURATED)), Trails(), Reduction())
    truth, marked = (sky.mask & Bit.TRAIL) != 0, found.bits(Bit.TRAIL)
    assert np.count_nonzero(marked & truth) > 0.85 * np.count_nonzero(truth) > 0
    assert np.count_nonzero(marked & truth) > least_purity * np.count_nonzero(marked)


def test_marking_trails_changes_neither_pixels_nor_input(stars):
    frame = frame_of(noisy(stars + satellite(SHAPE, (300, 300), 25, 8 * SKY_NOISE)))
    before = frame.data.copy()
    marked = mark_trails(frame, Trails(), Reduction())
    assert marked.header["MAR TRAILS N"] == 1
    assert marked.bits(Bit.TRAIL).any()
    assert np.array_equal(marked.data, before)
    assert np.array_equal(frame.data, before)
    assert not frame.mask.any()


def test_bin_mean_agrees_with_naive():
    rng = np.random.default_rng(1)
    data = rng.normal(5, 1, (23, 31)).astype(np.float32)
    data[3, 4] = np.nan
    mask = rng.integers(0, 16, data.shape).astype(np.uint8)
    mask[:8, :8] = 1
    mean, count = np.empty((6, 8), dtype=np.float32), np.empty((6, 8), dtype=np.int32)
    bin_mean(data, mask, 3, 4, mean, count)
    expected_mean, expected_count = naive.bin_mean(data, mask, 3, 4)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-6)
    np.testing.assert_array_equal(count, expected_count)


@pytest.mark.parametrize("empty", [0, 5, 16, 30])
@pytest.mark.parametrize("heights", [(1, 16), (1, 2, 16), (1, 2, 4, 8, 16)])
def test_sums_along_lines_agree_with_naive(heights, empty):
    strips = np.random.default_rng(2).normal(0, 1, (16, 40)).astype(np.float32)
    strips[:, :empty] = 0
    expected, sums = naive.sums_along_lines(strips), (strips, np.zeros_like(strips))
    for height, wanted in pairwise(heights):
        sums = join_strips(*sums, height, wanted, empty)
    np.testing.assert_allclose(sums[0], expected, rtol=1e-4, atol=1e-4)


def test_levels_of_pieces_are_those_of_sorted_pixels():
    rng = np.random.default_rng(4)
    data = np.round(rng.normal(0, 3, (9, 60)), 0).astype(np.float32)  # with ties
    data[4, 7] = np.nan
    chord, levels, spread = np.array([-0.5, 4.0, 1.0, 0.0, 60.0]), np.empty((3, 5)), np.empty(3)
    mask = np.zeros(data.shape, dtype=np.uint8)
    piece_levels(data, mask, 1, chord, np.zeros(1), 20, 1, 0.3, levels, spread)
    for piece in range(3):
        for offset in range(5):
            row = data[2 + offset, 20 * piece : 20 * piece + 20]
            known = np.sort(row[~np.isnan(row)])
            assert levels[piece, offset] == known[int(0.3 * (known.size - 1) + 0.5)]
