"""Candidates for trails: straight lines with more light of the binned residual than chance gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import sep
from scipy import ndimage

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.kernels.radon import bin_mean, join_strips, strength_along, strongest_lines
from mar.kernels.threads import bands, in_threads, side_by_side
from mar.masks import Bit
from mar.steps.trail_paths import GAUSS, LEFT_OUT, Path

BAND = 32  # binned rows that a thread looks at together
TOUCHING = np.ones((3, 3), dtype=bool)
SPARSE = 0.25  # part of its ellipse that a group of crossing lines fills at most
JOINED_AT_ONCE = 32  # strips, so that they stay in the cache
SHORTEST = 4  # pieces that the frame is cut into for the shortest lines looked for
FLASH = 0.5  # times the elongation of a piece of trail that a group must have
TILE = 8  # columns of the transform of which only the strongest line is kept
SPARED = 3  # of so many lines one is looked at for what is usual
LEAST_LINES = 100
MOST_LINES = 300  # of one length and direction; a bright trail has many lines that cross it at small angles


class Line(NamedTuple):
    """A piece of a straight line, in pixels of the binned image, and the significance of its light."""

    sigma: float
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Residual:
    """What the binned image shows beside its sky and its compact objects."""

    light: np.ndarray  #: (ny, nx) float32 in sigmas, clipped; 0 where nothing is known
    known: np.ndarray  #: float32, 1 or 0
    objects: np.ndarray  #: bool, what is left out as such
    binning: int

    def without(self, path: Path, distance_px: float) -> None:
        """Forget what lies closer to the straight path than so many pixels of the frame."""
        ny, nx = self.light.shape
        (x0, y0), (dx, dy) = path.start, path.direction
        ys = np.arange(ny) * self.binning + (self.binning - 1) / 2 - y0
        xs = np.arange(nx) * self.binning + (self.binning - 1) / 2 - x0
        near = np.abs(ys[:, None] * dx - xs * dy) < distance_px
        along = xs * dx + ys[:, None] * dy
        near &= (along >= -distance_px) & (along <= path.length + distance_px)
        self.light[near] = self.known[near] = 0

    def hide_objects(self, mask: np.ndarray) -> np.ndarray:
        """A copy of a mask of the frame (uint8) with bit OBJECT where compact objects are left out."""
        hidden = mask.copy()
        for row, objects in enumerate(self.objects):
            columns = np.repeat(objects, self.binning)[: mask.shape[1]]
            hidden[row * self.binning : (row + 1) * self.binning, columns] |= np.uint8(Bit.OBJECT)
        return hidden

    def sigma_of(self, line: Line) -> tuple[float, float]:
        """Significance of what is left of the line's light, and how many binned pixels that is from."""
        return strength_along(self.light, self.known, *line[1:])

    def path_of(self, line: Line) -> Path:
        """The line in pixels of the frame."""
        x0, y0, x1, y1 = ((value + 0.5) * self.binning - 0.5 for value in line[1:])
        return Path.between((x0, y0), (x1, y1))


def residual_of(data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction) -> Residual:
    """The binned image less its sky and its compact objects; `data` (ny, nx) in ADU, with its sky."""
    binning = max(config.least_binning, -(-max(data.shape) // config.binned_size))
    shape = -(-data.shape[0] // binning), -(-data.shape[1] // binning)
    mean, count = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)

    def bin_rows(band: tuple[int, int]) -> None:
        here, seen = slice(*band), slice(band[0] * binning, band[1] * binning)
        bin_mean(data[seen], mask[seen], int(LEFT_OUT), binning, mean[here], count[here])

    in_threads(bin_rows, bands(shape[0], BAND))
    empty = count < 0.5 * binning**2
    sky = sep.Background(mean, mask=empty, bw=config.sky_mesh, bh=config.sky_mesh)
    above = (mean - sky.back()) / sky.rms()
    above[empty] = 0
    objects = _compact(above, binning, config, reduction)
    known = ~(empty | objects)
    light = np.clip(above, -config.clip_sigma, config.clip_sigma)
    light -= light[known].mean() if known.any() else 0
    light /= light[known].std() if known.any() else 1
    light[~known] = 0
    return Residual(light, known.astype(np.float32), objects, binning)


def _compact(above: np.ndarray, binning: int, config: Trails, reduction: Reduction) -> np.ndarray:
    """Bright groups of pixels that are not long enough for a piece of trail, grown by two pixels."""
    groups, number = ndimage.label(above > config.group_sigma, TOUCHING)
    if number == 0:
        return np.zeros(above.shape, dtype=bool)
    ys, xs = np.nonzero(groups)
    labels = groups[ys, xs]
    area, major, minor = _shapes(ys, xs, labels, number)
    peak = np.zeros(number + 1, dtype=above.dtype)
    np.maximum.at(peak, labels, above[ys, xs])
    elongation = major / minor
    # a flash of a tumbling satellite is shorter than a piece of a steady one
    least = FLASH * max(reduction.sat_elongation, 1 / max(1 - reduction.sat_ellipticity, 0.01))
    piece = (elongation >= least) & (area * binning**2 >= reduction.sat_detect_minarea)
    # trails that cross each other are one group, long both ways but nearly empty
    crossing = (area < SPARSE * np.pi / 4 * major * minor) & (major > config.least_length * min(above.shape))
    compact = (peak > config.compact_sigma) & ~piece & ~crossing
    compact[0] = False
    return _grown(compact[groups], 2)


def _grown(marked: np.ndarray, pixels: int) -> np.ndarray:
    """Boolean (ny, nx): what is marked, and so many pixels around it, corners included."""
    for _ in range(2):  # along the rows, then along the columns
        grown = marked.copy(order="K")
        for shift in range(1, pixels + 1):
            grown[:, shift:] |= marked[:, :-shift]
            grown[:, :-shift] |= marked[:, shift:]
        marked = grown.T
    return marked


def _shapes(
    ys: np.ndarray, xs: np.ndarray, labels: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Area, major and minor axis (number + 1,) of the groups that pixels have as labels; 0 is no group.

    In pixels; a filled ellipse has these axes.
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(labels, values, number + 1) / np.maximum(area, 1)

    area = np.bincount(labels, minlength=number + 1)
    y, x = mean(ys), mean(xs)
    # a pixel is not a point: its own second moment, 1/12, keeps thin groups finite
    yy, xx = mean(ys * ys) - y**2 + 1 / 12, mean(xs * xs) - x**2 + 1 / 12
    xy = mean(xs * ys) - x * y
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return area, 4 * np.sqrt(middle + spread), 4 * np.sqrt(np.maximum(middle - spread, 1 / 12))


def candidates(residual: Residual, config: Trails, reduction: Reduction) -> Iterator[Line]:
    """Lines of the residual, the strongest first; those that lose their light meanwhile are passed by.

    A line counts with HOUGH_LINES_THRESH binned pixels and HOUGH_LINES_MINLENGTH pixels of the frame.
    """
    shortest = config.least_length * min(residual.light.shape)
    shortest = max(shortest, reduction.hough_lines_minlength / residual.binning)
    least = max(reduction.hough_lines_thresh, 2 * shortest)
    lines = sorted(_all_lines(residual, least, config.candidate_sigma), reverse=True)
    for line in lines:
        sigma, number = residual.sigma_of(line)
        if sigma >= 0.9 * config.candidate_sigma and number >= 0.5 * least:
            yield line


def _all_lines(residual: Residual, least: float, limit: float) -> Iterator[Line]:
    """The strongest lines of each part of the transforms: steep and flat, rising and falling."""

    def of_quarter(quarter: tuple[bool, bool]) -> list[Line]:
        return list(_lines_of_quarter(residual, *quarter, least, limit))

    quarters = [(flat, falling) for flat in (False, True) for falling in (False, True)]
    return chain.from_iterable(side_by_side(of_quarter, quarters))


def _lines_of_quarter(
    residual: Residual, flat: bool, falling: bool, least: float, limit: float
) -> Iterator[Line]:
    """Those that are steep or flat, and rise or fall."""
    light, known = residual.light, residual.known
    if flat:
        light, known = light.T, known.T
    if falling:
        light, known = light[:, ::-1], known[:, ::-1]
    for sigma, row, moved, column, height in _lines_to_the_right(light, known, least, limit):
        a0, a1, b0, b1 = row, row + height - 1, column, column + moved
        if falling:
            b0, b1 = light.shape[1] - 1 - b0, light.shape[1] - 1 - b1
        ends = (a0, b0, a1, b1) if flat else (b0, a0, b1, a1)
        yield Line(sigma, *ends)


def _lines_to_the_right(
    light: np.ndarray, known: np.ndarray, least: float, limit: float
) -> Iterator[tuple[float, float, float, float, int]]:
    """Significance, first row, columns moved, first column and height of lines that move to the right."""
    ny, nx = light.shape
    rows = 1 << (ny - 1).bit_length()
    sums = []
    for part in (light, known):
        strips = np.zeros((rows, rows + nx), dtype=np.float32)
        strips[:ny, rows:] = part
        sums.append((strips, np.zeros_like(strips)))
    best = np.empty((rows * (rows + nx) // TILE**2 + 2 * rows, 4))
    height = 1
    while height < rows:
        wanted = min(JOINED_AT_ONCE * height, max(2 * height, rows // SHORTEST))
        sums = [join_strips(*pair, height, wanted, rows) for pair in sums]
        height = wanted
        if height * SHORTEST >= rows:
            (light_sums, _), (known_sums, _) = sums
            usual = _usual(light_sums, known_sums, 0.5 * least)
            found = strongest_lines(light_sums, known_sums, height, least, usual, limit, TILE, best)
            order = np.argsort(-best[:found, 0])[:MOST_LINES]
            for sigma, row, moved, column in best[order].tolist():
                yield sigma, row, moved, column - rows, height


def _usual(light: np.ndarray, known: np.ndarray, least: float) -> tuple[float, float]:
    """Median and scatter of the significance of lines; stars make both greater than noise does (0 and 1)."""
    chosen = known[::SPARED, ::SPARED]
    enough = chosen >= least
    if np.count_nonzero(enough) < LEAST_LINES:
        return 0.0, 1.0
    sigma = light[::SPARED, ::SPARED][enough] / np.sqrt(chosen[enough])
    middle = float(np.median(sigma))
    scatter = GAUSS * float(np.median(np.abs(sigma - middle)))
    return max(middle, 0.0), max(scatter, 1.0)
