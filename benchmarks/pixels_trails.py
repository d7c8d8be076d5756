"""Trails against truth: recall, purity and width by kind and brightness, and clean frames without any.

Trails are painted, with their photon noise, on simulated frames without trails; places, angles, widths and
seeds are not those that the limits of the detector were chosen on. A trail's true pixels are those where its
light exceeds the local noise, or half of its peak where that is less. Clean frames reach from the pole to the
Galactic plane, with all seeings, cosmic rays and bleeding, and half of them also have diffraction spikes, a
ghost ring, large galaxies, a row of stars and bad columns.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from conventions import Bar, Figures, main
from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.masks import Bit
from mar.simulate import Conditions, Effects, simulate_sky_frame
from mar.simulate.samples import SkyFrame
from mar.simulate.trails import STREAKS, Trail, add_streak, add_trail
from mar.steps.trails import find_trails

FULL = (9232, 9216)
SEED = 20_000
# limits were chosen on 21,000, 31,000, 34,000, 35,000, 61,000, 710,000 and the 99 that follow each
CLEAN_SEED = 36_000
PEAKS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
KINDS = ("satellite", "tumbling", "meteor", "aircraft", "cut")
KIND_PEAKS = (5.0, 10.0)
SKIES, CLEAN = 12, 100
DENSITIES = (1.0, 3.0, 8.0, 20.0)  # of stars: from the pole to the Galactic plane
SEEING = (0.9, 1.5, 2.5)  # arcsec
RECALL, PURITY, WIDTH, ALIKE = 0.95, 0.80, 0.30, 0.95


@dataclass
class Tally:
    """True and marked pixels over several trails."""

    true: int = 0
    marked: int = 0
    hit: int = 0
    found: int = 0
    trails: int = 0
    widths: list[float] = field(default_factory=list)  #: marked over true pixels, of those found alone

    def add(self, marked: np.ndarray, truth: np.ndarray, tracks: int) -> None:
        """One frame."""
        hit, true = np.count_nonzero(marked & truth), np.count_nonzero(truth)
        self.true += true
        self.marked += np.count_nonzero(marked)
        self.hit += hit
        self.found += hit > 0.5 * true
        self.trails += 1
        if hit > 0.5 * true and tracks == 1:
            self.widths.append(np.count_nonzero(marked) / true)

    @property
    def recall(self) -> float:
        """Part of the true pixels that are marked."""
        return self.hit / max(1, self.true)

    @property
    def purity(self) -> float:
        """Part of the marked pixels that are true."""
        return self.hit / max(1, self.marked)

    @property
    def alike(self) -> float:
        """Part of the widths within 30 % of the truth's."""
        return float(np.mean(np.abs(np.array(self.widths) - 1) < WIDTH)) if self.widths else 0.0

    def __str__(self) -> str:
        width = np.median(self.widths) if self.widths else np.nan
        return (
            f"{self.found} of {self.trails} found, pixels recall {self.recall:.3f}, "
            f"purity {self.purity:.3f}, width {width:.2f} of the true one, {self.alike:.0%} within 30 %"
        )


def shape_of(arguments: argparse.Namespace) -> tuple[int, int]:
    """Rows and columns of the frames."""
    return round(FULL[0] / arguments.scale), round(FULL[1] / arguments.scale)


def skies(shape: tuple[int, int], number: int, seed: int) -> Iterator[SkyFrame]:
    """Clean frames of all densities and seeings in turn."""
    effects = Effects().without("trails")
    for n in range(number):
        density, seeing = DENSITIES[n % len(DENSITIES)], SEEING[n % len(SEEING)]
        conditions = Conditions(seeing_arcsec=seeing)
        yield simulate_sky_frame(shape, seed + n, density=density, conditions=conditions, effects=effects)


def light_of(sky: SkyFrame, kind: str, peak: float, rng: np.random.Generator) -> np.ndarray:
    """The light (ADU) of something of that kind with that peak in sigmas of the sky."""
    shape, gain = sky.data.shape, sky.camera.gain
    sigma_px = (sky.truth.fwhm_px or 3.0) / 2.355 * rng.uniform(1.0, 1.8)
    x, y = np.array(shape[::-1]) * rng.uniform(0.3, 0.7, 2)
    trail = Trail(x, y, rng.uniform(0, 180), peak * sky.noise_adu * gain, sigma_px)
    light, marked = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.uint8)
    if kind == "satellite":
        add_trail(light, marked, trail, 0.0, rng)
    else:
        for streak in STREAKS[kind](shape, trail, rng):
            add_streak(light, marked, streak, 0.0)
    return light / np.float32(gain)


def crossed(sky: SkyFrame, light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The frame with that light and its photon noise."""
    noise = np.sqrt(light / sky.camera.gain) * rng.standard_normal(light.shape, dtype=np.float32)
    return np.asarray(sky.data + light + noise, dtype=np.float32)


def true_pixels(sky: SkyFrame, light: np.ndarray, peak: float) -> np.ndarray:
    """Where the light exceeds the local noise, or half of its peak where that is less."""
    gain = sky.camera.gain
    local = np.sqrt(np.maximum(sky.data, 1) / gain + (sky.camera.read_noise_e / gain) ** 2)
    return light > np.minimum(local, 0.5 * peak * sky.noise_adu)


def marks_of(data: np.ndarray, saturated: np.ndarray) -> tuple[np.ndarray, int, float]:
    """Pixels marked as trails, the number of trails, and the seconds that took."""
    mask = saturated & np.uint8(Bit.SATURATED)
    began = time.perf_counter()
    tracks = find_trails(data, mask, Trails(), Reduction())
    for track in tracks:
        track.draw(mask)
    return (mask & Bit.TRAIL) != 0, len(tracks), time.perf_counter() - began


def tally(frames: list[SkyFrame], kind: str, peak: float) -> Tally:
    """One trail of that kind and brightness on each sky."""
    result = Tally()
    rng = np.random.default_rng([SEED, KINDS.index(kind), int(100 * peak)])
    for sky in frames:
        light = light_of(sky, kind, peak, rng)
        marked, tracks, _ = marks_of(crossed(sky, light, rng), sky.mask)
        result.add(marked, true_pixels(sky, light, peak), tracks)
    return result


def trails(arguments: argparse.Namespace) -> Figures:
    """Trails of all kinds and brightness against truth, on skies of all densities and seeings."""
    figures = Figures("trails")
    frames = list(skies(shape_of(arguments), SKIES, SEED))
    for kind in KINDS:
        for peak in PEAKS if kind == "satellite" else KIND_PEAKS:
            found = tally(frames, kind, peak)
            figures.remarks.append(f"{kind}, peak {peak:g} sigma: {found}")
            if kind == "satellite" and peak == 3.0:
                figures.bars = [
                    Bar("pixels of trails of peak 3 sigma, recall", found.recall, RECALL, above=True),
                    Bar("pixels of trails of peak 3 sigma, purity", found.purity, PURITY, above=True),
                    Bar("widths within 30 %", found.alike, ALIKE, above=True),
                ]
    return figures


def spoiled(sky: SkyFrame, rng: np.random.Generator) -> np.ndarray:
    """The frame with what might be taken for a trail: spikes, ring, galaxies, a row of stars, columns."""
    ny, nx = sky.data.shape
    ys, xs = np.mgrid[:ny, :nx].astype(np.float32)
    extra = np.zeros(sky.data.shape, dtype=np.float32)
    order = np.argsort(-sky.sources["FLUX"].data)
    fwhm = sky.truth.fwhm_px or 3.0
    for star in order[: rng.integers(1, 4)]:
        x, y, flux = (float(sky.sources[name][star]) for name in ("X", "Y", "FLUX"))
        _add_spikes(extra, ys - y, xs - x, flux, fwhm, rng.choice([0.0, np.pi / 4]))
        ring = np.hypot(ys - y, xs - x)
        extra += flux * 2e-7 * np.exp(-0.5 * ((ring - 0.15 * nx) / 8) ** 2)
    for axis_ratio, size in ((0.08, 0.03), (0.5, 0.06)):
        _add_disc(extra, ys, xs, size * nx, axis_ratio, 20 * sky.noise_adu, rng)
    _add_row_of_stars(extra, ys, xs, fwhm, sky.noise_adu, rng)
    noise = np.sqrt(extra / sky.camera.gain) * rng.standard_normal(extra.shape, dtype=np.float32)
    data = np.asarray(sky.data + extra + noise, dtype=np.float32)
    data[:, rng.integers(0, nx)] += 5 * sky.noise_adu
    data[: rng.integers(ny // 3, ny), rng.integers(0, nx)] += 30 * sky.noise_adu
    data[rng.integers(0, ny)] += 4 * sky.noise_adu
    return data


def _add_spikes(
    light: np.ndarray, dy: np.ndarray, dx: np.ndarray, flux: float, fwhm: float, angle: float
) -> None:
    """Four diffraction spikes whose light falls with the square of the distance from the star."""
    for turn in (angle, angle + np.pi / 2):
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        light += 4e-3 * flux / (np.abs(along) + fwhm) ** 2 * np.exp(-0.5 * (2.355 * across / fwhm) ** 2)


def _add_disc(
    light: np.ndarray,
    ys: np.ndarray,
    xs: np.ndarray,
    scale_px: float,
    axis_ratio: float,
    centre_adu: float,
    rng: np.random.Generator,
) -> None:
    """An exponential disc anywhere, at any angle."""
    x, y = rng.uniform(0.1, 0.9, 2) * light.shape[::-1]
    turn = rng.uniform(0, np.pi)
    along = (xs - x) * np.cos(turn) + (ys - y) * np.sin(turn)
    across = (ys - y) * np.cos(turn) - (xs - x) * np.sin(turn)
    light += centre_adu * np.exp(-np.hypot(along, across / axis_ratio) / scale_px)


def _add_row_of_stars(
    light: np.ndarray, ys: np.ndarray, xs: np.ndarray, fwhm: float, noise: float, rng: np.random.Generator
) -> None:
    """Fifteen stars of all brightness at equal distances on a line across the frame."""
    ny, nx = light.shape
    (x0, x1), (y0, y1) = rng.uniform(0, nx, 2), (0.05 * ny, 0.95 * ny)
    for part in np.linspace(0, 1, 15):
        y, x = y0 + part * (y1 - y0), x0 + part * (x1 - x0)
        near = np.s_[max(0, int(y) - 30) : int(y) + 31, max(0, int(x) - 30) : int(x) + 31]
        far = ((ys[near] - y) ** 2 + (xs[near] - x) ** 2) / (1.96 * fwhm / 2) ** 2
        light[near] += np.float32(noise * 10 ** rng.uniform(0.7, 3)) * (1 + far) ** -3


def clean(arguments: argparse.Namespace) -> Figures:
    """Frames without trails: none may be found, also where much looks like one."""
    figures = Figures("trails-clean")
    number = max(1, round(CLEAN * min(1.0, arguments.scale / 8)))
    false, seconds = 0, []
    for n, sky in enumerate(skies(shape_of(arguments), number, CLEAN_SEED)):
        spoil = n // len(DENSITIES) % 2 == 1
        data = spoiled(sky, np.random.default_rng([CLEAN_SEED, n])) if spoil else sky.data
        marked, tracks, taken = marks_of(data, sky.mask)
        seconds.append(taken)
        if tracks:
            false += 1
            figures.remarks.append(
                f"frame {n}: {tracks} false, {np.count_nonzero(marked)} pixels; density "
                f"{DENSITIES[n % len(DENSITIES)]:g}, seeing {SEEING[n % len(SEEING)]}{', spoiled' * spoil}"
            )
    figures.seconds = {"a frame": float(np.median(seconds))}
    figures.bars = [Bar(f"false trails on {number} clean frames", false, 0.5)]
    return figures


WORKS = {"trails": trails, "trails-clean": clean}


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS))
