"""Candidates for trails: straight lines with more bright binned pixels than chance gives."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import sep
from scipy import ndimage

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.kernels.hough import bin_mean, count_votes
from mar.masks import Bit

LEFT_OUT = Bit.BAD | Bit.SATURATED
TOUCHING = np.ones((3, 3), dtype=bool)
SPARSE = 0.25  # part of its ellipse that a group of crossing lines fills at most
STRIP = 2  # columns of votes that a line takes: a trail between two columns votes for both


class Line(NamedTuple):
    """The points with x cos(angle) + y sin(angle) = distance, measured from the centre of the frame."""

    angle_rad: float  #: of the normal, from +x towards +y
    distance_px: float


@dataclass(frozen=True)
class Points:
    """Binned pixels that vote, measured from the centre of the binned image."""

    ys: np.ndarray
    xs: np.ndarray
    shape: tuple[int, int]  #: of the binned image
    binning: int
    chance: float  #: part of the binned image that votes

    def away_from(self, line: Line, distance_px: float) -> "Points":
        """Without the points closer to `line` than `distance_px` pixels of the frame."""
        across = self.xs * np.cos(line.angle_rad) + self.ys * np.sin(line.angle_rad)
        far = np.abs(across * self.binning - line.distance_px) > distance_px
        return replace(self, ys=self.ys[far], xs=self.xs[far])


def bright_points(data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction) -> Points:
    """Binned pixels above the sky that belong to no compact object; `data` (ny, nx) in ADU, with its sky."""
    binning = max(config.least_binning, -(-max(data.shape) // config.binned_size))
    mean, count = bin_mean(data, mask, int(LEFT_OUT), binning)
    empty = count < 0.5 * binning**2
    sky = sep.Background(mean, mask=empty, bw=config.sky_mesh, bh=config.sky_mesh)
    above = (mean - sky.back()) / sky.rms()
    above[empty] = 0
    above[_compact(above, binning, config, reduction)] = 0
    ys, xs = np.nonzero(above > config.vote_sigma)
    ny, nx = mean.shape
    return Points(ys - (ny - 1) / 2, xs - (nx - 1) / 2, mean.shape, binning, ys.size / mean.size)


def _compact(above: np.ndarray, binning: int, config: Trails, reduction: Reduction) -> np.ndarray:
    """Bright groups of pixels that are not long enough for a piece of trail, grown by two pixels."""
    groups, number = ndimage.label(above > config.group_sigma, TOUCHING)
    if number == 0:
        return np.zeros(above.shape, dtype=bool)
    area, major, minor = _shapes(groups, number)
    peak = ndimage.maximum(above, groups, np.arange(number + 1))
    elongation = major / minor
    piece = (elongation >= reduction.sat_elongation) & (area * binning**2 >= reduction.sat_detect_minarea)
    piece &= 1 - 1 / elongation >= reduction.sat_ellipticity
    # trails that cross each other are one group, long both ways but nearly empty
    crossing = (area < SPARSE * np.pi / 4 * major * minor) & (major > config.least_length * min(above.shape))
    compact = (peak > config.compact_sigma) & ~piece & ~crossing
    compact[0] = False
    return ndimage.binary_dilation(compact[groups], TOUCHING, iterations=2)


def _shapes(groups: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Area, major and minor axis of each group (pixels; a filled ellipse has these axes); 0 is no group."""
    ys, xs = np.nonzero(groups)
    labels = groups[ys, xs]

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(labels, values, number + 1) / np.maximum(area, 1)

    area = np.bincount(labels, minlength=number + 1)
    y, x = mean(ys), mean(xs)
    # a pixel is not a point: its own second moment, 1/12, keeps thin groups finite
    yy, xx = mean(ys * ys) - y**2 + 1 / 12, mean(xs * xs) - x**2 + 1 / 12
    xy = mean(xs * ys) - x * y
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return area, 4 * np.sqrt(middle + spread), 4 * np.sqrt(np.maximum(middle - spread, 1 / 12))


def strongest_line(points: Points, config: Trails, reduction: Reduction) -> Line | None:
    """The line with the greatest excess of votes over chance, in sigmas; None where none is large enough."""
    diagonal = float(np.hypot(*points.shape))
    half = int(np.ceil(diagonal / 2)) + STRIP
    angles = np.arange(0, np.pi, 2 / diagonal)  # neighbours are one pixel apart at the corners
    single = count_votes(points.ys, points.xs, angles, half)
    votes = single[:, 1:] + single[:, :-1]
    distances = np.arange(-half, half) + 0.5
    length = _chords(angles, distances, points.shape)
    expected = STRIP * length * points.chance
    excess = (votes - expected) / np.sqrt(expected + 1)
    excess[length < config.least_length * min(points.shape)] = 0
    excess[length * points.binning < reduction.hough_lines_minlength] = 0
    excess[votes < reduction.hough_lines_thresh] = 0
    a, d = np.unravel_index(np.argmax(excess), excess.shape)
    if excess[a, d] < config.candidate_sigma:
        return None
    return Line(float(angles[a]), float(distances[d]) * points.binning)


def _chords(angles: np.ndarray, distances: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Length within a centred rectangle of the line of each angle and distance: (angles, distances)."""
    cosine = np.cos(angles).astype(np.float32)[:, None]
    sine = np.sin(angles).astype(np.float32)[:, None]
    distance = distances.astype(np.float32)[None, :]
    low = np.float32(-np.inf)
    high = np.float32(np.inf)
    # points of the line are distance * (cosine, sine) + t * (-sine, cosine)
    for start, slope, size in ((cosine * distance, -sine, shape[1]), (sine * distance, cosine, shape[0])):
        slope = np.where(np.abs(slope) < 1e-6, np.float32(1e-6), slope)
        one, other = (-size / 2 - start) / slope, (size / 2 - start) / slope
        low, high = np.maximum(low, np.minimum(one, other)), np.minimum(high, np.maximum(one, other))
    return np.maximum(high - low, 0)
