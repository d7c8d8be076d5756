"""From electrons on the chip to a raw frame of numbers: noise, bias, strips and clipping."""

import numpy as np

from mar.camera import Amplifier, Section
from mar.masks import Bit
from mar.simulate.detector import Detector

_ROWS_AT_A_TIME = 512
_FEW = 25.0  # electrons below which a Gaussian is no good Poisson


def add_shot_noise(image: np.ndarray, rng: np.random.Generator) -> None:
    """Replace the expected electrons in `image` by counted ones, in place."""
    for y in range(0, image.shape[0], _ROWS_AT_A_TIME):
        rows = image[y : y + _ROWS_AT_A_TIME]
        few = rows < _FEW
        counted = rng.poisson(np.maximum(rows[few], 0))
        noise = rng.standard_normal(rows.shape, dtype=np.float32)
        noise *= np.sqrt(np.maximum(rows, 0))
        rows += noise
        rows[few] = counted


def full_well_e(detector: Detector) -> float:
    """Charge that a pixel holds before it bleeds: a little more than makes every amplifier saturate."""
    base = detector.conditions.bias_adu - 100
    return 1.02 * max((amp.saturation_adu - base) * amp.gain for amp in detector.camera.amplifiers)


def block_of(amplifier: Amplifier) -> Section:
    """The part of the raw frame that one amplifier reads: its science section and its strips."""
    strips = (amplifier.prescan_x, amplifier.overscan_x, amplifier.prescan_y, amplifier.overscan_y)
    parts = [amplifier.science, *(strip for strip in strips if strip is not None)]
    return Section(
        min(part.x0 for part in parts),
        max(part.x1 for part in parts),
        min(part.y0 for part in parts),
        max(part.y1 for part in parts),
    )


def read_out(
    image: np.ndarray | None, marked: np.ndarray, detector: Detector, frame: str, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, float]]:
    """The raw frame (uint16) of the electrons in `image` (trimmed; None for a bias), named `frame`.

    Sets Bit.SATURATED in `marked` (trimmed) where the numbers reach the saturation level. Gives also the
    mean bias level of each amplifier over the rows of its science section, in ADU.
    """
    camera = detector.camera
    raw = np.zeros(camera.raw_shape, dtype=np.uint16)
    levels = {}
    for amplifier in camera.amplifiers:
        block, science = block_of(amplifier), amplifier.science
        level = detector.bias_level(amplifier, frame, block.y1 - block.y0).astype(np.float32)
        levels[amplifier.id] = float(level[science.y0 - block.y0 : science.y1 - block.y0].mean())
        for y0 in range(block.y0, block.y1, _ROWS_AT_A_TIME):
            y1 = min(y0 + _ROWS_AT_A_TIME, block.y1)
            rows = Section(block.x0, block.x1, y0, y1)
            counts = np.empty(rows.shape, dtype=np.float32)
            counts[:] = level[y0 - block.y0 : y1 - block.y0, None]
            if detector.effects.read_noise:
                noise = rng.standard_normal(counts.shape, dtype=np.float32)
                counts += noise * np.float32(amplifier.read_noise_e / amplifier.gain)
            _add_image(counts, rows, image, detector, amplifier)
            raw[rows.slices] = np.clip(np.rint(counts), 0, 65535)
        _mark_saturated(raw, marked, amplifier)
    return raw, levels


def _add_image(
    counts: np.ndarray, rows: Section, image: np.ndarray | None, detector: Detector, amplifier: Amplifier
) -> None:
    """Add the part of the image and of the bias pattern that these rows of a block hold."""
    science, trimmed = amplifier.science, amplifier.trimmed
    y0, y1 = max(rows.y0, science.y0), min(rows.y1, science.y1)
    if y0 >= y1:
        return
    along_y, along_x = detector.structure(amplifier)
    part = counts[y0 - rows.y0 : y1 - rows.y0, science.x0 - rows.x0 : science.x1 - rows.x0]
    part += along_y[y0 - science.y0 : y1 - science.y0] @ along_x
    if image is not None:
        start = trimmed.y0 - science.y0
        part += image[y0 + start : y1 + start, trimmed.x0 : trimmed.x1] / np.float32(amplifier.gain)


def _mark_saturated(raw: np.ndarray, marked: np.ndarray, amplifier: Amplifier) -> None:
    over = raw[amplifier.science.slices] >= min(amplifier.saturation_adu, 65535)
    marked[amplifier.trimmed.slices][over] |= np.uint8(Bit.SATURATED)
