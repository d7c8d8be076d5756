"""What the kernels of a stack know of the rejection that is asked for."""

from typing import NamedTuple

import numpy as np

MEDIAN, MEAN = 0, 1
NONE, MINMAX, SIGCLIP, AVSIGCLIP, CCDCLIP, PCLIP = 0, 1, 2, 3, 4, 5


class Rejection(NamedTuple):
    """What a value must be like to be left out of its pixel."""

    kind: int  #: NONE, MINMAX, SIGCLIP, AVSIGCLIP, CCDCLIP or PCLIP
    low: float  #: sigmas below the centre; with MINMAX the number of lowest values to drop
    high: float  #: sigmas above the centre; with MINMAX the number of highest values to drop
    nkeep: int  #: values that a pixel keeps at least, if it has them; negative: that many may go at most
    read_noise_adu: float
    gain: float  #: e-/ADU
    sensitivity: float  #: noise in proportion to the signal, CCDCLIP
    about_mean: bool  #: deviations are from the mean and not from the median
    rounds: int  #: of clipping at most; 0 is until nothing more goes
    pclip: int  #: PCLIP: places from the median to the value whose distance is the sigma
    weighted: bool  #: the noise of each frame is that of its unscaled level


class Scaling(NamedTuple):
    """A value v of frame i enters as v / scales[i] - zeros[i]."""

    scales: np.ndarray  #: (n,) float64
    zeros: np.ndarray  #: (n,) float64, scaled ADU


SHIFT, SLOPE, LEAST, OFFSET, CURVE, BASE = range(6)
"""Columns of a noise model: variance = base (offset + s + curve s^2), s = max(least, slope (v + shift))."""


def noise_model(rule: Rejection, scaling: Scaling) -> np.ndarray:
    """The variance expected of each frame's scaled values, (n, 6) float64.

    Of CCDCLIP in ADU^2, of the others in units of a sigma that the values themselves tell; the same for all
    frames unless the rule is weighted.
    """
    model = np.zeros((len(scaling.scales), 6))
    scales, zeros = scaling if rule.weighted else (np.ones_like(scaling.scales), 0.0)
    model[:, SHIFT] = zeros
    if rule.kind == CCDCLIP:
        model[:, SLOPE], model[:, BASE] = scales, 1 / (rule.gain * scales**2)
        model[:, OFFSET] = rule.read_noise_adu**2 * rule.gain
        model[:, CURVE] = rule.sensitivity**2 * rule.gain
    elif rule.kind == AVSIGCLIP or rule.weighted:
        model[:, SLOPE], model[:, LEAST], model[:, BASE] = 1 / scales, 1.0, 1.0
    else:
        model[:, OFFSET], model[:, BASE] = 1.0, 1.0
    return model


def variance(level: float, model: np.ndarray) -> float:
    """The variance of a value whose true one is `level`, by one frame's noise model (6,)."""
    signal = max(model[LEAST], model[SLOPE] * (level + model[SHIFT]))
    return model[BASE] * (model[OFFSET] + signal + model[CURVE] * signal * signal)


class Places(NamedTuple):
    """Where the order statistics of a whole pixel lie among those that were picked."""

    lowest: int
    lower: int  #: of the two in the middle of what is kept
    upper: int
    highest: int
    sigma: int  #: the value whose distance from the median is PCLIP's sigma
    first: int  #: what MINMAX keeps begins here
    kept: int  #: how many values a whole pixel keeps if none is clipped
    second: int  #: the second lowest, ...
    under: int  #: ... the one below the two in the middle, ...
    over: int  #: ... the one above them ...
    last_but_one: int  #: ... and the second highest, where they were picked


def least_kept(n: int, nkeep: int) -> int:
    """How many of n values must stay."""
    return min(n, nkeep) if nkeep >= 0 else max(0, n + nkeep)


def least_to_clip(n: int, kind: int, nkeep: int) -> int:
    """A pixel of n values is clipped only while it has that many."""
    return max(2 if kind == CCDCLIP else 3, least_kept(n, nkeep) + 1)


def after_extremes(n: int, total: int, low: float, high: float, nkeep: int) -> tuple[int, int]:
    """First and last of n sorted values that MINMAX keeps where `low` and `high` of `total` are to go."""
    dropped = int(low * n / total + 0.001), int(high * n / total + 0.001)
    if n - sum(dropped) < min(n, max(1, nkeep)):
        return 0, n - 1
    return dropped[0], n - 1 - dropped[1]


def percentile_place(n: int, pclip: int) -> int:
    """Place among n sorted values of the one `pclip` places from the median."""
    middle = n // 2
    if pclip < 0:
        return max(0, middle + pclip - (1 if n % 2 == 0 else 0))
    return min(n - 1, middle + pclip)
