"""Resampling: the kernel against its naive twin, positions, fluxes, masks and the memory of rows."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose

import naive
from mar.kernels import two_pass
from mar.kernels.prepare import fill_holes
from mar.kernels.resample import interpolation_table, resample
from mar.masks import Bit
from mar.steps.frame_rows import FrameRows
from mar.steps.grid import Grid, frame_wcs
from mar.steps.lattice import STEP, nodes, position_surfaces
from mar.steps.resample import place
from mar.steps.sky_mesh import measure_sky
from small_skies import ArrayRows, draw_stars, frame_header, moffat


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def grid():
    return Grid(150.0, -30.0, 400, 0.55)


def lattice_of(shape, dx, dy):
    rows, columns = np.meshgrid(nodes(shape[0]), nodes(shape[1]), indexing="ij")
    ones = np.ones(rows.shape)
    return np.stack([columns + dx, rows + dy, 0 * ones, ones, ones])


def test_lanczos_agrees_with_naive(rng):
    image = rng.normal(0, 1, (40, 45)).astype("f4")
    lattice = lattice_of((20, 20), 7.25, 9.625)
    values, weights = np.empty((20, 20), "f4"), np.empty((20, 20), "f4")
    table = interpolation_table("lanczos3")
    resample(image, np.zeros(image.shape, "u1"), 0, lattice, STEP, 0, table, values, weights)
    expected = [[naive.lanczos(image, x + 7.25, y + 9.625) for x in range(20)] for y in range(20)]
    assert_allclose(values, expected, atol=1e-5)
    assert (weights == 1).all()


@pytest.mark.parametrize("name", ["nearest", "bilinear", "lanczos2", "lanczos3", "lanczos4"])
def test_whole_pixels_of_shift_keep_the_values(rng, name):
    image = rng.normal(0, 1, (60, 60)).astype("f4")
    values, weights = np.empty((30, 30), "f4"), np.empty((30, 30), "f4")
    resample(
        image, np.zeros(image.shape, "u1"), 0, lattice_of((30, 30), 10.0, 12.0), STEP, 0,
        interpolation_table(name), values, weights,
    )  # fmt: skip
    assert_allclose(values, image[12:42, 10:40], atol=1e-6)


@pytest.mark.parametrize("name", ["bilinear", "lanczos2", "lanczos3", "lanczos4"])
def test_interpolation_does_not_move_a_star(name):
    y, x = np.mgrid[0:40, 0:40]
    star = np.exp(-((x - 20) ** 2 + (y - 20) ** 2) / (2 * 1.36**2)).astype("f4")
    values, weights = np.empty((30, 30), "f4"), np.empty((30, 30), "f4")
    table, good = interpolation_table(name), np.zeros(star.shape, "u1")
    for phase in (0.125, 0.25, 0.5, 0.75):
        resample(star, good, 0, lattice_of((30, 30), 5 + phase, 5.0), STEP, 0, table, values, weights)
        assert abs((values * x[:30, :30]).sum() / values.sum() - (15 - phase)) < 1e-4
        assert abs(values.sum() / star.sum() - 1) < 1e-5


def test_weights_of_interpolation_sum_to_one():
    for name in ("nearest", "bilinear", "lanczos2", "lanczos3", "lanczos4"):
        assert_allclose(interpolation_table(name).sum(axis=1), 1, atol=1e-6)


def test_fill_holes_agrees_with_naive(rng):
    rows = rng.normal(100, 5, (30, 40)).astype("f4")
    holes = (rng.random(rows.shape) < 0.1).astype("u1")
    holes[10:20, 10:20] = 1
    holes[10:20, 25:35] = 2
    filled = rows.copy()
    fill_holes(filled, holes, 2, 28, 2, 0.0)
    assert_allclose(filled[2:28], naive.fill_holes(rows, holes, 2)[2:28], rtol=1e-5)
    assert (filled[:2] == rows[:2]).all()


def test_level_and_factor_are_taken_from_the_lattice(rng):
    image = np.full((60, 60), 100.0, "f4")
    lattice = lattice_of((30, 30), 10.3, 12.4)
    lattice[2] = 90 + 0.1 * (lattice[0] - 10.3)
    lattice[3] = 2.0
    for values, weights in both_ways(image, lattice):
        assert_allclose(values, np.broadcast_to(2 * (10 - 0.1 * np.arange(30)), (30, 30)), atol=1e-4)
        assert (weights == 1).all()


def both_ways(image, lattice, name="lanczos3", bad=None):
    """Values and weights (30, 30) tap by tap and in two passes."""
    bad = np.zeros(image.shape, "u1") if bad is None else bad
    for kernel, taps in ((resample, interpolation_table(name)), (two_pass.resample, name)):
        values, weights = np.empty((30, 30), "f4"), np.empty((30, 30), "f4")
        kernel(image, bad, 0, lattice, STEP, 0, taps, values, weights)
        yield values, weights


@pytest.mark.parametrize("name", ["lanczos2", "lanczos3", "lanczos4"])
def test_two_passes_agree_with_all_taps_where_rows_are_level(rng, name):
    image = rng.normal(0, 1, (60, 60)).astype("f4")
    bad = (rng.random(image.shape) < 0.05).astype("u1")
    lattice = lattice_of((30, 30), 11.37, 12.81)
    lattice[0] += 0.003 * lattice[0]
    one, other = both_ways(image, lattice, name, bad)
    assert_allclose(one[0], other[0], atol=3e-3)  # positions of the first are rounded to 1/2048 pixel
    assert_allclose(one[1], other[1])


@pytest.mark.parametrize("turn", [0.002, -0.03, 0.09])
def test_two_passes_place_a_star_on_a_turned_frame_as_all_taps_do(turn):
    star = moffat((70, 70), 31.2, 33.7, 1e4, 3.0)
    lattice = lattice_of((30, 30), 15.3, 20.1)
    lattice[0], lattice[1] = lattice[0] - turn * (lattice[1] - 20), lattice[1] + turn * (lattice[0] - 15)
    one, other = both_ways(star.astype("f4"), lattice)
    for values, _ in (one, other):
        assert abs(values.sum() / one[0].sum() - 1) < 1e-4
    assert np.abs(one[0] - other[0]).max() < 2e-3 * one[0].max()
    yy, xx = np.mgrid[:30, :30]
    for axis in (xx, yy):
        shift = (one[0] * axis).sum() / one[0].sum() - (other[0] * axis).sum() / other[0].sum()
        assert abs(shift) < 1e-3


def test_polynomials_of_the_taps_are_lanczos():
    for order in (2, 3, 4):
        even, odd = two_pass.tap_polynomials(order).transpose(1, 0, 2)
        t = np.linspace(-0.5, 0.5, 1025)
        powers = t[:, None] ** (2 * np.arange(two_pass.TERMS))
        left = powers @ even.T + t[:, None] * (powers @ odd.T)
        right = powers @ even.T - t[:, None] * (powers @ odd.T)
        assert_allclose(np.hstack([left, right[:, ::-1]]), interpolation_table(f"lanczos{order}"), atol=2e-5)


def test_positions_between_the_nodes_are_right_to_a_hundredth_of_a_pixel(grid):
    big = Grid(150.0, -30.0, 4000, 0.55)
    wcs = frame_wcs(frame_header((4000, 4000), distorted=True, rotation_deg=1.5))
    x, y = (surface.over(big.shape) for surface in position_surfaces(big, wcs))
    points = np.random.default_rng(1).uniform(0, 3999, (2, 500))
    true_x, true_y = big.pixels_of(wcs, *points)
    assert np.hypot(true_x - points[0], true_y - points[1]).max() > 20  # the distortion is there
    assert np.abs(interpolate(x, *points) - true_x).max() < 0.01
    assert np.abs(interpolate(y, *points) - true_y).max() < 0.01


def interpolate(lattice, columns, rows):
    """Bilinear, as the kernel does it."""
    i, j = (rows // STEP).astype(int), (columns // STEP).astype(int)
    down, right = rows / STEP - i, columns / STEP - j
    upper = lattice[i, j] * (1 - right) + lattice[i, j + 1] * right
    lower = lattice[i + 1, j] * (1 - right) + lattice[i + 1, j + 1] * right
    return upper * (1 - down) + lower * down


def placed(image, header, grid, mask=None, **options):
    reader = ArrayRows(image)
    sky = measure_sky(reader, None, 64)
    return place(
        reader, None if mask is None else ArrayRows(mask), frame_wcs(header), sky, grid, 1.0, **options
    )


def whole(frame, grid, rows=64):
    """The frame on the grid, made in bands of `rows` rows."""
    values, weights = np.empty(grid.shape, "f4"), np.empty(grid.shape, "f4")
    for y0 in range(0, grid.size, rows):
        frame.resample(y0, values[y0 : y0 + rows], weights[y0 : y0 + rows])
    return values, weights


def test_stars_keep_their_flux_and_place(grid, rng):
    header = frame_header((380, 370), shift=(3.3, -5.7), distorted=True, rotation_deg=2.0)
    image, stars = draw_stars(header, (380, 370), grid, rng, sky=200.0, number=12)
    values, _ = whole(placed(image, header, grid), grid)
    yy, xx = np.mgrid[-8:9, -8:9]
    seen = 0
    for x, y, flux in stars:
        column, row = round(x), round(y)
        if not (40 < column < grid.size - 40 and 40 < row < grid.size - 40):
            continue
        stamp = values[row - 8 : row + 9, column - 8 : column + 9]
        total = stamp.sum()
        assert abs(total / flux - 1) < 0.005
        assert abs((stamp * xx).sum() / total + column - x) < 0.009  # 5 mas
        assert abs((stamp * yy).sum() / total + row - y) < 0.009
        seen += 1
    assert seen >= 5


def test_fixed_scaling_conserves_flux_on_a_finer_grid(rng):
    fine = Grid(150.0, -30.0, 600, 0.275)
    header = frame_header((320, 320))
    image, stars = draw_stars(header, (320, 320), fine, rng, sky=50.0, number=1, at=[(160.2, 160.7)])
    for scaling, expected in (("fixed", 1.0), ("variable", 1.0), ("none", 4.0)):
        values, _ = whole(placed(image, header, fine, flux_scaling=scaling), fine)
        assert_allclose(values.sum() / stars[0][2], expected, rtol=0.01)


def test_the_result_does_not_depend_on_the_height_of_the_bands(grid, rng):
    header = frame_header((380, 370), rotation_deg=-3.0)
    image = rng.normal(100, 5, (380, 370)).astype("f4")
    mask = (rng.random(image.shape) < 0.02).astype("u1")
    reader, masked = ArrayRows(image), ArrayRows(mask)
    sky = measure_sky(reader, masked, 64)
    results = []
    for rows in (5, 64, 400):
        frame = place(reader, masked, frame_wcs(header), sky, grid, 1.0)
        results.append(whole(frame, grid, rows))
    for values, weights in results[1:]:
        assert_allclose(values, results[0][0], atol=1e-4)
        assert_allclose(weights, results[0][1], rtol=1e-6)


@pytest.mark.parametrize("rotation_deg", [0.0, 180.0, 90.0])
def test_turned_frames_land_in_the_same_place(grid, rng, rotation_deg):
    header = frame_header((380, 380), rotation_deg=rotation_deg)
    image, _ = draw_stars(header, (380, 380), grid, rng, sky=10.0, number=1, on_grid=[(150.0, 260.0)])
    values, _ = whole(placed(image, header, grid), grid)
    assert np.unravel_index(values.argmax(), values.shape) == (260, 150)


def test_masked_pixels_have_no_weight_and_do_not_ring(rng):
    image = np.full((100, 100), 10.0, "f4")
    image[50, 50] = 5000
    mask = np.zeros(image.shape, "u1")
    mask[50, 50] = Bit.COSMIC
    rows, bad = FrameRows(ArrayRows(image), ArrayRows(mask), 10.0).window(0, 100)
    assert np.abs(rows - 10).max() < 1e-5
    assert image[50, 50] == 5000  # what was read is not changed
    assert bad[50, 50] != 0
    assert (bad != 0).sum() == 1


def test_inside_of_a_saturated_core_keeps_its_value_but_has_no_weight():
    image = np.full((60, 60), 10.0, "f4")
    mask = np.zeros(image.shape, "u1")
    image[20:40, 20:40], mask[20:40, 20:40] = 60000, Bit.SATURATED
    rows, bad = FrameRows(ArrayRows(image), ArrayRows(mask), 10.0).window(0, 60)
    assert_allclose(rows[24:36, 24:36], 60000)
    assert (bad[20:40, 20:40] != 0).all()


def test_a_bled_column_does_not_ring(grid, rng):
    image = rng.normal(100, 1, (380, 370)).astype("f4")
    mask = np.zeros(image.shape, "u1")
    image[100:200, 180:183], mask[100:200, 180:183] = 60000, Bit.SATURATED
    frame = placed(image, frame_header((380, 370), shift=(0.4, 0.3)), grid, mask)
    values, weights = whole(frame, grid)
    assert np.abs(values[weights > 0]).max() < 8
    assert 280 < (weights < 0).sum() < 330


@pytest.mark.parametrize("keep", [True, False])
def test_windows_are_parts_of_the_whole_whatever_is_kept(rng, keep):
    image = rng.normal(10, 1, (900, 50)).astype("f4")
    mask = (rng.random(image.shape) < 0.1).astype("u1")
    image[400, 3] = np.nan
    whole_rows, whole_bad = FrameRows(ArrayRows(image), ArrayRows(mask), 10.0).window(0, 900)
    reader = ArrayRows(image)
    rows = FrameRows(reader, ArrayRows(mask), 10.0)
    rows.keep = keep
    for y0 in range(0, 900, 40):
        first, last = max(0, y0 - 10), min(900, y0 + 50)
        values, bad = rows.window(first, last)
        assert_allclose(values, whole_rows[first:last], rtol=1e-6)
        assert (bad == whole_bad[first:last]).all()
    assert (reader.rows_read == 900) == keep


def test_mirrored_frames_give_the_same_in_two_passes(grid, rng):
    header = frame_header((380, 384), shift=(3.3, -5.7))
    mirrored = header.copy()
    for i in (1, 2):
        mirrored[f"CD{i}_1"] *= -1
    mirrored["CRPIX1"] = 385 - header["CRPIX1"]
    image = rng.normal(100, 5, (380, 384)).astype("f4")
    straight = placed(image, header, grid, subtract_sky=False)
    turned = placed(image[:, ::-1].copy(), mirrored, grid, subtract_sky=False)
    assert turned.mirrored
    assert not turned.turned
    for one, other in zip(whole(straight, grid), whole(turned, grid), strict=True):
        assert_allclose(one, other, rtol=2e-3)


def test_a_frame_elsewhere_does_not_overlap(grid, rng):
    header = Header(frame_header((100, 100)))
    header["CRVAL2"] = -20.0
    frame = placed(rng.normal(10, 1, (100, 100)).astype("f4"), header, grid)
    assert not frame.overlaps()
    assert (whole(frame, grid)[1] == 0).all()
