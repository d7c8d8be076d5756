"""Cosmic rays on a sky where we know each one."""

import numpy as np
import pytest
from scipy import ndimage

import naive_cosmics as naive
from mar.camera import load_camera
from mar.config.cosmics import Cosmics
from mar.kernels.left_out import LeftOut
from mar.kernels.repair import IDW, interpolate
from mar.kernels.sharpness import Sharpness, look_over, sharper_than_stars
from mar.masks import Bit
from mar.simulate import Conditions, Effects, simulate_sky_frame
from mar.steps import cosmics, lacosmic
from mar.steps.cosmics import find_cosmics, mark_cosmics
from painted_sky import (
    cosmic_tracks,
    flat_sky,
    frame_of,
    noise_of,
    noisy,
    paint_star,
    recall_and_purity,
    starry,
)

NO_TRAILS = Effects().without("trails")


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


@pytest.mark.parametrize("fwhm", [1.8, 4.0])
def test_the_bands_that_tell_how_sharp_stars_are_first_need_not_hold_any(camera, monkeypatch, fwhm):
    image, rng = np.full((512, 400), 400.0), np.random.default_rng(5)
    for y in range(100, 500, 25):  # none in the first band
        for x in range(20, 400, 25):
            paint_star(image, x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), 10 ** rng.uniform(3, 4), fwhm)
    frame = frame_of(noisy(image) + cosmic_tracks(image.shape))
    found = find_cosmics(frame, camera, Cosmics())
    monkeypatch.setattr(cosmics, "SOME", 1)  # the whole frame tells it
    assert np.array_equal(found, find_cosmics(frame, camera, Cosmics()))
    assert found.any()


def test_cosmics_are_marked_without_changing_pixels_or_input(camera, hit):
    frame, _ = hit
    before, mask = frame.data.copy(), frame.mask.copy()
    marked = mark_cosmics(frame, camera, Cosmics())
    assert np.array_equal(marked.data, before)
    assert np.array_equal(frame.data, before)
    assert np.array_equal(frame.mask, mask)
    assert marked.header["MAR COSMICS NPIX"] == np.count_nonzero(marked.bits(Bit.COSMIC)) > 0


@pytest.fixture(scope="module")
def uneven():
    """An image of 400 ADU of sky, and more in some pixels."""
    rng = np.random.default_rng(5)
    image = (400 + 40 * rng.standard_exponential((41, 227)) ** 2).astype(np.float32)
    image[4, 4] = np.nan
    return image, np.full_like(image, 400)


RULES = [
    Sharpness(straight, straight**2, 3.0, 5.0, 0.95, 11.8, scatter)
    for straight, scatter in ((0.2, 0), (0.6, 90.0))
]


@pytest.mark.parametrize("rule", RULES)
def test_sharpness_agrees_with_naive(uneven, rule):
    image, sky = uneven
    ys, xs = np.indices(image.shape).reshape(2, -1)
    ours = sharper_than_stars(image, flat_sky(sky), ys, xs, rule)
    assert np.array_equal(ours, naive.sharper_than_stars(image, sky, ys, xs, rule))
    assert 0 < ours.sum() < ours.size / 2


@pytest.mark.parametrize("rule", RULES)
def test_no_sharp_pixel_is_passed_over(uneven, rule):
    image, sky = uneven
    nothing = LeftOut(np.zeros(image.shape, "u1"), 1)
    found = look_over(image, flat_sky(sky), nothing, 3, 40, rule, 200.0, np.zeros(50, np.int64))
    ys, xs = np.indices(image.shape).reshape(2, -1)
    wanted = naive.sharper_than_stars(image, sky, ys, xs, rule).reshape(image.shape)
    wanted[:3] = wanted[40:] = False
    assert np.array_equal(found, np.argwhere(wanted))
    assert len(found) > 100


@pytest.mark.parametrize("columns", [30, 300])
def test_peaks_are_counted_by_what_their_neighbours_hold(columns):
    image = np.full((20, columns), 100.0, "f4")
    left_out = np.zeros(image.shape, "u1")
    for x in (columns - 25, columns - 18, columns - 10):
        image[9:12, x - 1 : x + 2], image[10, x] = 153.0, 200.0
    image[10, columns - 9] = 171.0  # along the column the neighbours hold less than along the row
    left_out[10, columns - 18] = 4
    counts = np.zeros(10, np.int64)
    rule = Sharpness(0.5, 0.5, 3.0, 5.0, 0.95, 11.8, 0.0)
    look_over(image, flat_sky(np.full_like(image, 100)), LeftOut(left_out, 4), 0, 20, rule, 50.0, counts)
    assert counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0]


@pytest.mark.parametrize("fwhm", [1.6, 2.7, 4.0])
@pytest.mark.parametrize("density", [4.0, 60.0])
def test_clean_frames_have_next_to_no_cosmics_and_their_stars_keep_their_light(fwhm, density):
    """From a sharp, undersampled sky to a soft one, sparse and crowded, without a single hit."""
    frame = simulate_sky_frame(
        (500, 500),
        seed=11,
        density=density,
        conditions=Conditions(seeing_arcsec=0.55 * fwhm, seeing_scatter=0),
        effects=Effects().without("cosmics", "trails"),
    )
    saturated = frame.mask & np.uint8(Bit.SATURATED)
    found = find_cosmics(frame_of(frame.data, saturated), frame.camera, Cosmics())
    assert found.sum() <= 8
    cleaned = frame.data.copy()
    ys, xs = np.nonzero(found)
    cleaned[ys, xs] = interpolate(frame.data, found.view("u1"), 1, ys, xs, IDW, 5)
    stars = bright_stars(frame, 60 * frame.noise_adu, saturated)
    assert len(stars) > 30
    changes = [lost_light(frame.data, cleaned, frame.sky_adu, y, x, max(2, round(fwhm))) for y, x in stars]
    assert max(changes) < 0.001 * np.log(10) / 2.5


def bright_stars(frame, least_peak, saturated):
    """Rows and columns of stars away from the border and from saturated pixels."""
    near = ndimage.binary_dilation(saturated != 0, iterations=12)
    ny, nx = frame.data.shape
    places = zip(
        np.round(frame.sources["Y"]).astype(int), np.round(frame.sources["X"]).astype(int), strict=True
    )
    return [
        (y, x)
        for y, x in places
        if 12 <= y < ny - 12
        and 12 <= x < nx - 12
        and not near[y, x]
        and frame.data[y, x] > frame.sky_adu + least_peak
    ]


def lost_light(before, after, sky_adu, y, x, reach):
    """The part of a star's light that a change of the image takes or adds."""
    box = np.s_[y - reach : y + reach + 1, x - reach : x + reach + 1]
    return abs(float((after - before)[box].sum(dtype=float))) / float(
        (before[box] - sky_adu).sum(dtype=float)
    )


def test_a_hit_beside_a_star_does_not_take_the_star_along():
    image = np.full((120, 120), 400.0)
    for y in range(20, 120, 20):
        for x in range(20, 120, 20):
            paint_star(image, x, y, 20000, 2.4)
    data = noisy(image)
    data[22:30, 62] += 3000  # a track down to two pixels from a core
    found = find_cosmics(frame_of(data), load_camera("t80cam-mini"), Cosmics())
    assert found[24:30, 62].all()
    assert not found[19:22, 59:62].any()


def test_most_tracks_are_found_and_nearly_all_that_is_found_is_one():
    sky = simulate_sky_frame(
        (700, 700), seed=3, band="R", density=4.0, conditions=Conditions(cosmic_rate=3.0), effects=NO_TRAILS
    )
    found = find_cosmics(frame_of(sky.data, sky.mask & np.uint8(Bit.SATURATED)), sky.camera, Cosmics())
    true = (sky.mask & Bit.COSMIC) != 0
    recall, purity = recall_and_purity(found, true)
    assert recall > 0.95
    assert purity > 0.97
