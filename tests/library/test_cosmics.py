"""Cosmic rays on a sky where we know each one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import naive
from mar.camera import load_camera
from mar.config.cosmics import Cosmics
from mar.kernels.contrast import laplacian_contrast
from mar.masks import Bit
from mar.simulate import Conditions, simulate_sky_frame
from mar.steps import lacosmic
from mar.steps.cosmics import find_cosmics, mark_cosmics
from painted_sky import cosmic_tracks, frame_of, noise_of, noisy, paint_star, recall_and_purity, starry


@pytest.fixture(scope="module")
def camera():
    return load_camera("t80cam-mini")


@pytest.fixture(scope="module")
def hit():
    image, _ = starry(fwhm=2.5, stars=120)
    charge = cosmic_tracks(image.shape)
    return frame_of(noisy(image) + charge), charge > 5 * noise_of(image)


def test_cosmic_rays_are_found_and_little_else(camera, hit):
    frame, truth = hit
    recall, purity = recall_and_purity(mark_cosmics(frame, camera, Cosmics()).bits(Bit.COSMIC), truth)
    assert recall > 0.95
    assert purity > 0.9


def test_cosmic_rays_of_the_simulated_camera_are_found():
    sky = simulate_sky_frame((700, 700), seed=2, band="R", conditions=Conditions(cosmic_rate=4.0))
    frame = frame_of(sky.data, sky.mask & np.uint8(Bit.SATURATED))
    found = find_cosmics(frame, sky.camera, Cosmics())
    recall, purity = recall_and_purity(found, (sky.mask & Bit.COSMIC) != 0)
    assert recall > 0.9
    assert purity > 0.5


@pytest.mark.parametrize("fwhm", [1.8, 2.4, 3.0])
def test_cosmics_spare_the_cores_of_bright_stars(camera, fwhm):
    image = np.full((400, 400), 400.0)
    rng = np.random.default_rng(8)
    for y in range(30, 400, 40):
        for x in range(30, 400, 40):
            paint_star(image, x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), 10 ** rng.uniform(3, 4.6), fwhm)
    assert find_cosmics(frame_of(noisy(image)), camera, Cosmics()).sum() <= 3


def test_cosmics_spare_saturated_stars(camera):
    image = np.full((200, 200), 400.0)
    paint_star(image, 100, 100, 9e5, 2.5)
    data = np.minimum(noisy(image), 60000)
    mask = np.where(data >= 60000, Bit.SATURATED, 0).astype(np.uint8)
    assert not find_cosmics(frame_of(data, mask), camera, Cosmics())[80:120, 80:120].any()


def test_cosmics_leave_bad_pixels_out(camera):
    data = noisy(np.full((200, 200), 400.0))
    data[50, 50] = data[90, 90] = 3000
    frame = frame_of(data)
    frame.mask[50, 50] = Bit.BAD
    found = find_cosmics(frame, camera, Cosmics())
    assert found[90, 90]
    assert not found[50, 50]


def test_cosmics_are_the_same_in_small_tiles_as_in_the_whole_frame(camera, hit, monkeypatch):
    monkeypatch.setattr(lacosmic, "TILE", hit[0].data.shape)
    whole = find_cosmics(hit[0], camera, Cosmics())
    monkeypatch.setattr(lacosmic, "TILE", (16, 64))
    assert whole.any()
    assert np.array_equal(find_cosmics(hit[0], camera, Cosmics()), whole)


def test_cosmics_are_marked_without_changing_pixels_or_input(camera, hit):
    frame, _ = hit
    before, mask = frame.data.copy(), frame.mask.copy()
    marked = mark_cosmics(frame, camera, Cosmics())
    assert np.array_equal(marked.data, before)
    assert np.array_equal(frame.data, before)
    assert np.array_equal(frame.mask, mask)
    assert marked.header["MAR COSMICS NPIX"] == np.count_nonzero(marked.bits(Bit.COSMIC)) > 0


def test_contrast_agrees_with_naive():
    rng = np.random.default_rng(5)
    image = rng.normal(0, 10, (23, 27)).astype(np.float32)
    ys, xs = np.indices(image.shape).reshape(2, -1)
    sky = np.full_like(image, 40)
    ours = laplacian_contrast(image + sky, sky, ys, xs, 0.1)
    assert_allclose(ours, naive.laplacian_contrast(image, ys, xs, 0.1), rtol=1e-4, atol=1e-5)
