"""Small kernels on the way to a master, against their naive twins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.kernels.levels import middle_of_columns, subtract_level
from mar.kernels.networks import sorting_network
from mar.kernels.surface import draw_out


def test_a_level_is_subtracted_where_the_amplifier_lies():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 65535, (6, 40)).astype("u2")
    along_y, along_x = rng.normal(500, 2, 6).astype("f4"), rng.normal(0, 1, 12).astype("f4")
    out = np.zeros((9, 30), dtype="f4")
    subtract_level(rows, 20, along_y, along_x, np.float32(1.25), out, 2, 5)
    assert_allclose(
        out[2:8, 5:17], naive.subtract_level(rows[:, 20:32], along_y, along_x, 1.25), rtol=1e-6, atol=0.01
    )
    out[2:8, 5:17] = 0
    assert_array_equal(out, 0)


@pytest.mark.parametrize("n", [3, 4, 27, 54])
def test_the_middle_of_the_columns_of_a_strip(n):
    strip = np.random.default_rng(n).normal(1000, 4, (n, 700)).astype("f4")
    middle = np.empty(700, dtype="f4")
    middle_of_columns(strip, np.array(sorting_network(n)), (n - 1) // 2, n // 2, middle)
    assert_allclose(middle, np.median(strip, axis=0), rtol=1e-6)


def test_a_grid_is_drawn_out_to_every_row():
    grid, at = np.random.default_rng(4).normal(100, 10, (4, 7)), [3.5, 11.5, 19.5, 27.5]
    left = np.clip(np.searchsorted(at, np.arange(32), side="right") - 1, 0, 2)
    share = (np.arange(32) - np.array(at)[left]) / 8
    out = np.empty((32, 7), dtype="f4")
    draw_out(grid, left, share, out)
    assert_allclose(out, naive.draw_out(grid, at, 32), rtol=1e-6)
