"""Paths across a frame, and the light along and beside them."""

from dataclasses import dataclass

import numpy as np

from mar.config.trails import Trails
from mar.kernels.strips import piece_levels
from mar.masks import Bit

LEVEL = 0.3  # part of the pixels along a piece below its level: a trail shines along it all, stars along less
GAUSS = 1.4826  # standard deviation of normal noise over its median absolute deviation
KNEE = 2.0  # sigmas from where on more light in a piece counts less and less, or one star would win
LEFT_OUT = Bit.BAD | Bit.SATURATED


@dataclass(frozen=True)
class Path:
    """A curve from edge to edge of the frame: start + t * direction + offset(t) * normal, in pixels."""

    start: tuple[float, float]  #: (x, y)
    direction: tuple[float, float]
    length: float
    bend: tuple[float, ...] = (0.0,)  #: offset as a polynomial in 2 t / length - 1, lowest power first

    @classmethod
    def between(cls, start: tuple[float, float], end: tuple[float, float]) -> "Path":
        """The straight path from one point to another."""
        length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        return cls(start, ((end[0] - start[0]) / length, (end[1] - start[1]) / length), length)

    @property
    def chord(self) -> np.ndarray:
        """Start, direction and length, as kernels take them."""
        return np.array([*self.start, *self.direction, self.length])

    @property
    def curve(self) -> np.ndarray:
        """The bend, as kernels take it."""
        return np.array(self.bend, dtype=np.float64)

    def points(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of the points of the curve at `t`."""
        beside = np.polynomial.polynomial.polyval(2 * t / self.length - 1, self.curve)
        (x0, y0), (dx, dy) = self.start, self.direction
        return x0 + dx * t - dy * beside, y0 + dy * t + dx * beside

    def moved(self, bend: np.ndarray) -> "Path":
        """The same chord with that polynomial added to the bend."""
        total = np.polynomial.polynomial.polyadd(self.curve, bend)
        return Path(self.start, self.direction, self.length, tuple(float(value) for value in total))

    def across_the_frame(self, shape: tuple[int, int]) -> "Path":
        """The straight line through the ends of the path, from edge to edge of the frame."""
        x, y = self.points(np.array([0.0, self.length]))
        direction = np.array([x[1] - x[0], y[1] - y[0]])
        direction /= np.hypot(*direction)
        ends = Path((float(x[0]), float(y[0])), (float(direction[0]), float(direction[1])), 1.0)
        return ends.cut_out(shape, -np.inf, np.inf)

    def within(self, shape: tuple[int, int]) -> "Path":
        """What of a straight path lies in the frame; it must touch the frame."""
        return self.cut_out(shape, 0.0, self.length)

    def cut_out(self, shape: tuple[int, int], low: float, high: float) -> "Path":
        """The part from `low` to `high` along the straight line that lies in the frame."""
        for at, along, size in zip(self.start, self.direction, shape[::-1], strict=True):
            if abs(along) > 1e-9:
                ends = sorted((edge - at) / along for edge in (-0.5, size - 0.5))
                low, high = max(low, ends[0]), min(high, ends[1])
        (x0, y0), (dx, dy) = self.start, self.direction
        return Path((float(x0 + low * dx), float(y0 + low * dy)), self.direction, float(high - low))


@dataclass(frozen=True)
class Pieces:
    """Profiles across the pieces of a path: levels along each piece, minus the sky on both sides."""

    t: np.ndarray  #: (pieces,) middle of each, pixels along the path
    across: np.ndarray  #: (offsets,) pixels beside the path
    profiles: np.ndarray  #: (pieces, offsets) ADU, NaN where nothing is known
    flank: np.ndarray  #: (offsets,) bool, which offsets are sky
    noise: np.ndarray  #: (pieces,) one sigma of a value of the profile, inf where unknown
    sigma: float  #: one sigma of a pixel of sky

    @classmethod
    def along(
        cls,
        path: Path,
        data: np.ndarray,
        mask: np.ndarray,
        number: int,
        config: Trails,
        level: float = LEVEL,
    ) -> "Pieces":
        """Cut a path into `number` equal pieces; `data` (ny, nx) ADU, `mask` uint8.

        `level` is the part of the pixels along a piece that lie below what is taken for its light.
        """
        steps = max(1, int(path.length / number))
        reach = config.largest_width // 2 + config.flank
        levels = np.empty((number, 2 * reach + 1))
        spread = np.empty(number)
        bits = int(LEFT_OUT | Bit.TRAIL | Bit.OBJECT)
        piece_levels(data, mask, bits, path.chord, path.curve, steps, config.flank, level, levels, spread)
        across = np.arange(-reach, reach + 1.0)
        flank = np.abs(across) > reach - config.flank
        sides = [median_of_known(levels[:, flank & (across * side > 0)], 1) for side in (-1, 1)]
        # along the border of the frame one side is all there is
        known = [np.where(np.isnan(side), other, side) for side, other in (sides, sides[::-1])]
        profiles = levels - ((known[0] + known[1]) / 2)[:, None]
        noise = GAUSS * median_of_known(np.abs(profiles[:, flank]), 1)
        noise[~(noise > 0)] = np.inf
        sigma = float(median_of_known(spread[None, :], 1)[0])
        t = (np.arange(number) + 0.5) * path.length / number
        return cls(t, across, profiles, flank, noise, sigma)

    @property
    def length_px(self) -> float:
        """Of a piece."""
        return float(2 * self.t[0])

    def amplitude(self, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean light of each piece over the offsets `core`, and its noise; inf where too little is known."""
        light = self.profiles[:, core]
        known = np.count_nonzero(~np.isnan(light), axis=1)
        mean = np.nansum(light, axis=1) / np.maximum(known, 1)
        return mean, np.where(2 * known >= light.shape[1], self.noise / np.sqrt(np.maximum(known, 1)), np.inf)

    def scores(self, box: int) -> np.ndarray:
        """Significance of the light in `box` offsets about each offset, great values held down."""
        known = np.nan_to_num(self.profiles)
        sums = np.cumsum(np.pad(known, ((0, 0), (box // 2 + 1, (box - 1) // 2))), axis=1)
        light = (sums[:, box:] - sums[:, :-box]) / (self.noise[:, None] * np.sqrt(box))
        return np.asarray(KNEE * np.arcsinh(light / KNEE))


def median_of_known(values: np.ndarray, axis: int) -> np.ndarray:
    """Median along `axis` of what is not NaN; NaN where nothing is."""
    ordered = np.sort(values, axis=axis)  # NaN come last
    known = np.count_nonzero(~np.isnan(values), axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0), axis)
    high = np.take_along_axis(ordered, np.minimum(known // 2, values.shape[axis] - 1), axis)
    return np.where(known > 0, (low + high) / 2, np.nan).squeeze(axis)
