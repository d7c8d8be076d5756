"""Resampling: the kernel against its naive twin, positions, fluxes, masks and the memory of rows."""

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose

import naive
from mar.kernels.prepare import fill_holes, subtract_lattice
from mar.kernels.resample import interpolation_table, resample
from mar.masks import Bit
from mar.steps.frame_rows import FrameRows
from mar.steps.grid import Grid, frame_wcs
from mar.steps.lattice import STEP, Surface, nodes, position_surfaces
from mar.steps.resample import place
from mar.steps.sky_mesh import measure_sky
from small_skies import ArrayRows, draw_stars, frame_header


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def grid():
    return Grid(150.0, -30.0, 400, 0.55)


def flat(level):
    """An even sky."""
    return Surface.through(np.array([50.0]), np.array([50.0]), np.array([[level]]))


def lattice_of(shape, dx, dy):
    rows, columns = np.meshgrid(nodes(shape[0]), nodes(shape[1]), indexing="ij")
    ones = np.ones(rows.shape)
    return np.stack([columns + dx, rows + dy, ones, ones])


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
    filled = np.empty_like(rows)
    fill_holes(rows, holes, 2, filled)
    assert_allclose(filled, naive.fill_holes(rows, holes, 2), rtol=1e-5)


def test_subtract_lattice_removes_a_plane(rng):
    y, x = np.mgrid[0:50, 0:70]
    plane = (100 + 0.5 * x - 0.3 * y).astype("f4")
    node_y, node_x = np.meshgrid(nodes(50), nodes(70), indexing="ij")
    out = np.empty_like(plane)
    subtract_lattice(plane, 0, 100 + 0.5 * node_x - 0.3 * node_y, STEP, 2.0, out)
    assert_allclose(out, 0, atol=1e-4)


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
    for rows in (16, 64, 400):
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
    rows, bad = FrameRows(ArrayRows(image), ArrayRows(mask), flat(10.0), 1.0).window(0, 100)
    assert np.abs(rows).max() < 1e-5
    assert bad[50, 50] != 0
    assert (bad != 0).sum() == 1


def test_inside_of_a_saturated_core_keeps_its_value_but_has_no_weight():
    image = np.full((60, 60), 10.0, "f4")
    mask = np.zeros(image.shape, "u1")
    image[20:40, 20:40], mask[20:40, 20:40] = 60000, Bit.SATURATED
    rows, bad = FrameRows(ArrayRows(image), ArrayRows(mask), flat(10.0), 0.5).window(0, 60)
    assert_allclose(rows[24:36, 24:36], 29995)
    assert (bad[20:40, 20:40] != 0).all()


def test_a_bled_column_does_not_ring(grid, rng):
    image = rng.normal(100, 1, (380, 370)).astype("f4")
    mask = np.zeros(image.shape, "u1")
    image[100:200, 180:183], mask[100:200, 180:183] = 60000, Bit.SATURATED
    frame = placed(image, frame_header((380, 370), shift=(0.4, 0.3)), grid, mask)
    values, weights = whole(frame, grid)
    assert np.abs(values[weights > 0]).max() < 8
    assert 280 < (weights < 0).sum() < 330


def test_rows_are_read_only_once_but_for_what_fills_holes(rng):
    reader = ArrayRows(rng.normal(10, 1, (400, 50)).astype("f4"))
    rows = FrameRows(reader, None, flat(10.0), 1.0)
    for y0 in range(0, 400, 40):
        rows.window(max(0, y0 - 10), min(400, y0 + 50))
    assert reader.rows_read < 1.2 * 400


def test_a_frame_elsewhere_does_not_overlap(grid, rng):
    header = Header(frame_header((100, 100)))
    header["CRVAL2"] = -20.0
    frame = placed(rng.normal(10, 1, (100, 100)).astype("f4"), header, grid)
    assert not frame.overlaps()
    assert (whole(frame, grid)[1] == 0).all()
