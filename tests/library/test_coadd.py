"""Combining frames of one grid: the kernel against its naive twin, and Gruen's point about stars."""

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.camera import load_camera
from mar.config.coadd import Coadd
from mar.errors import BadHeader, BadImage
from mar.kernels.runs import MASKED, OUTSIDE, USED
from mar.masks import Bit
from mar.steps.coadd import TileRows, add, band_rows, coadd, runs_of
from mar.steps.flux_scale import relative_scales, seeing_px
from mar.steps.frame_choice import FrameFigures, reasons_to_drop
from mar.steps.grid import Grid, field_grid, frame_wcs
from mar.steps.sky_choice import chosen_sky
from mar.steps.sky_mesh import measure_sky
from small_skies import ArrayRows, frame_header, moffat


@pytest.fixture
def rng():
    return np.random.default_rng(17)


@pytest.fixture
def stack(rng):
    """Resampled values, inverse variances; some cosmic rays, some pixels masked or outside."""
    noise = rng.uniform(0.5, 2, (6, 1, 1))
    values = (rng.normal(0, 1, (6, 20, 50)) * noise).astype("f4")
    hits = rng.random(values.shape) < 0.03
    values[hits] += rng.uniform(10, 1000, hits.sum()).astype("f4")
    weights = np.broadcast_to(noise**-2, values.shape).astype("f4")
    fate = rng.random(values.shape)
    weights[fate < 0.3] = 0
    weights[fate > 0.7] *= -1
    values[weights == 0] = 0
    return values, weights


@pytest.mark.parametrize("method", ["clipped", "weighted", "median"])
@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_kernel_agrees_with_naive(stack, method, frames):
    values, weights = stack[0][:frames], stack[1][:frames]
    expected = naive.coadd(values, weights, method)
    fates = naive.fates(values, weights, method)
    tile = coadd(values, weights, Coadd(method=method))
    assert_allclose(tile.value, expected[0], rtol=1e-5, atol=1e-5)
    assert_allclose(tile.weight, expected[1], rtol=1e-5)
    assert_array_equal(tile.number, expected[2])
    for of_frame, expected_fates in zip(weights, fates, strict=True):
        assert_array_equal(drawn(runs_of(of_frame), of_frame.shape), expected_fates)


def drawn(runs, shape):
    """The fates of the pixels of rows, from their runs."""
    assert runs.counts.sum() == len(runs.runs)
    return np.repeat(runs.runs & 3, runs.runs >> 2).reshape(shape)


def test_long_rows_are_cut_into_runs_that_fit(rng):
    weights = np.ones((3, 40000), "f4")
    weights[1, 20000:20010] = -2
    weights[2, 39000:] = 0
    runs = runs_of(weights)
    assert_array_equal(
        drawn(runs, weights.shape), np.where(weights > 0, USED, np.where(weights < 0, MASKED, OUTSIDE))
    )
    assert runs.counts.max() < 6


def test_noise_is_that_of_ideal_weights(rng):
    sigma = np.array([1.0, 2.0, 3.0, 1.5])[:, None, None]
    values = (rng.normal(0, 1, (4, 200, 200)) * sigma).astype("f4")
    tile = coadd(values, np.broadcast_to(sigma**-2, values.shape).astype("f4"), Coadd())
    ideal = (sigma**-2).sum() ** -0.5
    assert abs(tile.value.std() / ideal - 1) < 0.02
    assert_allclose(np.median(tile.weight), ideal**-2, rtol=1e-4)


@pytest.mark.parametrize("frames", [3, 4, 7])
def test_cosmic_rays_are_clipped_from_three_frames_on(rng, frames):
    values = rng.normal(0, 1, (frames, 100, 100)).astype("f4")
    hits = rng.random((100, 100)) < 0.05
    which = rng.integers(0, frames, (100, 100))
    values[which[hits], *np.nonzero(hits)] += 500
    tile = coadd(values, np.ones_like(values), Coadd())
    assert np.abs(tile.value).max() < 6
    assert (tile.number[hits] <= frames - 1).all()
    plain = coadd(values, np.ones_like(values), Coadd(method="weighted"))
    assert plain.value[hits].min() > 50  # without the step they stay


def test_clipping_spares_the_cores_of_stars_when_the_seeing_differs(rng):
    shape, flux = (41, 41), 2e5
    stars = np.stack([moffat(shape, 20, 20, flux, fwhm) for fwhm in (3.0, 3.2, 3.4, 3.5, 3.3)])
    values = (stars + rng.normal(0, 1, stars.shape)).astype("f4")
    tile = coadd(values, np.ones_like(values), Coadd())
    assert (tile.number[15:26, 15:26] == 5).all()
    assert_allclose(tile.value[15:26, 15:26], values.mean(axis=0)[15:26, 15:26], rtol=1e-5)
    # plain sigma clipping does eat them
    bare = coadd(values, np.ones_like(values), Coadd(clip_fraction=0))
    assert (bare.number[15:26, 15:26] < 5).any()


def test_weighted_means_can_be_added_later(stack):
    config = Coadd(method="weighted")
    together = coadd(stack[0].copy(), stack[1].copy(), config)
    first, second = (
        coadd(stack[0][part].copy(), stack[1][part].copy(), config) for part in (np.s_[:4], np.s_[4:])
    )
    added = add(first, second)
    known = together.weight > 0
    assert_allclose(added.value[known], together.value[known], rtol=1e-4, atol=1e-4)
    assert_allclose(added.weight, together.weight, rtol=1e-5)
    assert_array_equal(added.number, together.number)
    nothing = TileRows(*(np.zeros_like(part) for part in first))
    assert_array_equal(add(nothing, first).value, first.value)


def test_pixels_masked_in_all_frames_have_a_value_but_no_weight():
    values = np.full((3, 4, 4), 7.0, "f4")
    tile = coadd(values, np.full(values.shape, -0.25, "f4"), Coadd())
    assert (tile.value == 7).all()
    assert (tile.weight == 0).all()
    assert (tile.number == 0).all()


def test_bands_of_rows_bound_the_memory():
    grid = Grid(0, 0, 11000, 0.55)
    assert band_rows(4, grid, 256) == 64
    for number in (100, 300, 2000):
        rows = band_rows(number, grid, 256)
        assert rows >= 1
        assert rows * number * 11000 * 8 < 256e6


def test_grid_is_fixed_by_camera_and_configuration():
    assert field_grid(10, -20, load_camera("t80cam"), Coadd()).shape == (11000, 11000)
    mini = load_camera("t80cam-mini")
    assert field_grid(10, -20, mini, Coadd()).size == 1385
    assert field_grid(10, -20, mini, Coadd(tile_size="fixed"), 2000).size == 2000
    grid = field_grid(10, -20, mini, Coadd(pixel_scale_arcsec=1.1))
    assert grid.size == 693
    assert_allclose(grid.wcs().wcs_pix2world([[346, 346]], 0), [[10, -20]])


def test_a_frame_without_wcs_is_refused():
    header = frame_header((10, 10))
    del header["CTYPE*"]
    with pytest.raises(BadHeader, match="WCS"):
        frame_wcs(header)


def test_sky_mesh_finds_level_gradient_and_noise(rng):
    y, x = np.mgrid[0:600, 0:500]
    truth = 1000 + 0.02 * x + 0.01 * y
    image = (truth + rng.normal(0, 12, truth.shape)).astype("f4")
    mask = np.zeros(image.shape, "u1")
    image[100:200, 100:130] += 3000
    mask[100:200, 100:130] = Bit.OBJECT
    image[300, :] = np.nan
    sky = measure_sky(ArrayRows(image), ArrayRows(mask), 64, filter_size=3)
    level = sky.level_surface().over(sky.shape, 16)[:-1, :-1]
    assert (
        np.abs(
            level[4:-4, 4:-4]
            - truth[::16, ::16][4:-3, 4:-3][: level[4:-4].shape[0], : level[:, 4:-4].shape[1]]
        ).max()
        < 1.5
    )
    assert abs(np.median(sky.rms) / 12 - 1) < 0.02


def test_sky_mesh_resists_stars(rng):
    image = rng.normal(500, 10, (512, 512)).astype("f4")
    for x, y in rng.uniform(20, 490, (60, 2)):
        image[int(y) - 10 : int(y) + 11, int(x) - 10 : int(x) + 11] += moffat((21, 21), 10, 10, 2e4)
    sky = measure_sky(ArrayRows(image), None, 128)
    assert abs(sky.level.mean() - 500) < 0.8
    assert image.mean() > 503


def galaxy_on_a_gradient(rng):
    """A frame of 900 x 900 with a galaxy of 250 pixels on a sloping sky, and the sky that is true."""
    y, x = np.mgrid[0:900, 0:900]
    truth = 300 + 0.02 * x - 0.01 * y + 1e-5 * (x - 450) ** 2
    galaxy = 60 * np.exp(-np.hypot(x - 400, y - 520) / 80)
    return (truth + galaxy + rng.normal(0, 8, truth.shape)).astype("f4"), truth


def test_the_galaxy_mode_leaves_a_galaxy_and_takes_the_gradient(rng):
    image, truth = galaxy_on_a_gradient(rng)
    mesh = measure_sky(ArrayRows(image), None, 64, filter_size=3)
    error = {}
    for mode in ("mesh", "galaxy", "constant"):
        level = chosen_sky(mesh, mode).level_surface().at(mesh.y, mesh.x)
        error[mode] = level - truth[np.ix_(mesh.y.round().astype(int), mesh.x.round().astype(int))]
    assert error["mesh"].max() > 20
    assert np.abs(error["galaxy"]).max() < 2.5
    assert np.ptp(error["constant"]) > 15


def test_the_galaxy_mode_keeps_a_sky_without_galaxies(rng):
    x = np.mgrid[0:600, 0:600][1]
    image = (200 + 3 * np.sin(x / 90) + rng.normal(0, 8, x.shape)).astype("f4")
    mesh = measure_sky(ArrayRows(image), None, 64, filter_size=3)
    safe = chosen_sky(mesh, "galaxy")
    assert (safe.level == mesh.level).mean() > 0.5
    assert np.abs(safe.level - mesh.level).max() < 5


def test_the_constant_mode_takes_one_level(rng):
    image, _ = galaxy_on_a_gradient(rng)
    level = chosen_sky(measure_sky(ArrayRows(image), None, 128), "constant").level
    assert (level == level[0, 0]).all()


def test_a_frame_without_sky_is_refused():
    with pytest.raises(BadImage, match="sky"):
        measure_sky(ArrayRows(np.full((50, 50), np.nan, "f4")), None, 25)


def catalogue(rng, factor, fwhm=3.0, number=50):
    seed = np.random.default_rng(3)
    flux = 10 ** seed.uniform(3, 5, number)
    return Table(
        {
            "ALPHA_J2000": 150 + seed.uniform(-0.1, 0.1, number) + rng.normal(0, 2e-6, number),
            "DELTA_J2000": -30 + seed.uniform(-0.1, 0.1, number),
            "FLUX_AUTO": flux * factor * rng.normal(1, 0.01, number),
            "FLUXERR_AUTO": flux * 0.01,
            "FWHM_IMAGE": np.full(number, fwhm),
            "FLAGS": np.zeros(number, int),
        }
    )


def test_scales_bring_frames_to_the_same_transparency(rng):
    tables = [catalogue(rng, 100 * 1.0), catalogue(rng, 100 * 0.8), catalogue(rng, 50 * 0.5)]
    tables[1]["FLUX_AUTO"][:3] *= 4  # variables
    scales = relative_scales(tables, [100, 100, 50])
    assert_allclose(scales, [0.8, 1.0, 1.6], rtol=0.01)


def test_scales_are_unknown_without_stars(rng):
    few = catalogue(rng, 100.0)[:3]
    scales = relative_scales([catalogue(rng, 100.0), None, few], [100, 100, 100])
    assert_array_equal(np.isnan(scales), [False, True, True])
    assert np.isnan(relative_scales([None], [10.0])).all()


def test_seeing_is_the_median_width_of_good_stars(rng):
    table = catalogue(rng, 1.0, fwhm=2.5)
    table["FWHM_IMAGE"][:10] = 30
    table["FLAGS"][:10] = 4
    assert seeing_px(table) == 2.5
    assert np.isnan(seeing_px(table[:3]))


def test_frames_are_dropped_with_a_reason():
    good = FrameFigures(3.0, 1.0, 10.0, 100.0, True, 100.0)
    frames = [
        good,
        good,
        good._replace(seeing_px=np.nan),
        good._replace(seeing_px=8.0),
        good._replace(scale=5.0),
        good._replace(noise=80.0),
        good._replace(overlaps=False),
        good._replace(sky=20000.0),
    ]
    reasons = reasons_to_drop(frames, Coadd())
    assert reasons[:3] == ["", "", ""]
    for word, reason in zip(
        ["seeing", "clouds: it has only 20 %", "noise", "outside", "sky: it is 200.0 times"],
        reasons[3:],
        strict=True,
    ):
        assert word in reason
