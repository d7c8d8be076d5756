"""Values become brightness for the eye."""

import math
from dataclasses import dataclass

import numpy as np
from astropy.visualization import ZScaleInterval

from marserver.errors import Invalid

STRETCHES = ("linear", "asinh", "log", "sqrt")
LARGEST = 1e30
ZSCALE_SAMPLE = 5000


@dataclass(frozen=True)
class Stretch:
    """Black, white, and the curve between."""

    low: float
    high: float
    curve: str = "linear"

    def __post_init__(self) -> None:
        """Raise Invalid unless it can be shown."""
        if self.curve not in STRETCHES:
            raise Invalid(f"stretch must be one of {', '.join(STRETCHES)}")
        if not all(math.isfinite(limit) and abs(limit) <= LARGEST for limit in (self.low, self.high)):
            raise Invalid("low and high must be numbers")
        if not self.low < self.high:
            raise Invalid("low must be below high")


def brightness(values: np.ndarray, stretch: Stretch) -> np.ndarray:
    """uint8 from 0 at `low` to 255 at `high`; what is no number is black.

    With t from 0 to 1 between the limits: t, sqrt(t), asinh(10 t) / asinh(10), log(1 + 1000 t) / log(1001),
    the curves of SAOImage DS9.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        part = (values.astype(np.float64) - stretch.low) / (stretch.high - stretch.low)
    part = np.clip(np.nan_to_num(part, nan=0.0), 0, 1)
    if stretch.curve == "sqrt":
        part = np.sqrt(part)
    elif stretch.curve == "asinh":
        part = np.arcsinh(10 * part) / np.arcsinh(10)
    elif stretch.curve == "log":
        part = np.log1p(1000 * part) / np.log(1001)
    return (255 * part + 0.5).astype(np.uint8)


def usual_limits(sample: np.ndarray) -> dict[str, list[float]]:
    """Limits by name for a sample of pixels: zscale (as IRAF), percentiles, all.

    Zeros stand for no data in tiles and are left out where there is anything else.
    """
    known = np.asarray(sample[np.isfinite(sample)], np.float64)
    known = known[known != 0] if known.any() else np.zeros(1)
    found = {"zscale": ZScaleInterval(n_samples=ZSCALE_SAMPLE).get_limits(known)}
    found["99 %"] = np.percentile(known, [0.5, 99.5])
    found["99.8 %"] = np.percentile(known, [0.1, 99.9])
    found["all"] = known.min(), known.max()
    return {name: _apart(float(low), float(high)) for name, (low, high) in found.items()}


def _apart(low: float, high: float) -> list[float]:
    """Limits that differ, in six digits."""
    low, high = float(f"{low:.6g}"), float(f"{high:.6g}")
    return [low, high] if low < high else [low, low + max(1e-6 * abs(low), 1.0)]
