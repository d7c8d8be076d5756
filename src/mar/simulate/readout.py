"""From electrons on the chip to a raw frame of numbers: noise, bias, strips and clipping."""

import numpy as np
from numba import njit

from mar.camera import Amplifier, Section
from mar.masks import Bit
from mar.simulate.detector import Detector

_ROWS_AT_A_TIME = 64
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
    image: np.ndarray, marked: np.ndarray, detector: Detector, frame: str, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, float]]:
    """The raw frame (uint16), named `frame`, of the electrons in `image` (trimmed).

    Sets Bit.SATURATED in `marked` (trimmed) where the numbers reach the saturation level. Gives also the
    mean bias level of each amplifier over the rows of its science section, in ADU.
    """
    raw = np.zeros(detector.camera.raw_shape, dtype=np.uint16)
    levels = {}
    for amplifier in detector.camera.amplifiers:
        block, science = block_of(amplifier), amplifier.science
        level = detector.bias_level(amplifier, frame, block.y1 - block.y0).astype(np.float32)
        levels[amplifier.id] = float(level[science.y0 - block.y0 : science.y1 - block.y0].mean())
        _read_block(raw, image, level, detector, amplifier, rng)
        _mark_saturated(raw, marked, amplifier)
    return raw, levels


def _read_block(
    raw: np.ndarray,
    image: np.ndarray,
    level: np.ndarray,
    detector: Detector,
    amplifier: Amplifier,
    rng: np.random.Generator,
) -> None:
    """Fill what one amplifier reads, in bands of rows."""
    block, science, trimmed = block_of(amplifier), amplifier.science, amplifier.trimmed
    along_y, along_x = detector.structure(amplifier)
    left, right = science.x0 - block.x0, science.x1 - block.x0
    for y0 in range(block.y0, block.y1, _ROWS_AT_A_TIME):
        y1 = min(y0 + _ROWS_AT_A_TIME, block.y1)
        counts = np.zeros((y1 - y0, block.x1 - block.x0), dtype=np.float32)
        if detector.effects.read_noise:
            rng.standard_normal(dtype=np.float32, out=counts)
            counts *= np.float32(amplifier.read_noise_e / amplifier.gain)
        counts += level[y0 - block.y0 : y1 - block.y0, None]
        low, high = max(y0, science.y0), min(y1, science.y1)
        if low < high:
            lit = slice(low - science.y0, high - science.y0)
            electrons = image[trimmed.slices][lit]
            part = counts[low - y0 : high - y0, left:right]
            _add_light(part, electrons, np.float32(1 / amplifier.gain), along_y[lit], along_x)
        _digitise(raw[y0:y1, block.x0 : block.x1], counts)


@njit(cache=True, nogil=True)
def _add_light(counts, electrons, per_electron, along_y, along_x):  # type: ignore[no-untyped-def]
    """Add the light and the bias pattern along_y @ along_x, in place."""
    for j in range(counts.shape[0]):
        for i in range(counts.shape[1]):
            counts[j, i] += electrons[j, i] * per_electron
        for k in range(along_x.shape[0]):
            for i in range(counts.shape[1]):
                counts[j, i] += along_y[j, k] * along_x[k, i]


@njit(cache=True, nogil=True)
def _digitise(raw, counts):  # type: ignore[no-untyped-def]
    """Round to whole numbers of 16 bits."""
    for j in range(counts.shape[0]):
        for i in range(counts.shape[1]):
            raw[j, i] = np.uint16(min(max(np.rint(counts[j, i]), 0.0), 65535.0))


def _mark_saturated(raw: np.ndarray, marked: np.ndarray, amplifier: Amplifier) -> None:
    over = raw[amplifier.science.slices] >= min(amplifier.saturation_adu, 65535)
    marked[amplifier.trimmed.slices][over] |= np.uint8(Bit.SATURATED)
