"""Rows packed into files: code and numbers of the standard, no loss of integers, little of floats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import naive_files
from mar.io.checksum import Passed, plus, sum_of
from mar.io.packed import randoms
from mar.io.packing import QUANTIZE_LEVEL
from mar.kernels.quantize import BLANK, quantise, restore
from mar.kernels.rice import SPARE, rice_decode, rice_encode, room
from painted_sky import noise_of, noisy, starry

LIMITS = {8: (0, 255), 16: (-(2**15), 2**15 - 1), 32: (-(2**31), 2**31 - 1)}


@st.composite
def rows_of_integers(draw):
    """Bits and a row of such integers: noise of some width, with leaps."""
    bits = draw(st.sampled_from([8, 16, 32]))
    low, high = LIMITS[bits]
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    nx, width = draw(st.integers(1, 130)), 2.0 ** draw(st.integers(-3, bits))
    row = numbers.normal((low + high) / 2, width, nx)
    leaps = numbers.random(nx) < draw(st.sampled_from([0, 0.02, 0.5]))
    row[leaps] = numbers.choice([low, high, 0], leaps.sum())
    return bits, np.clip(np.rint(row), low, high).astype(np.int64).astype(np.int32)


def packed(rows, bits):
    code = np.zeros(len(rows) * room(rows.shape[1]) + SPARE, np.uint8)
    ends = np.zeros(len(rows), np.int64)
    rice_encode(rows, bits, code, ends)
    return code, ends


@settings(max_examples=80, deadline=None)
@given(rows_of_integers())
def test_rice_code_is_that_of_the_twin_and_comes_back(case):
    bits, row = case
    code, ends = packed(np.stack([row, row[::-1]]), bits)
    for start, end, written in ((0, ends[0], row), (ends[0], ends[1], row[::-1])):
        assert code[start:end].tobytes() == naive_files.rice(written, bits)
        back = np.empty_like(row)
        assert rice_decode(code, start, end - start, bits, 32, back)
        assert_array_equal(back, written)


@settings(max_examples=50, deadline=None)
@given(rows_of_integers())
def test_a_row_cut_short_is_refused(case):
    bits, row = case
    code, ends = packed(row[None], bits)
    assert not rice_decode(code, 0, int(ends[0]) - 1, bits, 32, np.empty_like(row))


def test_the_random_numbers_are_those_of_the_standard():
    numbers, last = naive_files.randoms()
    assert last == 1043618065  # appendix I says so
    assert_array_equal(randoms(), numbers)


def there_and_back(image):
    """An image as a file would give it back, and the steps of its rows."""
    image = np.ascontiguousarray(image, np.float32)
    integers, back = np.empty(image.shape, np.int32), np.empty_like(image)
    scales, zeros = np.empty(len(image)), np.empty(len(image))
    quantise(image, 0, QUANTIZE_LEVEL, randoms(), integers, scales, zeros)
    for y in range(len(image)):
        restore(integers[y], y, 2, BLANK, scales[y], zeros[y], randoms(), back[y])
    return back, scales


def test_quantised_rows_are_those_of_the_twin(rng):
    rows = rng.normal(20, 5, (3, 10300)).astype("f4")
    rows[1, 50:60], rows[2, 70] = 0, np.nan
    integers, scales, zeros = np.empty(rows.shape, np.int32), np.empty(3), np.empty(3)
    quantise(rows, 9998, QUANTIZE_LEVEL, randoms(), integers, scales, zeros)
    for n, y in enumerate((9998, 9999, 10000)):
        expected = naive_files.quantised(rows[n], y, scales[n], zeros[n])
        different = integers[n] != expected  # values that lie in the middle between two steps
        assert different.mean() < 1e-3
        assert np.abs(integers[n].astype(np.int64) - expected).max() <= 1
        back = np.empty_like(rows[n])
        restore(integers[n], y, 2, BLANK, scales[n], zeros[n], randoms(), back)
        assert_array_equal(back, naive_files.restored(integers[n], y, scales[n], zeros[n]))
        np.testing.assert_allclose(scales[n], 5 / QUANTIZE_LEVEL, rtol=0.15)


@pytest.mark.parametrize("stars", [10, 250])
def test_packing_adds_less_than_one_percent_of_the_noise_of_the_sky_and_no_offset(stars):
    truth, _ = starry((144, 576), stars=stars)
    image = noisy(truth)
    back, scales = there_and_back(image)
    sky = noise_of(np.array(400.0))
    change = back.astype(float) - image
    assert (scales > 0).all()
    assert change.std() < 0.01 * sky
    assert abs(change.mean()) < 4 * change.std() / np.sqrt(change.size)


def test_faint_stars_keep_their_flux():
    truth, stars = starry((288, 576), stars=200, greatest=300, seed=5)
    image = noisy(truth)
    back, _ = there_and_back(image)
    change = back.astype(float) - image
    changes, noises = [], []
    for x, y, _ in stars:
        within = np.s_[max(0, int(y) - 3) : int(y) + 4, max(0, int(x) - 3) : int(x) + 4]
        changes.append(change[within].sum())
        noises.append(np.sqrt((noise_of(truth[within]) ** 2).sum()))
    assert abs(np.mean(changes)) < 4 * np.std(changes) / np.sqrt(len(changes))
    assert np.std(changes) < 0.01 * np.median(noises)


def test_zeros_and_nan_stay_what_they_are(rng):
    rows = rng.normal(0, 5, (4, 700)).astype("f4")
    rows[0, 100:400], rows[1, 5:9], rows[2], rows[3] = 0, np.nan, 0, np.nan
    back, scales = there_and_back(rows)
    assert (scales > 0).all()
    assert_array_equal(back == 0, rows == 0)
    assert_array_equal(np.isnan(back), np.isnan(rows))


@pytest.mark.parametrize("value", [5.3, -1e-30, 1.0, 3e38, 65535.0])
def test_a_constant_comes_back_exactly(value):
    rows = np.full((1, 700), value, np.float32)
    rows[0, :50] = 0
    back, scales = there_and_back(rows)
    assert scales[0] > 0
    assert_array_equal(back, rows)


def test_what_cannot_be_quantised_is_left_to_be_stored_as_it_is(rng):
    rows = rng.normal(100, 5, (4, 700)).astype("f4")
    rows[0, 3] = 1e30  # beyond the integers
    rows[1, 4] = -np.inf
    rows[2, :500] = 7  # most without noise
    rows[3, 40:] = 0  # too few to know their noise
    _, scales = there_and_back(rows)
    assert_array_equal(scales, 0)


@settings(deadline=None)
@given(st.binary(max_size=50), st.integers(0, 50))
def test_sums_of_parts_make_the_sum(data, cut):
    total = plus(sum_of(data[:cut]), sum_of(data[cut:], min(cut, len(data))))
    assert total == sum_of(data) == naive_files.datasum(data)


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 60)), max_size=8),
)
def test_bytes_that_pass_in_any_order_are_added_up_once(data, reads):
    stored, passed = np.frombuffer(data, np.uint8), Passed(len(data))
    for start, length in [*reads, (0, len(data))]:
        passed.see(stored[start : start + length], start)
    assert passed.gaps == []
    assert passed.total == naive_files.datasum(data)
