"""Combine the frames of a stack into one, leaving out what does not belong."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mar.errors import BadConfig, BadImage, NotEnoughFrames
from mar.kernels import stack as kernel

METHODS = {"median": kernel.MEDIAN, "mean": kernel.MEAN}
REJECTIONS = {
    "none": kernel.NONE,
    "minmax": kernel.MINMAX,
    "sigclip": kernel.SIGCLIP,
    "avsigclip": kernel.AVSIGCLIP,
    "ccdclip": kernel.CCDCLIP,
}


class Rejection(NamedTuple):
    """What is left out of a pixel before its values are combined.

    All clipping is about the median and is repeated until nothing more goes, as in IRAF's imcombine with
    `mclip` on:

    - `sigclip`: sigma is the standard deviation of the pixel's own values; needs 3 of them.
    - `avsigclip`: sigma is that of the whole row of the image, scaled from pixel to pixel by the square root
      of the level (at least 1 ADU), as Poisson noise goes; needs 3 values.
    - `ccdclip`: sigma^2 = (read noise / gain)^2 + level / gain in ADU^2; needs 2 values.
    - `minmax`: the `nlow` lowest and the `nhigh` highest values go; of a pixel with masked values the same
      fraction of what is there.
    - `none`.
    """

    kind: str = "avsigclip"
    low_sigma: float = 3.0
    high_sigma: float = 3.0
    nkeep: int = 1  #: values that a pixel keeps at least; those of least residual come back
    nlow: int = 1
    nhigh: int = 1
    read_noise_e: float = 0.0
    gain: float = 1.0  #: e-/ADU

    def compiled(self) -> kernel.Rejection:
        """As the kernel takes it; raises BadConfig where the kind is unknown."""
        kind = _choose(self.kind, REJECTIONS, "rejection")
        low, high = self.low_sigma, self.high_sigma
        if kind == kernel.MINMAX:
            low, high = float(self.nlow), float(self.nhigh)
        read_noise_adu = self.read_noise_e / self.gain
        return kernel.Rejection(kind, float(low), float(high), self.nkeep, read_noise_adu, float(self.gain))


@dataclass(frozen=True)
class Combined:
    """What a stack became."""

    value: np.ndarray  #: (ny, nx) float32; NaN where no frame had a usable pixel
    count: np.ndarray  #: (ny, nx) uint16, values that were kept
    sigma: np.ndarray  #: (ny, nx) float32, standard deviation of the kept values about `value`


def combine(
    stack: np.ndarray,
    method: str = "median",
    rejection: Rejection | None = None,
    *,
    scales: np.ndarray | None = None,
    zeros: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> Combined:
    """Combine `stack` (n, ny, nx) float32, pixel by pixel, by `method` (median or mean) after `rejection`.

    A value v of frame i enters as v / scales[i] - zeros[i]; where the scaling differs between frames, the
    noise that `avsigclip` and `ccdclip` expect is that of the unscaled value. Pixels that are not finite, or
    where `masks` (of the stack's shape) is not zero, take no part. Rejection follows the description of
    IRAF's imcombine (Valdes; task immatch.imcombine). Raises NotEnoughFrames, BadImage, BadConfig.
    """
    if stack.ndim != 3 or len(stack) == 0:
        raise NotEnoughFrames("there is no frame to combine")
    rule = (rejection or Rejection()).compiled()
    n, ny, nx = stack.shape
    if masks is None:
        masks = np.zeros((n, ny, 0), dtype=np.uint8)
    elif masks.shape != stack.shape:
        raise BadImage(f"masks of shape {masks.shape} do not fit a stack of shape {stack.shape}")
    scaling = kernel.Scaling(_per_frame(scales, 1.0, n), _per_frame(zeros, 0.0, n))
    value = np.empty((ny, nx), dtype=np.float32)
    count = np.empty((ny, nx), dtype=np.uint16)
    sigma = np.empty((ny, nx), dtype=np.float32)
    chosen = _choose(method, METHODS, "combine method")
    stack = np.ascontiguousarray(stack, dtype=np.float32)  # the kernel is compiled for this layout alone
    masks = np.ascontiguousarray(masks, dtype=np.uint8)
    kernel.combine_rows(stack, masks, scaling, chosen, rule, value, count, sigma)
    return Combined(value, count, sigma)


def _choose(word: str, known: dict[str, int], what: str) -> int:
    if word not in known:
        raise BadConfig(f"{what} {word!r} is unknown; choose one of {', '.join(known)}")
    return known[word]


def _per_frame(numbers: np.ndarray | None, default: float, n: int) -> np.ndarray:
    if numbers is None:
        return np.full(n, default)
    if len(numbers) != n:
        raise BadImage(f"{len(numbers)} scales or zeros were given for {n} frames")
    return np.ascontiguousarray(numbers, dtype=np.float64)
