"""Small kernels on the way to a master, against their naive twins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.kernels.levels import middle_of_columns, subtract_levels
from mar.kernels.networks import network_of, sorting_network
from mar.kernels.ordering import ascending
from mar.kernels.strips_of_counts import (
    forget_far,
    levels_near,
    middle_value,
    quantiles_of_rows,
    running_medians,
    take_strips,
    tally,
)
from mar.kernels.surface import (
    box_medians,
    departures,
    draw_along,
    mark_above,
    mark_outside,
    upper_limit,
)


def test_levels_are_subtracted_where_the_amplifiers_lie():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 65535, (6, 40)).astype("u2")
    along_y, along_x = rng.normal(500, 2, (2, 9)).astype("f4"), rng.normal(0, 1, 20).astype("f4")
    begin, to, factors = np.array([[20, 32, 0], [4, 12, 12]]), np.array([5, 17]), np.array([1.25, 1], "f4")
    out = np.zeros((6, 30), dtype="f4")
    subtract_levels(rows, begin, to, along_y[:, 2:8], along_x, factors, out)
    for a, (first, last, level) in enumerate(begin):
        part = out[:, to[a] : to[a] + last - first]
        expected = naive.subtract_level(
            rows[:, first:last], along_y[a, 2:8], along_x[level : level + last - first], factors[a]
        )
        assert_allclose(part, expected, rtol=1e-6, atol=0.01)
        part[...] = 0
    assert_array_equal(out, 0)


@pytest.mark.parametrize("n", [3, 4, 27, 54])
def test_the_middle_of_the_columns_of_a_strip(n):
    strip = np.random.default_rng(n).normal(1000, 4, (n, 700)).astype("f4")
    middle = np.empty(700, dtype="f4")
    middle_of_columns(strip, np.array(sorting_network(n)), (n - 1) // 2, n // 2, middle)
    assert_allclose(middle, np.median(strip, axis=0), rtol=1e-6)


@pytest.fixture
def drawn_out():
    """Two amplifiers of 7 columns, at 13 and 4, in 40 rows: the surface as taken, and pixel by pixel."""
    grid, at = np.random.default_rng(4).normal(100, 10, (5, 14)), [3.5, 11.5, 19.5, 27.5, 35.5]
    left = np.clip(np.searchsorted(at, np.arange(40), side="right") - 1, 0, 3)
    surface = np.array([13, 4]), grid, left, (np.arange(40) - np.array(at)[left]) / 8
    drawn = np.full((40, 21), np.nan)
    drawn[:, 13:20], drawn[:, 4:11] = np.hsplit(naive.draw_out(grid, at, 40), 2)
    return surface, drawn


def test_a_grid_is_drawn_along_its_amplifiers():
    values = np.random.default_rng(12).normal(100, 10, (3, 2, 4)).astype("f4")
    at, x = [1.0, 4.0, 7.0, 10.0], np.arange(12)
    left = np.clip(np.searchsorted(at, x, side="right") - 1, 0, 2)
    out = np.empty((3, 2, 12))
    draw_along(values, left, (x - np.array(at)[left]) / 3, out)
    for a in range(2):
        assert_allclose(out[:, a].T, naive.draw_out(values[:, a].T, at, 12), rtol=1e-6)


def test_departures_are_sampled_and_the_highest_kept(drawn_out):
    surface, drawn = drawn_out
    data = np.random.default_rng(5).normal(100, 5, (40, 21)).astype("f4")
    data[33, 5] = np.nan
    sampled, highest = np.empty((2, 94), dtype="f4"), np.empty((2, 14), dtype="f4")
    for y0, y1 in ((32, 40), (0, 32)):
        departures(data, *surface, y0, y1, 3, sampled, highest)
    off = data - drawn
    for a, x0 in enumerate(surface[0]):
        part = off[:, x0 : x0 + 7]
        assert_allclose(sampled[a], part.ravel()[::3], rtol=1e-5, atol=1e-4)
        top = np.array(
            [np.where(np.isnan(rows), np.inf, rows).max(axis=0) for rows in (part[:32], part[32:])]
        )
        assert_allclose(highest[:, 7 * a : 7 * a + 7], top, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("limit", [12, np.inf, np.nan])
def test_what_stands_out_is_marked_where_it_lies(drawn_out, limit):
    surface, drawn = drawn_out
    data = np.random.default_rng(6).normal(100, 30, (40, 21)).astype("f4")
    data[8, 5], data[36, 14] = np.nan, -1
    sampled, highest = np.empty((2, 280), dtype="f4"), np.empty((2, 14), dtype="f4")
    departures(data, *surface, 0, 40, 1, sampled, highest)
    mask = np.zeros((40, 21), dtype="u1")
    for a in range(2):
        mark_above(data, *surface, a, np.float32(limit), np.uint8(8), highest, mask)
    expected = np.where(data - drawn <= limit, 0, 8)
    expected[:, [*range(4), 11, 12, 20]] = 0
    assert_array_equal(mask, expected)


def test_what_lies_outside_limits_is_marked_where_it_lies(drawn_out):
    surface, drawn = drawn_out
    data = np.random.default_rng(6).normal(100, 5, (40, 21)).astype("f4")
    data[8, 5], data[9, 6], data[39, 19] = np.nan, -1, 1000
    mask = np.zeros((40, 21), dtype="u1")
    mark_outside(data, *surface, 2, 39, np.float32(0.8), np.float32(1.3), np.uint8(2), mask)
    good = (data > 0) & (data >= 0.8 * drawn) & (data <= 1.3 * drawn)
    expected = np.where(good | np.isnan(drawn), 0, 2)
    expected[:2], expected[39:] = 0, 0
    assert_array_equal(mask, expected)


def test_numbers_ascend_and_what_is_none_is_left_out():
    values = np.random.default_rng(7).normal(0, 1000, 5000).astype("f4")
    values[:6] = [np.nan, np.inf, -np.inf, 0, 1e-42, -1e38]
    assert_array_equal(ascending(values), np.sort(values[np.isfinite(values)]))
    assert ascending(values[:3]).size == 0


def test_quantiles_of_rows_are_those_of_their_numbers():
    rng = np.random.default_rng(8)
    rows = np.round(rng.normal(0, 3, (6, 401)), 1).astype("f4")
    rows[1, 5:60], rows[2] = np.nan, np.nan
    rows[3] = 7
    rows[4] *= np.float32(1e-42)
    out = np.empty((3, 6), dtype="f4")
    quantiles_of_rows(rows, np.array([0.1, 0.5, 0.99]), out)
    for k, fraction in enumerate((0.1, 0.5, 0.99)):
        expected = [
            np.quantile(row[np.isfinite(row)], fraction, method="midpoint") if y != 2 else np.nan
            for y, row in enumerate(rows)
        ]
        assert_array_equal(out[k], np.array(expected, dtype="f4"))


def test_quantiles_far_from_those_of_the_row_before():
    rows = np.random.default_rng(14).normal(0, 1, (3, 201)).astype("f4")
    rows[1] += 1e4
    rows[2] = np.round(rows[2]) - 7
    out = np.empty((2, 3), dtype="f4")
    quantiles_of_rows(rows, np.array([0.3, 0.5]), out)
    assert_array_equal(out, np.quantile(rows, [0.3, 0.5], axis=1, method="midpoint").astype("f4"))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_middle_value_is_the_median(dtype):
    values = np.random.default_rng(15).normal(0, 1, 40).astype(dtype)
    for n in (1, 2, 7, 40):
        assert middle_value(values[:n]) == np.median(values[:n])
    values[3] = np.nan
    assert np.isnan(middle_value(values))
    assert np.isnan(middle_value(values[:0]))


@pytest.mark.parametrize("span", [1, 4, 15, 30])
def test_running_medians_keep_their_span_at_the_ends(span):
    values, out = np.random.default_rng(16).normal(0, 1, 30), np.empty(30)
    running_medians(values, span, out)
    for i in range(30):
        first = min(max(0, i - span // 2), 30 - span)
        assert out[i] == np.median(values[first : first + span])


def test_strips_are_taken_band_by_band():
    image = np.random.default_rng(17).integers(0, 65535, (20, 30)).astype("u2")
    along_y, along_x = np.full((4, 12), np.nan, "f4"), np.full((3, 25), np.nan, "f4")
    pixels = np.concatenate([along_y.ravel(), along_x.ravel()])
    strips = np.array([(26, 30, 2, 14, 0, 1, 12), (1, 26, 15, 18, 48, 25, 1)])
    for y0 in range(0, 20, 7):
        take_strips(image[y0 : y0 + 7], y0, strips, pixels)
    assert_array_equal(pixels[:48].reshape(4, 12), image[2:14, 26:30].T)
    assert_array_equal(pixels[48:].reshape(3, 25), image[15:18, 1:26])


def test_what_is_far_is_forgotten_and_the_rest_tallied():
    rng = np.random.default_rng(9)
    strip = rng.normal(0, 1, (5, 300)).astype("f4")
    strip[2, 7], strip[4, 200] = 50, -60
    off, middle = strip.copy(), np.zeros(5, dtype="f4")
    known = np.abs(strip) <= 5
    level = np.empty(5)
    levels_near(off, middle, np.full(5, 5, dtype="f4"), level)
    assert_allclose(level, np.where(known, strip, 0).sum(axis=1) / known.sum(axis=1), atol=1e-6)
    assert forget_far(strip, off, middle, np.float32(5)) == 2
    assert_array_equal(np.isnan(strip), ~known)
    assert_array_equal(np.isnan(off), ~known)
    number, total, square = np.zeros(300, dtype="i8"), np.zeros(300), np.zeros(300)
    tally(strip, number, total, square)
    assert_array_equal(number, known.sum(axis=0))
    assert_allclose(total, np.nansum(strip.astype("f8"), axis=0), atol=1e-12)
    assert_allclose(square, np.nansum(strip.astype("f8") ** 2, axis=0), atol=1e-12)


def test_the_median_of_a_box_is_that_of_the_medians_of_its_rows():
    data = np.random.default_rng(10).normal(100, 5, (40, 60)).astype("f4")
    data[21, 33] = np.nan
    ys, xs = np.arange(40).reshape(4, 10)[:, ::2], np.arange(60).reshape(3, 20)[:, ::3]
    medians, known = np.empty((4, 3), dtype="f4"), np.empty((4, 3), dtype="?")
    box_medians(data, ys, xs, network_of(7), network_of(5), medians, known)
    for j, i in np.ndindex(4, 3):
        box = data[np.ix_(ys[j], xs[i])]
        assert known[j, i] == np.isfinite(box).all()
        if known[j, i]:
            assert_allclose(medians[j, i], np.median(np.median(box, axis=1)), rtol=1e-6)


@pytest.mark.parametrize("rounds", [1, 2, 9])
def test_the_limit_of_clipping(rounds):
    values = np.random.default_rng(11).normal(0, 1, 5000).astype("f4")
    values[:40] = np.linspace(-30, 90, 40)
    kept = values.astype("f8")
    for _ in range(rounds):
        centre, reach = np.median(kept), 4 * kept.std()
        kept = kept[np.abs(kept - centre) <= reach]
    assert_allclose(upper_limit(np.sort(values), 4.0, rounds), centre + reach, rtol=1e-9)
    assert np.isnan(upper_limit(values[:0], 4.0, rounds))
