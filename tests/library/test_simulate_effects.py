"""Every switch of the simulator does something, and only what it should."""

from datetime import UTC, datetime

import numpy as np
import pytest

from mar.exposure import FrameType
from mar.simulate import Conditions, Effects, SkyField, plain_camera
from mar.simulate.records import Shot
from mar.simulate.simulator import Simulator
from mar.simulate.sky import make_sources

CAMERA = plain_camera((240, 240))
FIELD = SkyField("SPLUS-s25s10", 110.0, -25.0)
FULL_MOON = datetime(2024, 2, 24, 4, 0, tzinfo=UTC)
# the pixels of the chip itself: they change calibration frames too
CHIP = ("offsets", "drift", "structure", "hot_pixels", "cold_pixels", "bad_columns")


def science(effects, number=1):
    conditions = Conditions(density=8)
    simulator = Simulator(CAMERA, conditions=conditions, effects=effects)
    sources = make_sources(FIELD, (0.07, 0.07), CAMERA.filters, conditions, effects, 1)
    shot = Shot(
        "S20240224T040000_s25s10_Z", FrameType.SCI, "Z", FIELD.name, FULL_MOON, 300.0, *FIELD[1:], number
    )
    return simulator.science(shot, sources)


@pytest.fixture(scope="module")
def everything():
    return science(Effects())


@pytest.mark.parametrize("effect", [name for name in Effects.names() if name != "dither"])
def test_each_switch_changes_the_frame(everything, effect):
    without = science(Effects().without(effect))
    assert (without.raw != everything.raw).any()


@pytest.mark.parametrize(
    "effect", ["hot_pixels", "cold_pixels", "bad_columns", "cosmics", "trails", "bleeding"]
)
def test_local_effects_leave_the_rest_of_the_frame_alone(effect):
    still = Effects().without("shot_noise", "read_noise", "bleeding")
    switched = (
        still.without(effect) if effect != "bleeding" else Effects().without("shot_noise", "read_noise")
    )
    one, other = science(still), science(switched)
    assert 0 < (one.raw != other.raw).mean() < 0.15


@pytest.mark.parametrize("effect", Effects.names())
def test_only_the_chip_shows_in_a_bias(effect):
    shot = Shot("bias-1", FrameType.BIAS, None, "bias", FULL_MOON, 0.0, 0.0, 0.0, 0)
    full, less = (
        Simulator(CAMERA, effects=effects).bias(shot).raw
        for effects in (Effects(), Effects().without(effect))
    )
    assert (full != less).any() == (effect in {*CHIP, "read_noise"} - {"cold_pixels"})


def test_a_flat_has_light_of_the_asked_level_and_its_own_noise():
    shot = Shot("skyflat-1-R", FrameType.FLAT, "R", "skyflat", FULL_MOON, 5.0, 0.0, 0.0, 0)
    effects = Effects.only("shot_noise")
    exposed = Simulator(CAMERA, effects=effects).flat(shot)
    light = exposed.raw - 1000.0
    assert light.mean() == pytest.approx(exposed.truth.sky_adu, rel=1e-3)
    assert light.std() == pytest.approx(np.sqrt(light.mean() / CAMERA.gain), rel=0.02)
    starry = Simulator(CAMERA, effects=Effects.only("shot_noise", "stars")).flat(shot)
    assert starry.raw.max() > exposed.raw.max() + 500
    assert starry.mask.max() == 0
