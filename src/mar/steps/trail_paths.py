"""Paths across a frame, and the light along and beside them."""

from dataclasses import dataclass

import numpy as np

from mar.config.trails import Trails
from mar.masks import Bit
from mar.steps.trail_lines import LEFT_OUT, Line

GAUSS = 1.4826  # standard deviation of normal noise over its median absolute deviation


@dataclass(frozen=True)
class Path:
    """A curve from edge to edge of the frame: start + t * direction + offset(t) * normal, in pixels."""

    start: tuple[float, float]  #: (x, y)
    direction: tuple[float, float]
    length: float
    bend: tuple[float, ...] = (0.0,)  #: offset as a polynomial in 2 t / length - 1, lowest power first

    def offset(self, t: np.ndarray) -> np.ndarray:
        """Pixels that the curve lies beside its chord."""
        return np.polynomial.polynomial.polyval(2 * t / self.length - 1, np.array(self.bend))

    def pixels(self, t: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest pixels (y, x) of the points `across` pixels beside the curve, (t, across) int."""
        dx, dy = self.direction
        beside = self.offset(t)[:, None] + across[None, :]
        x = self.start[0] + dx * t[:, None] - dy * beside
        y = self.start[1] + dy * t[:, None] + dx * beside
        return np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)

    def beside(self, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        """Pixels that the points lie beside the curve, positive along the normal."""
        dx, dy = self.direction
        along = (xs - self.start[0]) * dx + (ys - self.start[1]) * dy
        return (ys - self.start[1]) * dx - (xs - self.start[0]) * dy - self.offset(along)


def straight(line: Line, shape: tuple[int, int]) -> Path:
    """The chord that `line` cuts out of the frame."""
    ny, nx = shape
    normal = np.array([np.cos(line.angle_rad), np.sin(line.angle_rad)])
    direction = np.array([-normal[1], normal[0]])
    middle = np.array([(nx - 1) / 2, (ny - 1) / 2]) + line.distance_px * normal
    low, high = -np.inf, np.inf
    for axis, size in ((0, nx), (1, ny)):
        if abs(direction[axis]) > 1e-9:
            ends = sorted((edge - middle[axis]) / direction[axis] for edge in (-0.5, size - 0.5))
            low, high = max(low, ends[0]), min(high, ends[1])
    start = middle + low * direction
    return Path((float(start[0]), float(start[1])), (float(direction[0]), float(direction[1])), high - low)


def inside(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return (ys >= 0) & (xs >= 0) & (ys < shape[0]) & (xs < shape[1])


@dataclass(frozen=True)
class Pieces:
    """Profiles across the pieces of a path: medians along each piece, minus the sky on both sides."""

    t: np.ndarray  #: (pieces,) middle of each, pixels along the path
    across: np.ndarray  #: (offsets,) pixels beside the path
    profiles: np.ndarray  #: (pieces, offsets) ADU, NaN where nothing is known
    flank: np.ndarray  #: (offsets,) bool, which offsets are sky
    noise: np.ndarray  #: (pieces,) one sigma of a value of the profile
    sigma: float  #: one sigma of a pixel of sky

    @classmethod
    def along(
        cls, path: Path, data: np.ndarray, mask: np.ndarray, piece_px: float, config: Trails
    ) -> "Pieces":
        number = max(1, round(path.length / piece_px))
        steps = max(1, int(path.length / number))
        t = (np.arange(number * steps) + 0.5) * path.length / (number * steps)
        reach = config.largest_width // 2 + config.flank
        across = np.arange(-reach, reach + 1.0)
        strip = _strip(path, data, mask, t, across).reshape(number, steps, across.size)
        medians = median_of_known(strip, 1)
        flank = np.abs(across) > reach - config.flank
        sides = [median_of_known(medians[:, flank & (across * side > 0)], 1) for side in (-1, 1)]
        sky = (sides[0] + sides[1]) / 2
        profiles = medians - sky[:, None]
        noise = GAUSS * median_of_known(np.abs(profiles[:, flank]), 1)
        pixels = np.abs(strip[:, :, flank] - sky[:, None, None]).reshape(1, -1)
        sigma = float(GAUSS * median_of_known(pixels, 1)[0])
        return cls(t.reshape(number, steps).mean(axis=1), across, profiles, flank, noise, sigma)


def _strip(path: Path, data: np.ndarray, mask: np.ndarray, t: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Pixels along and across the path, (t, across) float32, NaN where masked or outside."""
    ys, xs = path.pixels(t, across)
    known = inside(ys, xs, data.shape)
    ys[~known] = xs[~known] = 0
    values = data[ys, xs].astype(np.float32)
    values[~known | ((mask[ys, xs] & np.uint8(LEFT_OUT | Bit.TRAIL)) != 0)] = np.nan
    return values


def median_of_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Median along `axis` of what is not NaN; NaN where nothing is."""
    ordered = np.sort(values, axis=axis)  # NaN come last
    known = np.count_nonzero(~np.isnan(values), axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0), axis)
    high = np.take_along_axis(ordered, np.minimum(known // 2, values.shape[axis] - 1), axis)
    return np.where(known > 0, (low + high) / 2, np.nan).squeeze(axis)
