"""Levels of the frames of a stack: whole frames or amplifier by amplifier; what the configuration reaches."""

import numpy as np
import pytest

from mar.camera import Section
from mar.config.bias import Bias
from mar.config.combining import Combining
from mar.config.flat import Flat
from mar.config.fringeframe import FringeFrame
from mar.errors import BadConfig
from mar.progress import silent
from mar.recipes.stack_levels import parts_of
from mar.recipes.stacking import combine_in_bands, rejection_of
from mar.steps.combine import Rejection

SHAPE = (80, 120)
HALVES = (Section(0, 60, 0, 80), Section(60, 120, 0, 80))
FRAMES = 5


@pytest.fixture
def levels(rng):
    """Of each frame its two halves, ADU."""
    return rng.uniform(900, 1100, (FRAMES, 2))


@pytest.fixture
def stack(rng, levels):
    frames = rng.normal(0, 2.0, (FRAMES, *SHAPE))
    for frame, pair in zip(frames, levels, strict=True):
        for half, level in zip(HALVES, pair, strict=True):
            frame[half.slices] += level
    return frames.astype("f4")


def parts(stack, config):
    return parts_of([lambda y0, y1, one=one: one[y0:y1] for one in stack], SHAPE, HALVES, config)


def combined(stack, config):
    def fill(y0, y1, into):
        into[...] = stack[:, y0:y1]

    rejection = rejection_of(config, 1.0, 3.0)
    return combine_in_bands(fill, stack.shape, config, rejection, silent, parts=parts(stack, config))


@pytest.mark.parametrize("kind", ["mode", "median", "mean"])
def test_zero_of_each_amplifier_leaves_only_the_noise(stack, levels, kind):
    config = Combining(method="mean", rejection="none", zero=kind, levels="amplifier")
    made = combined(stack, config)
    for half, level in zip(HALVES, levels.T, strict=True):
        assert abs(made[half.slices].mean() - level.mean()) < 0.3
    rest = parts(stack, config)
    left = [
        stack[:, h.y0 : h.y1, h.x0 : h.x1].mean((1, 2)) - p.zeros for h, p in zip(HALVES, rest, strict=True)
    ]
    assert np.ptp(left, axis=1).max() < 1.0  # 1280 sampled pixels of 2 ADU
    whole = parts(stack, config.model_copy(update={"levels": "frame"}))
    assert len(whole) == 1
    assert np.ptp(stack[:, :, :60].mean((1, 2)) - whole[0].zeros) > 10


def test_scale_of_each_amplifier_brings_frames_to_their_average(stack, levels):
    config = Combining(method="mean", rejection="none", scale="median", levels="amplifier")
    for part, level in zip(parts(stack, config), levels.T, strict=True):
        np.testing.assert_allclose(part.scales, level / level.mean(), rtol=5e-4)
    made = combined(stack, config)
    assert abs(made[:, 60:].mean() - levels[:, 1].mean()) < 0.3


def test_scale_and_zero_together_leave_no_difference(stack):
    config = Combining(scale="mean", zero="mean")
    [part] = parts(stack, config)
    means = stack.mean((1, 2)) / part.scales - part.zeros
    assert np.ptp(means) < 1e-2 * np.ptp(stack.mean((1, 2)))


def test_levels_are_measured_in_the_section_asked_for(stack, levels):
    [part] = parts(stack, Combining(zero="median", statsec="[61:120,1:80]"))
    np.testing.assert_allclose(part.zeros, levels[:, 1] - levels[:, 1].mean(), atol=0.5)
    left, right = parts(stack, Combining(zero="median", statsec="[61:120,1:80]", levels="amplifier"))
    np.testing.assert_allclose(left.zeros, right.zeros)  # the left half lies outside: it takes the whole


def test_sections_and_levels_that_cannot_be_used_are_named(stack):
    with pytest.raises(BadConfig, match="outside of the image"):
        parts(stack, Combining(zero="median", statsec="[500:600,1:80]"))
    with pytest.raises(BadConfig, match="start at 1"):
        parts(stack, Combining(zero="median", statsec="[9:2,1:80]"))
    with pytest.raises(BadConfig, match="is no scale"):
        parts(stack - np.float32(5000), Combining(scale="median"))
    with pytest.raises(BadConfig, match="no usable pixel"):
        parts(np.full_like(stack, np.nan), Combining(zero="median"))


def test_amplifiers_of_a_band_of_rows_are_combined_by_themselves(stack):
    config = Combining(
        rejection="avsigclip", low_sigma=2.0, high_sigma=2.0, zero="median", levels="amplifier"
    )
    one = combined(stack, config)
    banded = combined(stack, config.model_copy(update={"stack_mb": 1}))
    np.testing.assert_array_equal(one, banded)
    assert np.isfinite(one).all()


@pytest.mark.parametrize("section", [Bias, Flat, FringeFrame])
def test_every_option_of_the_rejection_is_an_item(section):
    other = {
        "rejection": "pclip", "low_sigma": 2.0, "high_sigma": 4.0, "nkeep": -2, "nlow": 2, "nhigh": 3,
        "sensitivity": 0.1, "centre": "mean", "rounds": 2, "pclip": 1.0, "sigscale": 0.3,
    }  # fmt: skip
    made = rejection_of(section(**other), 0.9, 3.4)
    assert made == Rejection("pclip", 2.0, 4.0, -2, 2, 3, 3.4, 0.9, 0.1, "mean", 2, 1.0, 0.3)
    assert all(
        value != default for value, default in zip(made, Rejection(), strict=True)
    )  # none is left at its default
