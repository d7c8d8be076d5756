"""Charge on the chip: saturation, bleeding, cosmic rays."""

import numpy as np
import pytest

from mar.camera import load_camera
from mar.masks import Bit, empty_mask
from mar.simulate import simulate_raw, simulate_sky_frame
from mar.simulate.cosmics import add_cosmics, cosmic_charge
from mar.simulate.effects import Effects
from mar.simulate.paint import bleed_columns

SATURATED = np.uint8(Bit.SATURATED)


def overfull(rng) -> np.ndarray:
    image = rng.uniform(100, 200, (300, 40)).astype("f4")
    image[150, 10] = 9000.0
    image[140:143, 20] = 4000.0
    return image


def test_bleeding_conserves_charge_in_each_column(rng):
    image = overfull(rng)
    before = image.sum(axis=0, dtype=float)
    lost = bleed_columns(image, np.float32(1000), empty_mask(image.shape), SATURATED)
    assert lost == 0
    np.testing.assert_allclose(image.sum(axis=0, dtype=float), before, rtol=1e-5)
    assert image.max() <= 1000


def test_bleeding_goes_up_and_down_alike_and_is_marked(rng):
    image, mask = overfull(rng), empty_mask((300, 40))
    untouched = image.copy()
    bleed_columns(image, np.float32(1000), mask, SATURATED)
    column = np.flatnonzero(mask[:, 10])
    assert column.min() == pytest.approx(150 - 5, abs=1)
    assert column.max() == pytest.approx(150 + 5, abs=1)
    assert (mask.any(axis=0) == np.isin(np.arange(40), [10, 20])).all()
    assert (image[mask == 0] == untouched[mask == 0]).all()


def test_bled_charge_is_lost_at_the_edge():
    image = np.zeros((10, 3), dtype="f4")
    image[1, 1] = 5000.0
    lost = bleed_columns(image, np.float32(1000), empty_mask(image.shape), SATURATED)
    assert lost == pytest.approx(5000 - image.sum(), abs=0.1)
    assert lost > 0


def test_saturated_pixels_read_the_highest_number_and_are_marked():
    frame = simulate_sky_frame(seed=3, effects=Effects().without("cosmics", "trails"))
    clipped = frame.data >= 65535 - 1000
    assert clipped.sum() > 20
    assert (frame.mask[clipped] & SATURATED).all()


def test_without_bleeding_only_the_star_itself_saturates():
    effects = Effects().without("cosmics", "trails")
    bled = simulate_sky_frame(seed=3, effects=effects)
    alone = simulate_sky_frame(seed=3, effects=effects.without("bleeding"))
    many, few = bled.mask & SATURATED > 0, alone.mask & SATURATED > 0
    assert 0 < few.sum() < many.sum()
    assert many[few].all()
    assert (bled.data[~many] == alone.data[~many]).all()


def test_a_camera_saturates_at_its_own_level():
    single = load_camera("single")
    sample = simulate_raw(single, level=70000, bleeding=True)
    assert (sample.mask & SATURATED).all()
    assert simulate_raw(single, level=50000, bleeding=True).mask.max() == 0


def test_cosmic_rays_carry_charge_in_tracks_of_many_lengths(rng):
    y, _, charge = cosmic_charge((1000, 1000), 400, rng)
    assert 400 < y.size < 400 * 40
    assert 500 < charge.sum() / 400 < 20000


def test_cosmic_truth_is_what_stands_five_sigma_above_the_noise(rng):
    image, mask = np.full((800, 800), 100.0, dtype="f4"), empty_mask((800, 800))
    add_cosmics(image, mask, 50, 3.43, rng)
    noise = np.sqrt(100 + 3.43**2)
    strong = image - 100 > 5 * noise
    assert strong.sum() > 100
    assert (mask == np.where(strong, Bit.COSMIC, 0)).all()


def test_cosmic_rays_change_only_a_few_pixels(camera):
    clean = simulate_raw(camera, shot_noise=False, read_noise=False)
    hit = simulate_raw(camera, shot_noise=False, read_noise=False, cosmics=True)
    changed = clean.raw.data != hit.raw.data
    assert 0 < changed.mean() < 0.002
    assert hit.truth.cosmics > 0
    assert (hit.mask & np.uint8(Bit.COSMIC) > 0).sum() <= changed.sum()
