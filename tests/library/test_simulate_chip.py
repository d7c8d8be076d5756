"""The simulated chip against its own numbers: bias, noise, gain, defects, sensitivity."""

import numpy as np
import pytest

from mar.camera import load_camera
from mar.errors import BadConfig
from mar.exposure import FrameType
from mar.masks import Bit
from mar.simulate import Effects, simulate_raw
from mar.simulate.readout import add_shot_noise, block_of


def science(sample, amplifier):
    return sample.raw.data[amplifier.science.slices].astype(float)


@pytest.fixture(params=["t80cam-mini", "single"])
def any_camera(request):
    return load_camera(request.param)


def test_bias_stands_at_its_true_level_in_image_and_strips(any_camera):
    sample = simulate_raw(any_camera, kind=FrameType.BIAS, drift=True)
    for amplifier in any_camera.amplifiers:
        level = sample.truth.bias_adu[amplifier.id]
        assert science(sample, amplifier).mean() == pytest.approx(level, abs=0.1)
        strip = sample.raw.data[amplifier.overscan_x.slices]
        assert strip.mean() == pytest.approx(level, abs=0.5)


def test_light_falls_on_the_image_only(any_camera):
    sample = simulate_raw(any_camera, level=700)
    for amplifier in any_camera.amplifiers:
        level = sample.truth.bias_adu[amplifier.id]
        assert science(sample, amplifier).mean() == pytest.approx(level + 700, abs=0.5)
        for strip in (amplifier.prescan_x, amplifier.overscan_x, amplifier.overscan_y):
            if strip is not None:
                assert sample.raw.data[strip.slices].mean() == pytest.approx(level, abs=0.6)


def test_noise_is_that_of_the_electrons(any_camera):
    sample = simulate_raw(any_camera, level=2000)
    amplifier = any_camera.amplifiers[0]
    expected = np.sqrt(2000 / amplifier.gain + (amplifier.read_noise_e / amplifier.gain) ** 2 + 1 / 12)
    assert science(sample, amplifier).std() == pytest.approx(expected, rel=0.02)
    bias = simulate_raw(any_camera, kind=FrameType.BIAS)
    expected = np.hypot(amplifier.read_noise_e / amplifier.gain, np.sqrt(1 / 12))
    assert science(bias, amplifier).std() == pytest.approx(expected, rel=0.02)


def test_few_electrons_are_counted_one_by_one(rng):
    electrons = np.full((600, 200), 2.0, dtype="f4")
    add_shot_noise(electrons, rng)
    assert (electrons == electrons.astype(int)).all()
    assert electrons.mean() == pytest.approx(2, abs=0.03)
    assert electrons.var() == pytest.approx(2, abs=0.05)


def test_without_noise_the_frame_is_exact(camera):
    sample = simulate_raw(camera, level=500, effects=Effects.only())
    trimmed = science(sample, camera.amplifiers[5])
    assert (trimmed == 1500).all()


def test_drift_moves_the_rows_and_keeps_the_mean(camera):
    quiet = {"read_noise": False, "shot_noise": False}
    steady = simulate_raw(camera, kind=FrameType.BIAS, **quiet)
    drifting = simulate_raw(camera, kind=FrameType.BIAS, drift=True, **quiet)
    block = block_of(camera.amplifiers[0]).slices
    rows = (drifting.raw.data[block].astype(float) - steady.raw.data[block]).mean(axis=1)
    assert np.ptp(rows) > 2
    assert abs(rows.mean()) < 0.2


def test_drift_differs_from_frame_to_frame(camera):
    quiet = {"read_noise": False, "offsets": False, "drift": True}
    one = simulate_raw(camera, kind=FrameType.BIAS, name="bias-1", **quiet)
    two = simulate_raw(camera, kind=FrameType.BIAS, name="bias-2", **quiet)
    assert (one.raw.data != two.raw.data).mean() > 0.2


def test_structure_lies_under_the_image_and_not_in_the_strips(camera):
    plain = simulate_raw(camera, kind=FrameType.BIAS, read_noise=False)
    patterned = simulate_raw(camera, kind=FrameType.BIAS, read_noise=False, structure=True)
    changed = plain.raw.data != patterned.raw.data
    amplifier = camera.amplifiers[0]
    assert changed[amplifier.science.slices].mean() > 0.5
    assert not changed[amplifier.overscan_x.slices].any()
    along_y, along_x = patterned.detector.structure(amplifier)
    difference = science(patterned, amplifier) - science(plain, amplifier)
    assert abs(difference - along_y @ along_x).max() <= 1


@pytest.mark.parametrize("defect", ["hot_pixels", "cold_pixels", "bad_columns"])
def test_defects_change_the_pixels_that_the_truth_names_and_no_other(camera, defect):
    quiet = {"read_noise": False, "shot_noise": False, "offsets": False}
    plain = simulate_raw(camera, level=5000, **quiet)
    spoilt = simulate_raw(camera, level=5000, **quiet, **{defect: True})
    bad = spoilt.detector.defects() == Bit.BAD
    changed = np.zeros(camera.shape, dtype=bool)
    for amplifier in camera.amplifiers:
        changed[amplifier.trimmed.slices] = science(plain, amplifier) != science(spoilt, amplifier)
    assert bad.any()
    assert (changed == bad).all()


def test_hot_pixels_show_in_a_bias_and_cold_ones_do_not(camera):
    hot = simulate_raw(camera, kind=FrameType.BIAS, read_noise=False, hot_pixels=True)
    none = simulate_raw(camera, kind=FrameType.BIAS, read_noise=False)
    cold = simulate_raw(camera, kind=FrameType.BIAS, read_noise=False, cold_pixels=True)
    assert (hot.raw.data > none.raw.data).any()
    assert (cold.raw.data == none.raw.data).all()


@pytest.mark.parametrize("effect", ["vignetting", "dust", "pixel_response"])
def test_sensitivity_scales_the_light_as_the_truth_says(camera, effect):
    lit = simulate_raw(
        camera, level=20000, band="R", read_noise=False, shot_noise=False, offsets=False, **{effect: True}
    )
    response = lit.detector.response(camera.band("R"))
    assert response.std() > 1e-3
    assert np.median(response) == pytest.approx(1, abs=0.002)
    for amplifier in camera.amplifiers:
        expected = 1000 + 20000 * response[amplifier.trimmed.slices]
        assert abs(science(lit, amplifier) - expected).max() < 1.5


def test_vignetting_darkens_the_corners_more_in_the_blue(camera):
    detector = simulate_raw(camera, effects=Effects.only("vignetting")).detector
    red, blue = (detector.response(camera.band(band)) for band in ("Z", "U"))
    assert blue[0, 0] < red[0, 0] < 0.95


def test_a_flat_shows_no_fringes_and_no_two_flats_are_equal(camera):
    one = simulate_raw(camera, level=20000, kind=FrameType.FLAT, band="Z", seed=1)
    two = simulate_raw(camera, level=20000, kind=FrameType.FLAT, band="Z", seed=2)
    assert (one.raw.data != two.raw.data).mean() > 0.9


def test_the_same_seed_gives_the_same_frame(camera):
    first, second = (simulate_raw(camera, seed=4, drift=True, cosmics=True) for _ in range(2))
    assert (first.raw.data == second.raw.data).all()
    assert (first.mask == second.mask).all()


def test_an_unknown_effect_is_named():
    with pytest.raises(BadConfig, match="aliens"):
        Effects().without("aliens")
    with pytest.raises(BadConfig, match="aliens"):
        Effects.only("aliens")
