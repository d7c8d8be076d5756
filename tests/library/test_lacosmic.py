"""L.A.Cosmic against a slow twin, and what must hold on any image: borders, masks, NaN, tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import naive_cosmics as naive
from mar.kernels.left_out import LeftOut, any_left_out
from mar.kernels.separable import separable_median
from mar.kernels.tracks import keep_near
from mar.steps import lacosmic
from mar.steps.lacosmic import rule_of
from painted_sky import GAIN, READ_NOISE_E, cosmic_tracks, flat_sky, noisy, starry

RULE = rule_of(4.5, 0.3, 5.0, GAIN, READ_NOISE_E)
SIDES = st.integers(1, 90)


def sky_with_tracks(ny, nx, seed, level=300.0):
    """Image (stars, tracks, noise), its sky, and pixels left out."""
    rng = np.random.default_rng(seed)
    image, _ = starry((ny, nx), level, stars=1 + ny * nx // 600, fwhm=rng.uniform(1.2, 3), seed=seed)
    charge = cosmic_tracks((ny, nx), number=1 + ny * nx // 300, seed=seed)
    left_out = rng.random((ny, nx)) < 0.003
    left_out[:, rng.integers(nx)] = seed % 2 == 0
    return (noisy(image, seed) + charge).astype("f4"), np.full((ny, nx), level, dtype="f4"), left_out


def find_hits(image, sky, left_out, *args):
    """With a level sky and the pixels left out as images."""
    return lacosmic.find_hits(image, flat_sky(sky), LeftOut(left_out.view("u1"), 1), *args)


@pytest.fixture(scope="module")
def seen():
    return sky_with_tracks(300, 280, 11)


@pytest.mark.parametrize("size", [5, 7, 9])
@given(shape=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_separable_medians_agree_with_naive(size, shape, seed):
    image = np.random.default_rng(seed).normal(0, 10, shape).round().astype("f4")
    out = np.full_like(image, np.nan)
    separable_median(image, size, np.full_like(image, np.nan), out)
    assert np.array_equal(out, naive.separable_median(image, size))


@given(ny=st.integers(12, 90), nx=st.integers(12, 90), seed=st.integers(0, 999), rounds=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_hits_agree_with_naive(ny, nx, seed, rounds):
    image, sky, left_out = sky_with_tracks(ny, nx, seed)
    ours = find_hits(image, sky, left_out, RULE, rounds)
    assert np.array_equal(ours, naive.lacosmic(image, sky, left_out, RULE, rounds))


def test_hits_of_each_round_agree_with_naive(seen):
    numbers = []
    for rounds in (1, 2, 3, 4):
        ours = find_hits(*seen, RULE, rounds)
        assert np.array_equal(ours, naive.lacosmic(*seen, RULE, rounds))
        numbers.append(ours.sum())
    assert 200 < numbers[0] < numbers[1] <= numbers[2]


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (50, 6), (7, 7), (8, 9)])
def test_tiny_images_have_no_room_for_hits(shape):
    image = np.full(shape, 100, dtype="f4")
    image[shape[0] // 2, shape[1] // 2] = 5000
    nothing = np.zeros(shape, dtype=bool)
    ours = find_hits(image, np.full_like(image, 100), nothing, RULE, 4)
    assert np.array_equal(ours, naive.lacosmic(image, np.full_like(image, 100), nothing, RULE, 4))
    assert ours.any() == (min(shape) >= 7)


def test_hits_do_not_depend_on_the_tiles(seen, monkeypatch):
    whole = find_hits(*seen, RULE, 4)
    monkeypatch.setattr(lacosmic, "TILE", (33, 41))
    monkeypatch.setattr(lacosmic, "CELL", (21, 45))
    assert np.array_equal(find_hits(*seen, RULE, 4), whole)


def test_hits_do_not_depend_on_the_unit(seen):
    image, sky, left_out = seen
    doubled = RULE._replace(gain=RULE.gain / 2)
    assert np.array_equal(find_hits(2 * image, 2 * sky, left_out, doubled, 4), find_hits(*seen, RULE, 4))


def test_left_out_pixels_and_those_that_touch_them_are_not_hit(seen):
    image, sky, _ = seen
    everywhere = find_hits(image, sky, np.zeros(image.shape, dtype=bool), RULE, 4)
    ys, xs = (places[::9] for places in np.nonzero(everywhere))
    left_out = np.zeros(image.shape, dtype=bool)
    left_out[ys, xs] = True
    hits = find_hits(image, sky, left_out, RULE, 4)
    assert hits.any()
    assert not (hits & naive.mark_around(left_out, True, 1)).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_count_as_left_out_sky(seen, value):
    image, sky, left_out = seen
    holes = np.random.default_rng(4).random(image.shape) < 0.01
    holes[100:110, 50:90] = True
    hits = find_hits(np.where(holes, np.float32(value), image), sky, left_out, RULE, 4)
    assert np.array_equal(hits, find_hits(np.where(holes, sky, image), sky, left_out | holes, RULE, 4))
    assert hits.any()


def test_an_image_without_numbers_has_no_hits():
    nothing = np.full((40, 40), np.nan, dtype="f4")
    hits = find_hits(nothing, np.zeros_like(nothing), np.zeros(nothing.shape, dtype=bool), RULE, 4)
    assert not hits.any()


def test_a_hit_larger_than_its_surroundings_is_cleaned_to_the_sky():
    image = noisy(np.full((60, 60), 300.0))
    image[25:34, 25:34] += np.random.default_rng(1).uniform(2e3, 9e4, (9, 9)).astype("f4")
    sky, nothing = np.full_like(image, 300), np.zeros(image.shape, dtype=bool)
    hits = find_hits(image, sky, nothing, RULE, 8)
    assert hits[25:34, 25:34].mean() > 0.5
    assert np.array_equal(hits, naive.lacosmic(image, sky, nothing, RULE, 8))


def test_hits_leave_their_input_alone(seen):
    before = [array.copy() for array in seen]
    find_hits(*seen, RULE, 4)
    assert all(np.array_equal(*pair) for pair in zip(before, seen, strict=True))


def test_tracks_that_nothing_confirms_are_dropped(seen):
    assert not find_hits(*seen, RULE, 4, lambda ys, xs: np.zeros(ys.size, dtype=bool)).any()
    everything = find_hits(*seen, RULE, 4, lambda ys, xs: np.ones(ys.size, dtype=bool))
    assert np.array_equal(everything, find_hits(*seen, RULE, 4))


def test_what_touches_a_confirmed_pixel_stays_and_no_more(seen):
    first = find_hits(*seen, RULE, 1)
    y, x = np.argwhere(first)[first.sum() // 2]
    kept = find_hits(*seen, RULE, 1, lambda ys, xs: (ys == y) & (xs == x))
    only = np.zeros_like(first)
    only[y, x] = True
    assert np.array_equal(kept, naive.keep_near(first, only))


SPARSE = arrays.arrays(bool, (12, 14), elements=st.booleans(), fill=st.just(False))


@given(new=SPARSE, sure=SPARSE)
@settings(max_examples=100, deadline=None)
def test_what_is_near_a_sure_pixel_agrees_with_naive(new, sure):
    ours = new.astype("u1")
    ys, xs = np.nonzero(new)
    keep_near(ours, ys, xs, sure[ys, xs])
    assert np.array_equal(ours, naive.keep_near(new, sure & new))


@given(seed=st.integers(0, 99), reach=st.integers(0, 5), beside=st.integers(0, 2))
@settings(max_examples=20, deadline=None)
def test_what_is_left_out_agrees_with_naive(seed, reach, beside):
    rng = np.random.default_rng(seed)
    mask = np.where(rng.random((30, 40)) < 0.01, rng.integers(0, 8, (30, 40)), 0).astype("u1")
    wanted = naive.mark_around(mask, 1, 0) | naive.mark_around(mask, 2, reach)
    wanted = naive.mark_around(wanted.astype("u1"), 1, beside)
    left_out = LeftOut(mask, 1, 2, reach)
    assert np.array_equal(
        [[any_left_out(left_out, y, x, beside) for x in range(40)] for y in range(30)], wanted
    )


def test_only_what_can_be_confirmed_need_be_looked_at(seen):
    everything = find_hits(*seen, RULE, 4)
    wanted = everything & (np.random.default_rng(3).random(everything.shape) < 0.3)
    kept = find_hits(*seen, RULE, 4, lambda ys, xs: wanted[ys, xs])
    assert kept.any()
    assert np.array_equal(find_hits(*seen, RULE, 4, lambda ys, xs: wanted[ys, xs], np.nonzero(wanted)), kept)
