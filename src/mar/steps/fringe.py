"""Subtract fringes: the band's pattern times an amplitude fitted to the frame's own sky."""

from typing import NamedTuple

import numpy as np

from mar.config.fringe import Fringe
from mar.frame import Frame, check_same_shape
from mar.masks import UNUSABLE, Bit
from mar.steps.sky_polynomial import terms, unit
from mar.steps.smoothing import noise_left

LEFT_OUT = int(UNUSABLE | Bit.HOLE | Bit.OBJECT)
SIGNIFICANT = 5.0  # sigmas that an amplitude needs to be believed
MOST_BLOCKS = 300_000  # blocks that take part in the fit
CLIP_SIGMA = 2.5
ROUNDS = 20
MOST_NOISE = 0.5  # of the pattern's variance that may be noise


class Amplitude(NamedTuple):
    """How strong the fringes of a frame are."""

    value: float  #: ADU per unit of the pattern
    error: float  #: ADU

    @property
    def significant(self) -> bool:
        """Whether there are fringes at all."""
        return self.value > SIGNIFICANT * self.error


def subtract_fringe(frame: Frame, superflat: Frame, config: Fringe) -> Frame:
    """Subtract amplitude x pattern from a flat-fielded frame (ADU) that still has its sky.

    The amplitude comes from a robust linear regression of the sky, averaged in blocks, on the pattern and a
    polynomial of second degree together; masked pixels and objects are left out. An amplitude below 5 sigma
    leaves the pixels as they are. The cards `MAR FRINGE` (the superflat and its checksum, or `none seen`),
    `MAR FRINGE AMP` and `MAR FRINGE ERR` (ADU) say what was done. Raises BadImage where the shapes differ.
    """
    check_same_shape(frame, superflat)
    amplitude = fringe_amplitude(frame, superflat, config)
    cards = {
        "MAR FRINGE AMP": (float(f"{amplitude.value:.5g}"), "[ADU] rms of the fringes"),
        "MAR FRINGE ERR": (float(f"{amplitude.error:.3g}"), "[ADU]"),
    }
    if not amplitude.significant:
        return frame.with_cards({"MAR FRINGE": ("none seen", "pixels left as they were"), **cards})
    data = superflat.data * np.float32(-amplitude.value)
    data += frame.data
    said = f"{superflat.label} {superflat.checksum}".strip() or "done"
    return frame.replace(data=data).with_cards({"MAR FRINGE": said, **cards})


def fringe_amplitude(frame: Frame, superflat: Frame, config: Fringe) -> Amplitude:
    """The amplitude of the pattern in a frame; 0 with an error of 0 where there is no sky to measure."""
    design, sky = _blocks(frame, superflat, config.blockavgy, config.blockavgx)
    if len(sky) < 10 * design.shape[1]:
        return Amplitude(0.0, 0.0)
    centre = np.median(sky)
    kept = np.abs(sky - centre) <= 5 * 1.4826 * np.median(np.abs(sky - centre)) + 1e-6
    for _ in range(ROUNDS):
        coefficients = np.linalg.lstsq(design[kept], sky[kept], rcond=None)[0]
        off = np.abs(sky - design @ coefficients)
        sigma = 1.4826 * float(np.median(off[kept])) + 1e-9
        still = off <= CLIP_SIGMA * sigma
        if (still == kept).all() or still.sum() < 10 * design.shape[1]:
            break
        kept = still
    inner = np.linalg.pinv(design[kept].T @ design[kept])
    # noise in the pattern makes the fitted amplitude too small by the noise's share of the variance
    share = min(MOST_NOISE, inner[0, 0] * kept.sum() * _noise_in_blocks(frame, superflat, config))
    return Amplitude(float(coefficients[0]) / (1 - share), sigma * float(np.sqrt(inner[0, 0])) / (1 - share))


def _noise_in_blocks(frame: Frame, superflat: Frame, config: Fringe) -> float:
    """Variance of the superflat's own noise in a block.

    None is counted for a frame that the superflat was made from: that the two share noise makes up for it.
    """
    header = superflat.header
    name = frame.exposure.name if frame.exposure else frame.label.split(".fits")[0]
    if "MAR FRINGE NOISE" not in header or name in header["COMB_*"].values():
        return 0.0
    white = float(header["MAR FRINGE NOISE"]) ** 2
    return white * noise_left(int(header["MAR FRINGE WIDTH"]), config.blockavgy, config.blockavgx)


def _blocks(frame: Frame, superflat: Frame, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Design matrix (pattern and sky terms) and sky of blocks that are at least half usable."""
    ny, nx = (frame.data.shape[0] // height, frame.data.shape[1] // width)
    stride = max(1, -(-ny * nx // MOST_BLOCKS))
    design, sky = [], []
    for j in range(0, ny, stride):
        rows = slice(j * height, (j + 1) * height)
        values, pattern = frame.data[rows, : nx * width], superflat.data[rows, : nx * width]
        good = np.isfinite(values) & np.isfinite(pattern)
        for mask in (frame.mask, superflat.mask):
            if mask is not None:
                good &= (mask[rows, : nx * width] & np.uint8(LEFT_OUT)) == 0
        count = _summed(good, nx)
        usable = 2 * count >= height * width
        level = _summed(np.where(good, values, 0), nx)[usable] / count[usable]
        fringe = _summed(np.where(good, pattern, 0), nx)[usable] / count[usable]
        x = unit(np.flatnonzero(usable), nx)
        design.append(np.column_stack([fringe, terms(np.full(len(x), unit(np.array(j), ny)), x)]))
        sky.append(level)
    return np.concatenate(design), np.concatenate(sky)


def _summed(values: np.ndarray, blocks: int) -> np.ndarray:
    """Sums over the rows and over equal parts of the columns."""
    return values.sum(axis=0, dtype=np.float64).reshape(blocks, -1).sum(axis=1)
