"""Combine the frames of a stack into one, leaving out what does not belong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from mar.errors import BadConfig, BadImage, NotEnoughFrames
from mar.kernels import stack_rules as rules
from mar.kernels.stack import combine_rows
from mar.kernels.stack_plan import Results, Task

METHODS = {"median": rules.MEDIAN, "mean": rules.MEAN}
REJECTIONS = {
    "none": rules.NONE,
    "minmax": rules.MINMAX,
    "sigclip": rules.SIGCLIP,
    "avsigclip": rules.AVSIGCLIP,
    "ccdclip": rules.CCDCLIP,
    "pclip": rules.PCLIP,
}
CENTRES = {"median": False, "mean": True}

Extra = Literal["count", "sigma", "rejected"]
Number = TypeVar("Number", int, bool)


class Rejection(NamedTuple):
    """What is left out of a pixel before its values are combined, in the words of IRAF's imcombine.

    - `sigclip`: sigma is the standard deviation of the pixel's own values; needs 3 of them.
    - `avsigclip`: sigma is that of the whole row of the image, scaled from pixel to pixel by the square root
      of the level (at least 1 ADU), as Poisson noise goes; needs 3 values.
    - `ccdclip`: sigma^2 = (read noise / gain)^2 + level / gain + (sensitivity x level)^2 in ADU^2; needs 2.
    - `pclip`: sigma is the distance of the value `pclip` places from the median; one round; needs 3 values.
    - `minmax`: the `nlow` lowest and the `nhigh` highest values go; of a pixel with masked values the same
      fraction of what is there.
    - `none`.
    """

    kind: str = "avsigclip"
    low_sigma: float = 3.0
    high_sigma: float = 3.0
    nkeep: int = 1  #: values that a pixel keeps at least; negative: that many may go at most
    nlow: int = 1
    nhigh: int = 1
    read_noise_e: float = 0.0
    gain: float = 1.0  #: e-/ADU
    sensitivity: float = 0.0  #: noise as a fraction of the signal, for `ccdclip` (imcombine's snoise)
    centre: str = "median"  #: clip about the median, or the mean, at first without the extremes (mclip)
    rounds: int = 0  #: of clipping at most; 0 is until nothing more goes
    pclip: float = (
        -0.5
    )  #: places from the median, below it if negative; below 1 a fraction of half the frames
    sigscale: float = (
        0.1  #: noise is that of unscaled values if any scale is farther than this from 1; 0: never
    )

    def compiled(self, scales: np.ndarray) -> rules.Rejection:
        """As the kernel takes it for frames of these scales; raises BadConfig where a word is unknown."""
        kind = _choose(self.kind, REJECTIONS, "rejection")
        low, high = self.low_sigma, self.high_sigma
        if kind == rules.MINMAX:
            low, high = float(self.nlow), float(self.nhigh)
        off = np.abs(scales - 1.0).max()
        differ = bool((scales != scales[0]).any())
        return rules.Rejection(
            kind,
            float(low),
            float(high),
            self.nkeep,
            self.read_noise_e / self.gain,
            float(self.gain),
            float(self.sensitivity),
            _choose(self.centre, CENTRES, "centre"),
            self.rounds,
            _places_from_median(self.pclip, len(scales)),
            bool(differ and 0 < self.sigscale < off),
        )


@dataclass(frozen=True)
class Combined:
    """What a stack became; maps that were not asked for are empty."""

    value: np.ndarray  #: (ny, nx) float32; NaN where no frame had a usable pixel
    count: np.ndarray  #: (ny, nx) uint16, values that were kept
    sigma: np.ndarray  #: (ny, nx) float32, standard deviation of the kept values about `value`
    rejected: np.ndarray  #: (n, ny, nx) uint8, 1 where a usable value was left out


def combine(
    stack: np.ndarray,
    method: str = "median",
    rejection: Rejection | None = None,
    *,
    scales: np.ndarray | None = None,
    zeros: np.ndarray | None = None,
    masks: np.ndarray | None = None,
    want: frozenset[Extra] | set[Extra] = frozenset(("count", "sigma")),
    threads: int = 0,
    out: np.ndarray | None = None,
) -> Combined:
    """Combine `stack` (n, ny, nx) float32, pixel by pixel, by `method` (median or mean) after `rejection`.

    A value v of frame i enters as v / scales[i] - zeros[i]. Pixels that are not finite, or where `masks` (of
    the stack's shape) is not zero, take no part. `want` names the maps wanted besides the value, which goes
    into `out` (ny, nx) float32 where given; `threads` of 0 are all. Rejection follows the description of
    IRAF's imcombine (Valdes; task immatch.imcombine). Raises NotEnoughFrames, BadImage, BadConfig.
    """
    if stack.ndim != 3 or len(stack) == 0:
        raise NotEnoughFrames("there is no frame to combine")
    n, ny, nx = stack.shape
    if masks is None:
        masks = np.zeros((n, ny, 0), dtype=np.uint8)
    elif masks.shape != stack.shape:
        raise BadImage(f"masks of shape {masks.shape} do not fit a stack of shape {stack.shape}")
    scaling = rules.Scaling(_per_frame(scales, 1.0, n), _per_frame(zeros, 0.0, n))
    task = Task(
        np.ascontiguousarray(stack, dtype=np.float32),  # the kernel is compiled for this layout alone
        np.ascontiguousarray(masks, dtype=np.uint8),
        scaling,
        _choose(method, METHODS, "combine method"),
        (rejection or Rejection()).compiled(scaling.scales),
    )
    direct = out is not None and out.flags.c_contiguous
    results = Results(
        out if out is not None and direct else np.empty((ny, nx), dtype=np.float32),
        np.empty((ny, nx) if "count" in want else (0, 0), dtype=np.uint16),
        np.empty((ny, nx) if "sigma" in want else (0, 0), dtype=np.float32),
        np.zeros((n, ny, nx) if "rejected" in want else (0, 0, 0), dtype=np.uint8),
    )
    combine_rows(task, results, threads)
    if out is not None and not direct:
        out[...] = results.value
        results = results._replace(value=out)
    return Combined(*results)


def _choose(word: str, known: Mapping[str, Number], what: str) -> Number:
    if word not in known:
        raise BadConfig(f"{what} {word!r} is unknown; choose one of {', '.join(known)}")
    return known[word]


def _places_from_median(pclip: float, n: int) -> int:
    """A number of places, at least one; raises BadConfig for 0."""
    if pclip == 0:
        raise BadConfig(
            "pclip of 0 would clip at the median; choose places, or a fraction, below or above it"
        )
    half = n // 2
    places = pclip * half if abs(pclip) < 1 else pclip
    return min(-1, max(-half, int(places))) if pclip < 0 else max(1, min(half, int(places)))


def _per_frame(numbers: np.ndarray | None, default: float, n: int) -> np.ndarray:
    if numbers is None:
        return np.full(n, default)
    if len(numbers) != n:
        raise BadImage(f"{len(numbers)} scales or zeros were given for {n} frames")
    return np.ascontiguousarray(numbers, dtype=np.float64)
