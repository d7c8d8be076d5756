"""Thumbnails of images of every sort."""

import io

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from mar.config.thumbs import Thumbs
from mar.kernels.stretch import block_mean
from mar.steps.thumbs import mask_thumbnail, mask_thumbnail_png, thumbnail, thumbnail_png


@pytest.fixture
def sky():
    rng = np.random.default_rng(4)
    data = rng.normal(1000, 10, (203, 251)).astype("f4")
    data[20:30, 40:50] += 2000
    return data


def test_block_mean_agrees_with_numpy(sky):
    out = np.empty((41, 51), "f4")
    block_mean(sky, 5, out)
    assert_allclose(out[:40, :50], sky[:200, :250].reshape(40, 5, 50, 5).mean(axis=(1, 3)), rtol=1e-5)
    assert_allclose(out[40, 50], sky[200:, 250:].mean(), rtol=1e-6)


@pytest.mark.parametrize("kind", ["logistic", "linear", "log"])
def test_a_star_is_white_on_a_dark_sky_and_north_is_up(sky, kind):
    small = thumbnail(sky, Thumbs(type=kind))
    assert small.shape == (41, 51)
    assert small.dtype == np.uint8
    assert small[::-1][4:6, 8:10].min() > 250
    assert 5 < np.median(small) < 215
    assert small.std() > 5


def test_logistic_sky_has_a_quarter_of_the_brightness(sky):
    assert abs(np.median(thumbnail(sky, Thumbs())) / 255 - 0.25) < 0.02


def test_holes_are_black_and_do_not_disturb(sky):
    holed = sky.copy()
    holed[100:150] = np.nan
    holed[::7, ::3] = np.inf
    small = thumbnail(holed, Thumbs())
    assert (small[::-1][20:30] == 0).all()
    assert abs(np.median(small[::-1][:20]) / 255 - 0.25) < 0.04


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_flat_and_empty_images_have_thumbnails(value):
    assert thumbnail(np.full((20, 20), value, "f4"), Thumbs()).shape == (4, 4)


def test_weights_that_are_mostly_zero_have_contrast():
    weight = np.zeros((100, 100), "f4")
    weight[30:60, 30:60] = 4
    small = thumbnail(weight, Thumbs())
    assert small.max() > small.min() + 60


def test_a_single_marked_pixel_shows_in_a_mask():
    mask = np.zeros((50, 50), "u1")
    mask[12, 12] = 4
    mask[30:40, 30:40] = 1
    small = mask_thumbnail(mask, Thumbs())[::-1]
    assert small[2, 2] > 50
    assert (small[6:8, 6:8] == 255).all()
    assert (small > 0).sum() == 5


def test_png_bytes_are_a_picture(sky):
    picture = Image.open(io.BytesIO(thumbnail_png(sky, Thumbs(shrink=10))))
    assert picture.format == "PNG"
    assert picture.size == (26, 21)
    assert Image.open(io.BytesIO(mask_thumbnail_png(np.zeros((50, 50), "u1"), Thumbs()))).size == (10, 10)


def test_raw_counts_have_a_thumbnail():
    raw = np.arange(400, dtype=np.uint16).reshape(20, 20)
    assert thumbnail(raw, Thumbs()).shape == (4, 4)
