"""The five statistics of an image: its levels and its noise, and how evenly both are spread over it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from mar.camera import Camera, Section
from mar.frame import CardValue
from mar.kernels.boxes import box_statistics, clipped, mode_of
from mar.masks import UNUSABLE, Bit

BOXES = 8  # boxes along the shorter side
SMALLEST_BOX, LARGEST_BOX = 32, 256  # pixels
SAMPLE = 48  # pixels of a box that are looked at, along each side
LEAST = 30  # usable pixels that a box needs
EXCLUDED = int(UNUSABLE | Bit.HOLE)

Level = Literal["none", "mode", "median", "mean"]


class Statistics(NamedTuple):
    """The five statistics, all in the image's unit; NaN where there was no usable pixel."""

    mode: float  #: NCMODE: average over the boxes of their modes
    median: float  #: NCMIDPT: average of their medians
    noise: float  #: NCNOISE: average of their noises
    median_rms: float  #: NCMIDRMS: rms of the medians from box to box
    noise_rms: float  #: NCNOIRMS: rms of the noises from box to box

    def cards(self, prefix: str = "MAR QC") -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards; unknown numbers are left out."""
        named = {
            "NCMODE": (self.mode, "average mode of the boxes"),
            "NCMIDPT": (self.median, "average median of the boxes"),
            "NCNOISE": (self.noise, "average noise of the boxes"),
            "NCMIDRMS": (self.median_rms, "rms of the medians"),
            "NCNOIRMS": (self.noise_rms, "rms of the noises"),
        }
        return {
            f"{prefix} {word}": (float(f"{value:.7g}"), comment)
            for word, (value, comment) in named.items()
            if np.isfinite(value)
        }


def measure(
    data: np.ndarray,
    mask: np.ndarray | None = None,
    bits: int = EXCLUDED,
    section: Section | None = None,
) -> Statistics:
    """The five statistics of an image (ny, nx), or of a section of it, over a grid of boxes.

    The grid has 8 boxes along the shorter side, of 32 to 256 pixels; of each box some 2300 pixels are looked
    at, clipped at 3 sigma about their median. Mode = 2.5 median - 1.5 mean (Bertin & Arnouts 1996, after
    Kendall & Stuart), noise = standard deviation corrected for the cut. Pixels that are not finite, or with
    any of `bits` in the mask, are left out; boxes with fewer than 30 usable pixels are not counted.
    """
    image = np.ascontiguousarray(data, dtype=np.float32)
    x0, x1, y0, y1 = section or (0, image.shape[1], 0, image.shape[0])
    size = int(np.clip(min(y1 - y0, x1 - x0) // BOXES, SMALLEST_BOX, LARGEST_BOX))
    y_edges, x_edges = y0 + _edges(y1 - y0, size), x0 + _edges(x1 - x0, size)
    out = np.empty((len(y_edges) - 1, len(x_edges) - 1, 3))
    unmasked = np.zeros((0, 0), dtype=np.uint8)
    step = max(1, size // SAMPLE)
    box_statistics(image, unmasked if mask is None else mask, bits, y_edges, x_edges, step, LEAST, out)
    return _over_boxes(out.reshape(-1, 3))


def _edges(length: int, size: int) -> np.ndarray:
    return np.linspace(0, length, max(1, round(length / size)) + 1).astype(np.int64)


def _over_boxes(boxes: np.ndarray) -> Statistics:
    known = boxes[np.isfinite(boxes[:, 1])]
    if len(known) == 0:
        return Statistics(*[float("nan")] * 5)
    mode, median, noise = known.mean(axis=0)
    _, median_rms, noise_rms = known.std(axis=0)
    return Statistics(float(mode), float(median), float(noise), float(median_rms), float(noise_rms))


def per_amplifier(data: np.ndarray, camera: Camera, mask: np.ndarray | None = None) -> dict[str, Statistics]:
    """The five statistics of each amplifier of a trimmed image, by the amplifier's id."""
    return {amplifier.id: measure(data, mask, section=amplifier.trimmed) for amplifier in camera.amplifiers}


def cards(
    data: np.ndarray, camera: Camera, mask: np.ndarray | None = None, whole: Statistics | None = None
) -> Mapping[str, CardValue | tuple[CardValue, str]]:
    """`MAR QC NC...` of the whole trimmed image and `MAR QC OUTn NC...` of each amplifier.

    `whole` are the statistics of the image where they are known already.
    """
    found = dict((whole or measure(data, mask)).cards())
    for name, statistics in per_amplifier(data, camera, mask).items():
        found |= statistics.cards(f"MAR QC {name}")
    return found


def level_of(values: np.ndarray, kind: Level) -> float:
    """Mode, median or mean of the values within 3 sigma of their median; 0 for `none`, NaN of nothing."""
    if kind == "none":
        return 0.0
    median, mean, sigma, _ = clipped(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return float({"mode": mode_of(median, mean, sigma), "median": median, "mean": mean}[kind])
