"""Subtract fringes: the band's pattern times an amplitude fitted to the frame's own sky."""

import logging
from typing import NamedTuple

import numpy as np

from mar.config.fringe import Fringe
from mar.frame import Frame, check_same_shape
from mar.kernels.fringe import block_means, subtract_pattern
from mar.masks import UNUSABLE, Bit
from mar.steps.sky_polynomial import unit

log = logging.getLogger(__name__)

LEFT_OUT = int(UNUSABLE | Bit.HOLE | Bit.OBJECT)
SIGNIFICANT = 5.0  # sigmas that an amplitude needs to be believed
MOST_NOISE = 0.5  # of the pattern's variance that may be noise: more, and it would add noise
MOST_BLOCKS = 300_000  # blocks that take part in the fit
PARTS = 8  # parts of the frame along each side, each with a plane of its own as its sky
LEAST_BLOCKS = 40  # of a part
CLIP_SIGMA = 2.5  # of a block
CLIP_PARTS = 3.0  # sigmas of a part
ROUNDS = 20
NO_MASK = np.zeros((0, 0), dtype=np.uint8)


class Amplitude(NamedTuple):
    """How strong the fringes of a frame are."""

    value: float  #: ADU per unit of the pattern
    error: float  #: ADU

    @property
    def significant(self) -> bool:
        """Whether there are fringes at all."""
        return self.value > SIGNIFICANT * self.error


class _Part(NamedTuple):
    """What one part of a frame says."""

    value: float  # amplitude, ADU
    variance: float


def subtract_fringe(frame: Frame, superflat: Frame, config: Fringe) -> Frame:
    """Subtract amplitude x pattern from a flat-fielded frame (ADU) that still has its sky.

    An amplitude below 5 sigma, a negative one, and a pattern that is noise by more than half leave the pixels
    as they are. The cards `MAR FRINGE` (the superflat and its checksum, or why nothing was subtracted),
    `MAR FRINGE AMP` and `MAR FRINGE ERR` (ADU) say what was done. Raises BadImage where the shapes differ.
    """
    check_same_shape(frame, superflat)
    amplitude = fringe_amplitude(frame, superflat, config)
    frame = frame.with_cards(
        {
            "MAR FRINGE AMP": (float(f"{amplitude.value:.5g}"), "[ADU] rms of the fringes"),
            "MAR FRINGE ERR": (float(f"{amplitude.error:.3g}"), "[ADU]"),
        }
    )
    if not amplitude.significant:
        return _left_alone(frame, "none seen", amplitude)
    if _noise(superflat) ** 2 > MOST_NOISE:
        return _left_alone(frame, "superflat is too noisy", amplitude)
    image = np.ascontiguousarray(frame.data, dtype=np.float32)
    data = np.empty(image.shape, dtype=np.float32)
    subtract_pattern(image, _pattern(superflat), np.float32(amplitude.value), data)
    said = f"{superflat.label} {superflat.checksum}".strip() or "done"
    return frame.replace(data=data).with_cards({"MAR FRINGE": said})


def _left_alone(frame: Frame, reason: str, amplitude: Amplitude) -> Frame:
    log.info(
        "%s: fringes left alone, %s (amplitude %.3g +- %.2g ADU)",
        frame.label or "frame",
        reason,
        amplitude.value,
        amplitude.error,
    )
    return frame.with_cards({"MAR FRINGE": (reason, "pixels left as they were")})


def fringe_amplitude(frame: Frame, superflat: Frame, config: Fringe) -> Amplitude:
    """The amplitude of the pattern in a frame; 0 with an error of 0 where there is no sky to measure.

    Robust linear regression of the sky, averaged in blocks, on the pattern and a plane, in each of 8 x 8
    parts of the frame; masked pixels are left out, and blocks beyond 2.5 sigma (objects) too. The amplitude
    is the mean of the parts, weighted by their variances, without those beyond 3 sigma of the weighted
    median (a galaxy, a cloud of stars); its error counts the scatter of the parts where that is more than
    their own. Noise in the pattern makes the fitted amplitude too small by the noise's share of the pattern's
    variance (Fuller 1987, Measurement Error Models), and is corrected for.
    """
    blocks, ys = _blocks(frame, superflat, config.blockavgy, config.blockavgx)
    parts = []
    for rows in np.array_split(np.arange(len(ys)), min(PARTS, max(1, len(ys)))):
        for columns in np.array_split(np.arange(blocks.shape[1]), PARTS):
            part = _fit_part(blocks[np.ix_(rows, columns)], ys[rows])
            if part is not None:
                parts.append(part)
    noise = 0.0 if _made_from(superflat, frame) else min(MOST_NOISE, _noise(superflat) ** 2)
    seen = _agreed(parts)
    return Amplitude(seen.value / (1 - noise), seen.error / (1 - noise))


def _blocks(frame: Frame, superflat: Frame, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean sky and pattern of blocks (rows, columns, 2), and where these rows of blocks stand (-1 to 1)."""
    ny, nx = frame.data.shape[0] // height, frame.data.shape[1] // width
    chosen = np.arange(0, ny, max(1, -(-ny * nx // MOST_BLOCKS)))
    out = np.empty((chosen.size, nx, 2))
    block_means(
        np.ascontiguousarray(frame.data, dtype=np.float32),
        NO_MASK if frame.mask is None else frame.mask,
        _pattern(superflat),
        NO_MASK if superflat.mask is None else superflat.mask,
        LEFT_OUT,
        (height, width),
        chosen,
        out,
    )
    return out, unit(chosen, ny)


def _pattern(superflat: Frame) -> np.ndarray:
    return np.ascontiguousarray(superflat.data, dtype=np.float32)


def _fit_part(blocks: np.ndarray, ys: np.ndarray) -> _Part | None:
    """The amplitude in one part of the frame (rows, columns, 2); None where too little of it is sky."""
    sky, fringe = (blocks[..., n].ravel() for n in (0, 1))
    known = np.isfinite(sky)
    if known.sum() < LEAST_BLOCKS:
        return None
    y, x = np.meshgrid(ys, unit(np.arange(blocks.shape[1]), blocks.shape[1]), indexing="ij")
    design = np.column_stack([fringe, np.ones(sky.size), x.ravel(), y.ravel()])[known]
    sky = sky[known] - np.median(sky[known])
    kept = np.abs(sky) <= 5 * 1.4826 * np.median(np.abs(sky)) + 1e-6
    for _ in range(ROUNDS):
        coefficients = np.linalg.lstsq(design[kept], sky[kept], rcond=None)[0]
        off = np.abs(sky - design @ coefficients)
        sigma = 1.4826 * float(np.median(off[kept])) + 1e-9
        still = off <= CLIP_SIGMA * sigma
        if (still == kept).all() or still.sum() < LEAST_BLOCKS:
            break
        kept = still
    inverse = float(np.linalg.pinv(design[kept].T @ design[kept])[0, 0])
    return _Part(float(coefficients[0]), inverse * sigma**2) if inverse > 0 else None


def _agreed(parts: list[_Part]) -> Amplitude:
    """What the parts agree on, by their weights."""
    if not parts:
        return Amplitude(0.0, 0.0)
    values, variances = np.array(parts).T
    middle = _weighted_median(values, 1 / variances)
    off = np.abs(values - middle) / np.sqrt(variances)
    scatter = max(1.0, 1.4826 * float(np.median(off)))
    kept = off <= CLIP_PARTS * scatter
    weights = 1 / variances[kept]
    value = float(np.average(values[kept], weights=weights))
    return Amplitude(value, scatter / float(np.sqrt(weights.sum())))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def _noise(superflat: Frame) -> float:
    """One sigma of the noise in the pattern, of rms 1, as its header tells."""
    return float(superflat.header.get("MAR FRINGE NOISE", 0.0))


def _made_from(superflat: Frame, frame: Frame) -> bool:
    """Whether the superflat was made from this frame: that the two share noise makes up for its noise."""
    name = frame.exposure.name if frame.exposure else frame.label.split(".fits")[0]
    return name in superflat.header["COMB_*"].values()
