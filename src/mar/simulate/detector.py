"""The chip: its sensitivity, its defects and the pattern of its bias."""

from functools import cached_property

import numpy as np

from mar.bands import Band
from mar.camera import Amplifier, Camera
from mar.masks import Bit, empty_mask
from mar.simulate.chance import chance
from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects

_ROWS_AT_A_TIME = 64  # so that the rows at work stay in the processor's cache


class Detector:
    """One chip, the same for every frame of a seed. All maps are in trimmed geometry."""

    def __init__(self, camera: Camera, conditions: Conditions, effects: Effects, seed: int) -> None:
        self.camera = camera
        self.conditions = conditions
        self.effects = effects
        self.seed = seed
        self._medians: dict[str, float] = {}

    def vignetting(self, band: Band | None, y0: int, y1: int) -> np.ndarray:
        """Light left by the optics in rows y0 to y1, one at the centre; stronger in the blue."""
        ny, nx = self.camera.shape
        if not self.effects.vignetting:
            return np.ones((y1 - y0, nx), dtype=np.float32)
        wavelength = band.wavelength_nm if band else 600.0
        depth = 0.12 * (600 / wavelength) ** 0.3
        half = np.hypot(nx, ny) / 2
        y = ((np.arange(y0, y1) - 0.48 * ny) / half).astype(np.float32)
        x = ((np.arange(nx) - 0.53 * nx) / half).astype(np.float32)
        squared = y[:, None] ** 2 + x**2
        return 1 - np.float32(depth) * squared * (1 + np.float32(0.5) * squared)

    def response(self, band: Band | None = None, y0: int = 0, y1: int | None = None) -> np.ndarray:
        """Relative sensitivity of each pixel in rows y0 to y1; its median over the chip is one."""
        y1 = self.camera.shape[0] if y1 is None else y1
        response = self._pixels[y0:y1] / np.float32(self._median(band))
        for y in range(y0, y1, _ROWS_AT_A_TIME):
            rows = response[y - y0 : y - y0 + _ROWS_AT_A_TIME]
            rows *= self.vignetting(band, y, y + len(rows))
        return response

    def _median(self, band: Band | None) -> float:
        name = band.name if band else ""
        if name not in self._medians:
            self._medians[name] = self._sampled_median(band)
        return self._medians[name]

    def _sampled_median(self, band: Band | None) -> float:
        step = max(1, self.camera.shape[0] // 300)
        rows = range(0, self.camera.shape[0], step)
        sampled = [self.vignetting(band, y, y + 1)[0, ::step] * self._pixels[y, ::step] for y in rows]
        return float(np.median(np.concatenate(sampled)))

    @cached_property
    def _pixels(self) -> np.ndarray:
        shape, effects = self.camera.shape, self.effects
        pixels = np.ones(shape, dtype=np.float32)
        if effects.pixel_response:
            rng = chance(self.seed, "pixel response")
            for y in range(0, shape[0], 512):
                part = pixels[y : y + 512]
                part += 0.006 * rng.standard_normal(part.shape, dtype=np.float32)
        if effects.dust:
            _add_dust(pixels, chance(self.seed, "dust"))
        if effects.cold_pixels:
            cold_y, cold_x, left = self._cold
            pixels[cold_y, cold_x] *= left
        for column, rows, share, _ in self.bad_columns:
            pixels[rows, column] *= share
        return pixels

    @cached_property
    def _cold(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = chance(self.seed, "cold")
        y, x = self._places(rng, 4e-5)
        return y, x, rng.uniform(0.15, 0.85, y.size).astype(np.float32)

    @cached_property
    def hot(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Hot pixels: y, x, charge in every readout (e-), and its growth with exposure (e-/s)."""
        rng = chance(self.seed, "hot")
        y, x = self._places(rng, 3e-5 if self.effects.hot_pixels else 0)
        charge = 10 ** rng.uniform(1.9, 4.2, y.size)
        return y, x, charge, charge * rng.uniform(0, 0.002, y.size)

    @cached_property
    def bad_columns(self) -> list[tuple[int, slice, float, float]]:
        """Bad columns: x, rows, sensitivity left, charge added in every readout (e-).

        Each reaches from a trap to the far end of its amplifier, seen from the readout.
        """
        if not self.effects.bad_columns:
            return []
        rng = chance(self.seed, "columns")
        found = []
        for number in range(3 + int(self.camera.shape[0] * self.camera.shape[1] / 2e7)):
            amplifier = self.camera.amplifiers[rng.integers(len(self.camera.amplifiers))]
            area = amplifier.trimmed
            x = int(rng.integers(area.x0 + 2, area.x1 - 2))
            trap = int(rng.integers(area.y0 + 20, area.y1 - 20))
            rows = slice(area.y0, trap) if read_downwards(amplifier) else slice(trap, area.y1)
            hot = number % 3 == 2
            found.append((x, rows, 1.0 if hot else rng.uniform(0, 0.7), rng.uniform(80, 400) if hot else 0.0))
        return found

    def _places(self, rng: np.random.Generator, share: float) -> tuple[np.ndarray, np.ndarray]:
        ny, nx = self.camera.shape
        count = int(np.ceil(share * ny * nx))
        return rng.integers(0, ny, count), rng.integers(0, nx, count)

    def defects(self) -> np.ndarray:
        """Truth mask: Bit.BAD at hot and cold pixels and bad columns."""
        mask = empty_mask(self.camera.shape)
        mask[self.hot[:2]] = Bit.BAD
        if self.effects.cold_pixels:
            mask[self._cold[:2]] = Bit.BAD
        for x, rows, _, _ in self.bad_columns:
            mask[rows, x] = Bit.BAD
        return mask

    def add_defect_charge(self, image: np.ndarray, exptime_s: float) -> None:
        """Add the charge of hot pixels and hot columns (electrons) to `image` in place."""
        y, x, charge, rate = self.hot
        np.add.at(image, (y, x), charge + rate * exptime_s)
        for column, rows, _, added in self.bad_columns:
            image[rows, column] += added

    def structure(self, amplifier: Amplifier) -> tuple[np.ndarray, np.ndarray]:
        """Two-dimensional bias pattern of an amplifier in ADU, as factors (ny, k) and (k, nx)."""
        ny, nx = amplifier.science.shape
        if not self.effects.structure:
            return np.zeros((ny, 1), dtype=np.float32), np.zeros((1, nx), dtype=np.float32)
        rng = chance(self.seed, "structure", amplifier.id)
        x, y = np.linspace(0, 1, nx), np.linspace(0, 1, ny)
        columns = 0.5 * rng.standard_normal(nx)
        glow = rng.uniform(2, 6) * np.exp(-x / 0.15)
        wave = rng.uniform(0.5, 1.5) * np.sin(2 * np.pi * (x + rng.uniform()))
        along_y = np.stack([np.ones(ny), np.exp(-y / 0.2), np.cos(np.pi * y)], axis=1)
        return along_y.astype(np.float32), np.stack([columns, glow, wave]).astype(np.float32)

    def bias_level(self, amplifier: Amplifier, frame: str, rows: int) -> np.ndarray:
        """Bias level in ADU of each of the `rows` of an amplifier's block, in raw order, for one frame."""
        level = np.full(rows, self.conditions.bias_adu)
        if self.effects.offsets:
            level += chance(self.seed, "offset", amplifier.id).uniform(-80, 80)
            level += chance(self.seed, "offset", amplifier.id, frame).normal(0, 1.5)
        if self.effects.drift:
            level += self._drift(amplifier, frame, np.linspace(0, 1, rows))
        return level

    def _drift(self, amplifier: Amplifier, frame: str, time: np.ndarray) -> np.ndarray:
        """A settling that all frames share, a slope and a slow wave of the frame; zero on average."""
        fixed, rng = chance(self.seed, "drift", amplifier.id), chance(self.seed, "drift", amplifier.id, frame)
        strength = self.conditions.drift_adu
        curve = strength * fixed.uniform(0.3, 0.8) * np.exp(-time / 0.06)
        curve += strength * rng.normal(0, 0.5) * time
        curve += 0.08 * strength * np.sin(2 * np.pi * (1.5 * time + rng.uniform()))
        curve -= curve.mean()
        return curve[::-1] if read_downwards(amplifier) else curve


def read_downwards(amplifier: Amplifier) -> bool:
    """Whether the rows are read from the top: the overscan rows come last, so they lie below."""
    strip = amplifier.overscan_y
    return strip is not None and strip.y0 < amplifier.science.y0


def _add_dust(pixels: np.ndarray, rng: np.random.Generator) -> None:
    """Out-of-focus dust: dark rings with a lighter middle."""
    ny, nx = pixels.shape
    for _ in range(10 + int(ny * nx / 4e6)):
        radius, depth = rng.uniform(10, 32), rng.uniform(0.01, 0.05)
        x, y = rng.uniform(0, nx), rng.uniform(0, ny)
        rows = slice(max(0, int(y - 2 * radius)), min(ny, int(y + 2 * radius)))
        columns = slice(max(0, int(x - 2 * radius)), min(nx, int(x + 2 * radius)))
        grid_y, grid_x = np.ogrid[rows, columns]
        distance = np.hypot(grid_y - y, grid_x - x) / radius
        ring = np.exp(-(((distance - 0.75) / 0.22) ** 2)) + 0.4 * (distance < 0.75)
        pixels[rows, columns] *= (1 - depth * ring).astype(np.float32)
