"""Trails: satellites that shine steadily or tumble, aircraft, meteors, and what the shutter cuts off."""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from mar.masks import Bit
from mar.simulate.paint import paint_streak, paint_trail

Kind = Literal["satellite", "tumbling", "meteor", "aircraft", "cut"]
_STEP_PX = 0.5  #: between the knots of a streak, so that flashes and ends are as sharp as the seeing


class Trail(NamedTuple):
    """A trail through the pixel (x, y)."""

    x: float
    y: float
    angle_deg: float  #: from +x towards +y
    peak_e: float
    sigma_px: float  #: of the Gaussian profile across it


class Streak(NamedTuple):
    """A trail whose brightness and width change along it; it shines from its first knot to its last."""

    x: float  #: of the point where `along` is 0
    y: float
    angle_deg: float  #: from +x towards +y
    bend_px: float  #: departure from the straight line half the image's longer side away from (x, y)
    start_px: float  #: first knot, along the streak
    peaks_e: np.ndarray  #: (knots,) every _STEP_PX
    sigmas_px: np.ndarray  #: (knots,) of the Gaussian profile across it


def draw_trail(
    shape: tuple[int, int], noise_e: float, seeing_sigma_px: float, rng: np.random.Generator
) -> Trail:
    """A trail near the middle of the image with a peak of 3 to 40 times the noise of a sky pixel."""
    ny, nx = shape
    return Trail(
        nx * rng.uniform(0.25, 0.75),
        ny * rng.uniform(0.25, 0.75),
        rng.uniform(0, 180),
        noise_e * float(np.exp(rng.uniform(np.log(3), np.log(40)))),
        seeing_sigma_px * rng.uniform(1.0, 1.8),
    )


def add_trail(
    image: np.ndarray, marked: np.ndarray, trail: Trail, read_noise_e: float, rng: np.random.Generator
) -> None:
    """Add `trail` to `image` (electrons); Bit.TRAIL in `marked` where it exceeds the local noise."""
    wave, phase = rng.uniform(0.3, 2) * max(image.shape), rng.uniform(0, 2 * np.pi)
    angle = np.radians(trail.angle_deg)
    bit, variance = np.uint8(Bit.TRAIL), read_noise_e**2
    paint_trail(
        image, marked, bit, trail.x, trail.y, angle, trail.peak_e, trail.sigma_px, wave, phase, variance
    )


def add_kind(
    image: np.ndarray,
    marked: np.ndarray,
    kind: Kind,
    trail: Trail,
    read_noise_e: float,
    rng: np.random.Generator,
) -> None:
    """Add something of that kind where `trail` lies, as bright and wide; Bit.TRAIL as in `add_trail`."""
    if kind == "satellite":
        add_trail(image, marked, trail, read_noise_e, rng)
        return
    for streak in STREAKS[kind](image.shape, trail, rng):
        add_streak(image, marked, streak, read_noise_e)


def add_streak(image: np.ndarray, marked: np.ndarray, streak: Streak, read_noise_e: float) -> None:
    """Add `streak` to `image` (electrons); Bit.TRAIL in `marked` where it exceeds the local noise."""
    angle = np.radians(streak.angle_deg)
    curve = streak.bend_px / (max(image.shape) / 2) ** 2
    paint_streak(
        image,
        marked,
        np.uint8(Bit.TRAIL),
        (streak.x, streak.y, angle, curve),
        (streak.start_px, _STEP_PX),
        streak.peaks_e,
        streak.sigmas_px,
        read_noise_e**2,
    )


def tumbling(shape: tuple[int, ...], trail: Trail, rng: np.random.Generator) -> list[Streak]:
    """Flashes with dark gaps between them, as of a spent rocket that turns."""
    along = _along(shape)
    period = rng.uniform(0.12, 0.35) * max(shape)
    lit = rng.uniform(0.35, 0.7)
    phase = (along / period + rng.uniform()) % 1 / lit
    flash = np.where(phase < 1, np.sin(np.pi * np.minimum(phase, 1)) ** 0.5, 0)
    return [_streak(trail, along, flash, np.ones(along.size))]


def meteor(shape: tuple[int, ...], trail: Trail, rng: np.random.Generator) -> list[Streak]:
    """It begins and ends in the frame, grows brighter and wider, and flares before it goes out."""
    length = rng.uniform(0.5, 0.9) * min(shape)
    along = np.arange(-0.5 * length, 0.5 * length, _STEP_PX)
    part = along / length + 0.5
    late = rng.uniform(1, 3)
    light = part**late * (1 - part) ** 0.7
    light /= light.max()
    light += 0.6 * np.exp(-0.5 * ((part - rng.uniform(0.6, 0.9)) / 0.03) ** 2)
    return [_streak(trail, along, light, 1 + rng.uniform(0.2, 0.8) * part)]


def aircraft(shape: tuple[int, ...], trail: Trail, rng: np.random.Generator) -> list[Streak]:
    """Lamps on both wings, and a third that blinks between them."""
    along = _along(shape)
    apart = trail.sigma_px * rng.uniform(8, 20)
    period = rng.uniform(0.08, 0.2) * max(shape)
    from_flash = (along + rng.uniform() * period) % period - period / 2
    blink = 6 * np.exp(-0.5 * (from_flash / max(0.01 * period, trail.sigma_px)) ** 2)
    even, wide = np.ones(along.size), np.ones(along.size)
    return [
        _streak(trail, along, even, wide, -apart / 2),
        _streak(trail, along, rng.uniform(0.6, 1) * even, wide, apart / 2),
        _streak(trail, along, blink, wide, apart * rng.uniform(-0.2, 0.2)),
    ]


def cut(shape: tuple[int, ...], trail: Trail, rng: np.random.Generator) -> list[Streak]:
    """It was in the frame when the shutter opened or closed: an end within, and none at the edge."""
    along = _along(shape)
    end = rng.uniform(-0.2, 0.2) * min(shape)
    return [_streak(trail, along, (along > end).astype(float), np.ones(along.size))]


STREAKS: dict[str, Callable[[tuple[int, ...], Trail, np.random.Generator], list[Streak]]]
STREAKS = {"tumbling": tumbling, "meteor": meteor, "aircraft": aircraft, "cut": cut}


def _along(shape: tuple[int, ...]) -> np.ndarray:
    """Knots that reach beyond the frame on both sides."""
    reach = math.hypot(*shape)
    return np.arange(-reach, reach, _STEP_PX)


def _streak(
    trail: Trail, along: np.ndarray, light: np.ndarray, wide: np.ndarray, beside_px: float = 0.0
) -> Streak:
    """The trail with `light` times its peak and `wide` times its width at the knots, moved sideways."""
    angle = np.radians(trail.angle_deg)
    return Streak(
        trail.x - beside_px * np.sin(angle),
        trail.y + beside_px * np.cos(angle),
        trail.angle_deg,
        0.0,
        float(along[0]),
        trail.peak_e * np.asarray(light, dtype=np.float64),
        trail.sigma_px * np.asarray(wide, dtype=np.float64),
    )


def told(trail: Trail, kind: Kind) -> dict[str, Any]:
    """What the truth says of it."""
    return trail._asdict() | ({} if kind == "satellite" else {"kind": kind})
