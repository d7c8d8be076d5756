"""Find which sources are which reference stars, when the pointing is only roughly known.

Triangles of neighbouring bright stars are compared by their shape, size and direction (after Groth 1986 and
Valdes et al. 1995, with a k-d tree); each pair of like triangles votes for a shift, a rotation and a scale.
The most voted is refined on all stars, and accepted only where chance cannot have made as many coincidences.

The false-alarm probability is bounded by the number of transforms that can be told apart within the limits
times the probability that one of them makes so many coincidences among stars strewn at random:

    N = (2 offset / r)^2 * (2 angle L / r) * (2 ln scale * L / r) * mirrors * 10
    P(false) <= N * P(X >= k),  X binomial of n trials, each with p = 1 - exp(-density pi r^2)

where k of n sources lie within r of a star, L is half the diagonal of the sources, `density` that of the
stars, and 10 stands for the choice of r. Where pairs enough let the transform shear, N is (0.1 L / r)^2
times as large.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import bdtrc

from mar.errors import NotSolved

NEIGHBOURS = 8
SHAPE_TOLERANCE = 0.006  # on the ratios of the sides
_VOTE_CELL = np.array([0.006, 0.006, 0.006, 1.2, 1.2])  # log scale, cos and sin of the angle, shift / radius
_LEAST_SIDE = 0.5  # of a triangle, in units of the radius
_CANDIDATES = 400_000
_TRIED = 6  # most voted hypotheses that are tried
_TRIED_ALONE = 40  # of those that have a single vote
_SHEARED = 6  # pairs that let the transform shear
_MOST_SHEAR = 0.05
_SHARPEST = 0.01  # radius of a coincidence, in units of that of the cross-identification
_CERTAIN = 3  # times the exponent of chance that is asked for: then nothing better is sought


@dataclass(frozen=True)
class Limits:
    """How far the true position may be from the rough one."""

    offset_arcsec: float
    scale: float  #: greatest factor between true and nominal scale
    angle_rad: float
    flips: bool
    radius_arcsec: float  #: of the last cross-identification
    least_stars: int
    log10_chance: float  #: a match is refused where chance makes one with more than 10 to this


@dataclass(frozen=True)
class Match:
    """Which source is which star; `matrix` (2, 2) and `shift` turn the sources' plane into the stars'."""

    matrix: np.ndarray
    shift: np.ndarray
    sources: np.ndarray
    stars: np.ndarray
    log10_chance: float  #: log10 of the false-alarm probability

    def apply(self, plane: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the sources' plane in the stars' plane, arcsec."""
        return plane @ self.matrix.T + self.shift


def match(sources: np.ndarray, stars: np.ndarray, limits: Limits) -> Match:
    """Match `sources` (n, 2) with `stars` (m, 2), each brightest first, in arcsec on the rough tangent plane.

    Raises NotSolved where no match is beyond chance.
    """
    if min(len(sources), len(stars)) < limits.least_stars:
        raise NotSolved(
            f"{len(sources)} usable sources and {len(stars)} reference stars: "
            f"at least {limits.least_stars} of each are needed"
        )
    best: Match | None = None
    for chosen, reference in _depths(sources, stars):
        for mirror in _mirrors(limits):
            bright, every = (chosen @ mirror, reference), (sources @ mirror, stars)
            for start in _hypotheses(*bright, limits):
                found = _refined(bright, every, start, limits)
                if found is not None and (best is None or found.log10_chance < best.log10_chance):
                    best = replace(found, matrix=found.matrix @ mirror.T)
            if best is not None and best.log10_chance < _CERTAIN * limits.log10_chance:
                return best
    if best is None or best.log10_chance > limits.log10_chance:
        raise NotSolved(
            f"no match of {len(sources)} sources with {len(stars)} reference stars is beyond chance: "
            "is the pointing right, and the reference catalogue deep enough?"
        )
    return best


def _mirrors(limits: Limits) -> list[np.ndarray]:
    signs = [(1, 1), (-1, 1), (1, -1), (-1, -1)] if limits.flips else [(1, 1)]
    if limits.angle_rad > np.pi / 2:
        signs = signs[:2]  # the others are these turned round
    return [np.diag(np.array(sign, dtype=float)) for sign in signs]


def _depths(sources: np.ndarray, stars: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The brightest sources and stars, as many for their area; from few to many, then unequal depths."""
    width = np.ptp(sources, axis=0)
    area = float(np.prod(width + 1.0))
    larger = float(np.prod(np.maximum(np.ptp(stars, axis=0), 1.0))) / area
    seen = set()
    for number, depth in ((50, 1.0), (150, 1.0), (50, 2.0), (50, 0.5), (400, 1.0), (150, 2.5), (1500, 1.0)):
        n, m = min(number, len(sources)), min(int(number * depth * larger) + 1, len(stars), 6000)
        if (n, m) not in seen:
            seen.add((n, m))
            yield sources[:n], stars[:m]


def _triangles(points: np.ndarray, least_side: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners (n, 3), those opposite the longest, middle and shortest side, and the features of each.

    Features: both ratios of sides, log of the longest, its direction (cos, sin), and the handedness.
    """
    k = min(NEIGHBOURS + 1, len(points))
    _, near = cKDTree(points).query(points, k=k)
    pairs = np.array(list(combinations(range(1, k), 2)))
    corners = np.stack(
        [np.repeat(near[:, 0], len(pairs)), near[:, pairs[:, 0]].ravel(), near[:, pairs[:, 1]].ravel()],
        axis=1,
    )
    corners = np.unique(np.sort(corners, axis=1), axis=0)
    p = points[corners]
    opposite = np.stack(
        [np.linalg.norm(p[:, (i + 1) % 3] - p[:, (i + 2) % 3], axis=1) for i in range(3)], axis=1
    )
    order = np.argsort(-opposite, axis=1)
    corners = np.take_along_axis(corners, order, axis=1)
    sides = np.take_along_axis(opposite, order, axis=1)
    good = (sides[:, 2] > 0.15 * sides[:, 0]) & (sides[:, 2] > least_side)
    corners, sides = corners[good], sides[good]
    a, b, c = (points[corners[:, i]] for i in range(3))
    longest = (c - b) / sides[:, :1]
    handed = np.sign((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))
    features = np.column_stack([sides[:, 1] / sides[:, 0], sides[:, 2] / sides[:, 0], np.log(sides[:, 0])])
    return corners, np.column_stack([features, longest, handed])


def _hypotheses(
    sources: np.ndarray, stars: np.ndarray, limits: Limits
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Similarity transforms (matrix, shift), the most voted first."""
    least_side = _LEAST_SIDE * limits.radius_arcsec
    corners, features = _triangles(sources, least_side)
    star_corners, star_features = _triangles(stars, least_side)
    if not len(corners) or not len(star_corners):
        return
    chord = 2 * np.sin(limits.angle_rad / 2)
    reach = np.array([SHAPE_TOLERANCE, SHAPE_TOLERANCE, np.log(limits.scale), chord, chord, 0.5])
    alike = cKDTree(features / reach).sparse_distance_matrix(
        cKDTree(star_features / reach), 1.0, p=np.inf, output_type="ndarray"
    )
    if not len(alike):
        return
    if len(alike) > _CANDIDATES:
        alike = alike[np.argsort(alike["v"])[:_CANDIDATES]]
    votes = _votes(sources[corners[alike["i"]]], stars[star_corners[alike["j"]]])
    middle = (sources.min(axis=0) + sources.max(axis=0)) / 2
    yield from _most_voted(votes, middle, limits)


def _votes(source: np.ndarray, star: np.ndarray) -> np.ndarray:
    """Least-squares similarity of each pair of triangles (n, 3, 2): complex factor and shift (n, 2)."""
    z = source[..., 0] + 1j * source[..., 1]
    w = star[..., 0] + 1j * star[..., 1]
    z0, w0 = z.mean(axis=1), w.mean(axis=1)
    dz, dw = z - z0[:, None], w - w0[:, None]
    factor = (np.conj(dz) * dw).sum(axis=1) / (np.abs(dz) ** 2).sum(axis=1)
    return np.column_stack([factor, w0 - factor * z0])


def _most_voted(
    votes: np.ndarray, middle: np.ndarray, limits: Limits
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    factor, centre = votes[:, 0], middle[0] + 1j * middle[1]
    offset = votes[:, 1] + factor * centre - centre  # where the middle of the frame goes
    allowed = np.abs(offset) <= limits.offset_arcsec
    allowed &= np.abs(np.log(np.abs(factor))) <= np.log(limits.scale)
    allowed &= np.abs(np.angle(factor)) <= limits.angle_rad
    factor, offset = factor[allowed], offset[allowed]
    if not len(factor):
        return
    unit = factor / np.abs(factor)
    size = _VOTE_CELL * np.array([1, 1, 1, limits.radius_arcsec, limits.radius_arcsec])
    cells = np.column_stack([np.log(np.abs(factor)), unit.real, unit.imag, offset.real, offset.imag]) / size
    tree = cKDTree(cells)
    support = tree.query_ball_point(cells, 1.0, p=np.inf, return_length=True)
    left = np.ones(len(cells), dtype=bool)
    for tried in range(_TRIED_ALONE):
        top = int(np.argmax(np.where(left, support, 0)))
        if not left[top] or (tried >= _TRIED and support[top] > 1):
            return
        members = tree.query_ball_point(cells[top], 1.0, p=np.inf)
        left[tree.query_ball_point(cells[top], 2.0, p=np.inf)] = False
        log_scale, cos, sin, dx, dy = np.median(cells[members], axis=0) * size
        cos, sin = np.exp(log_scale) / np.hypot(cos, sin) * np.array([cos, sin])
        matrix = np.array([[cos, -sin], [sin, cos]])
        yield matrix, np.array([middle[0] + dx, middle[1] + dy]) - matrix @ middle


def pairs_within(moved: np.ndarray, stars: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (source, star), each the other's nearest, closer than `radius`."""
    distance, star = cKDTree(stars).query(moved, distance_upper_bound=radius)
    source = np.flatnonzero(np.isfinite(distance))
    star = star[source]
    order = np.argsort(distance[source], kind="stable")
    source, star = source[order], star[order]
    _, first = np.unique(star, return_index=True)
    first.sort()
    return source[first], star[first]


def _refined(
    bright: tuple[np.ndarray, np.ndarray],
    every: tuple[np.ndarray, np.ndarray],
    start: tuple[np.ndarray, np.ndarray],
    limits: Limits,
) -> Match | None:
    """The affine transform on ever closer pairs, and how likely chance would make as many.

    First with the bright sources and stars, which stand far apart also in a crowd, then with all of them.
    """
    matrix, shift = start
    sources, stars = every
    least = min(limits.least_stars, len(bright[0]))
    crowded = max(0.5 / np.sqrt(_density(stars)), 0.1 * limits.radius_arcsec)
    last = min(0.7 * limits.radius_arcsec, crowded)
    for (some, targets), radii in (
        (bright, limits.radius_arcsec * np.array([2.0, 1.4, 1.0, 1.0, 0.7])),
        (every, [last, last]),
    ):
        for radius in radii:
            source, star = pairs_within(some @ matrix.T + shift, targets, radius)
            if len(source) < least:
                return None
            matrix, shift = _affine(some[source], targets[star])
        if not _plausible(matrix, limits):
            return None
    moved = sources @ matrix.T + shift
    source, star = pairs_within(moved, stars, last)
    if len(source) < limits.least_stars:
        return None
    distance = np.linalg.norm(moved[source] - stars[star], axis=1)
    close = max(2.5 * float(np.median(distance)), _SHARPEST * limits.radius_arcsec)
    matched = int(np.count_nonzero(distance <= close))
    chance = log10_false_alarm(moved, stars, matched, close, limits)
    return Match(matrix, shift, source, star, chance)


def _density(points: np.ndarray) -> float:
    """Of points (n, 2) in the box around them."""
    return len(points) / float(np.prod(np.maximum(np.ptp(points, axis=0), 1.0)))


def _affine(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine transform by least squares, the farthest pairs left out once; a similarity for few points."""
    keep = np.ones(len(points), dtype=bool)
    matrix, shift = np.eye(2), np.zeros(2)
    for _ in range(3):
        if keep.sum() < _SHEARED:
            factor, offset = _votes(points[None, keep], targets[None, keep])[0]
            matrix = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
            shift = np.array([offset.real, offset.imag])
        else:
            design = np.column_stack([points[keep], np.ones(int(keep.sum()))])
            solution, *_ = np.linalg.lstsq(design, targets[keep], rcond=None)
            matrix, shift = solution[:2].T, solution[2]
        residual = np.linalg.norm(points @ matrix.T + shift - targets, axis=1)
        keep = residual <= max(3.0 * float(np.median(residual)), 1e-6)
    return matrix, shift


def _plausible(matrix: np.ndarray, limits: Limits) -> bool:
    """Whether an affine transform is nearly a rotation and a scale within the limits."""
    large, small = np.linalg.svd(matrix, compute_uv=False)
    return bool(
        np.linalg.det(matrix) > 0
        and large / small < 1 + _MOST_SHEAR
        and large < 1.02 * limits.scale
        and small > 1 / (1.02 * limits.scale)
    )


def log10_false_alarm(
    moved: np.ndarray, stars: np.ndarray, matched: int, radius: float, limits: Limits
) -> float:
    """log10 of the probability that chance makes a match of so many within `radius`, at most 0.

    `moved` are all sources (n, 2) on the plane of the `stars` (m, 2). The formula stands above.
    """
    low, high = moved.min(axis=0), moved.max(axis=0)
    inside = np.all((stars >= low) & (stars <= high), axis=1).sum()
    area = float(np.prod(np.maximum(high - low, 10 * radius)))
    whole = float(np.prod(np.maximum(np.ptp(stars, axis=0), 10 * radius)))
    single = 1 - np.exp(-max(inside / area, len(stars) / whole) * np.pi * radius**2)
    half = float(np.hypot(*(high - low))) / 2
    ways = 10.0 * max(1.0, 2 * limits.offset_arcsec / radius) ** 2 * len(_mirrors(limits))
    ways *= max(1.0, 2 * limits.angle_rad * half / radius)
    ways *= max(1.0, 2 * np.log(limits.scale) * half / radius)
    if matched >= _SHEARED:
        ways *= max(1.0, 2 * _MOST_SHEAR * half / radius) ** 2
    coincidence = max(float(bdtrc(matched - 1, len(moved), single)), np.finfo(float).tiny)
    chance = np.log10(ways) + np.log10(coincidence)
    return float(min(chance, 0.0))
