"""Groups of pixels above the threshold, split where they have several summits, and the moments of the parts.

The multi-thresholding of SExtractor (Bertin & Arnouts 1996, section 4.4): at levels that rise exponentially
from threshold to peak, a branch is an object of its own where it and a sister both hold more than a fraction
of the group's flux. Pixels below the branches go to the part that most probably reaches there (SExtractor
draws lots), so a group gives the same parts wherever it lies. The branches are followed from the summits
down, by union-find over the pixels in order of brightness.
"""

import numpy as np

from mar.kernels.detection import FIRST, ROW, STOP
from mar.kernels.jit import jit
from mar.kernels.joining import first_of

(GROUP, NPIX, NABOVE, FLUX, FLUX_ISO, PEAK, SMOOTH_PEAK, X, Y, A, B, THETA, CXX, CYY, CXY, ABCOR) = range(16)
(THRESHOLD, MTHRESHOLD, FWHM, BITS, MERGED, TRUNCATED, KX, KY) = range(16, 24)
FIELDS = 24
LEAST_BRANCH = 3  # pixels
_NEIGHBOURS = 8
_SINGULAR = 0.00694  # of the determinant of the second moments: a source of one row or column
_PIXEL = 1 / 12  # variance of a pixel


@jit
def _neighbours(runs: np.ndarray, members: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Places (n, 8) of the pixels that touch each pixel of a group, -1 where there is none."""
    n = offset[-1]
    near = np.full((n, _NEIGHBOURS), -1, np.int32)
    above = 0
    for r in range(members.size):
        row, first, stop = runs[members[r], ROW], runs[members[r], FIRST], runs[members[r], STOP]
        for i in range(offset[r] + 1, offset[r + 1]):
            near[i, 0], near[i - 1, 1] = i - 1, i
        while above < r and (
            runs[members[above], ROW] < row - 1
            or (runs[members[above], ROW] == row - 1 and runs[members[above], STOP] < first)
        ):
            above += 1
        k = above
        while k < r and runs[members[k], ROW] == row - 1 and runs[members[k], FIRST] <= stop:
            start = runs[members[k], FIRST]
            for x in range(max(start, first - 1), min(runs[members[k], STOP], stop + 1)):
                upper = offset[k] + x - start
                for dx in range(-1, 2):
                    if first <= x + dx < stop:
                        lower = offset[r] + x + dx - first
                        near[lower, 3 - dx], near[upper, 6 + dx] = upper, lower
            k += 1
    return near


@jit
def _summits(values: np.ndarray, near: np.ndarray) -> int:
    """How many pixels are brighter than all that touch them; of equal ones the first counts."""
    count = 0
    for i in range(values.size):
        highest = True
        for k in range(_NEIGHBOURS):
            j = near[i, k]
            if j >= 0 and (values[j] > values[i] or (values[j] == values[i] and j < i)):
                highest = False
                break
        if highest:
            count += 1
    return count


@jit
def _steps(values: np.ndarray, threshold: float, peak: float, levels: int) -> np.ndarray:
    """Level (n,) up to which each pixel stands out; level k is threshold (peak / threshold)^(k / levels)."""
    step = np.empty(values.size, np.int64)
    scale = levels / np.log(peak / threshold)
    for i in range(values.size):
        above = values[i] / threshold
        step[i] = min(levels - 1, int(scale * np.log(above))) if above > 1.0 else 0
    return step


@jit
def _brightest_first(step: np.ndarray, levels: int) -> np.ndarray:
    """The pixels in order of falling level."""
    room = np.zeros(levels + 1, np.int64)
    for i in range(step.size):
        room[levels - 1 - step[i] + 1] += 1
    for k in range(levels):
        room[k + 1] += room[k]
    order = np.empty(step.size, np.int64)
    for i in range(step.size):
        place = levels - 1 - step[i]
        order[room[place]] = i
        room[place] += 1
    return order


@jit
def _branches(
    values: np.ndarray,
    near: np.ndarray,
    step: np.ndarray,
    threshold: float,
    peak: float,
    levels: int,
    least: float,
) -> tuple[np.ndarray, np.ndarray]:
    """A pixel of each branch that is an object of its own, and the level above which the branch lies."""
    n = values.size
    order = _brightest_first(step, levels)
    parent = np.full(n, -1, np.int64)
    flux, area, parts = np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64)
    whole, seen = np.ones(n, np.bool_), np.full(n, levels, np.int64)
    nodes, count = np.empty(n, np.int64), 0
    significant, single = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    seeds, heights, found = np.empty(n, np.int64), np.empty(n, np.int64), 0
    first = 0
    for level in range(levels - 1, -1, -1):
        above = threshold * (peak / threshold) ** ((level + 1) / levels)
        for k in range(count):
            node = nodes[k]
            significant[k] = flux[node] - above * area[node] > least
            single[k] = whole[node]
        stop = first
        while stop < n and step[order[stop]] == level:
            i = order[stop]
            parent[i], flux[i], area[i] = i, values[i], 1
            for k in range(_NEIGHBOURS):
                j = near[i, k]
                if j >= 0 and parent[j] >= 0:
                    a, b = first_of(parent, i), first_of(parent, j)
                    if a != b:
                        parent[b] = a
                        flux[a] += flux[b]
                        area[a] += area[b]
            stop += 1
        # what the branches of the level above have become
        for k in range(count):
            root = first_of(parent, nodes[k])
            if seen[root] != level:
                seen[root], parts[root], whole[root] = level, 0, True
            parts[root] += significant[k]
            whole[root] = whole[root] and single[k]
        for k in range(count):
            if parts[first_of(parent, nodes[k])] > 1 and significant[k] and single[k]:
                seeds[found], heights[found] = nodes[k], level + 1
                found += 1
        kept = 0
        for k in range(count):
            root = first_of(parent, nodes[k])
            if seen[root] == level:
                seen[root] = -level - 1  # noted
                whole[root] = whole[root] and parts[root] < 2
                nodes[kept] = root
                kept += 1
        count = kept
        for k in range(first, stop):
            root = first_of(parent, order[k])
            if seen[root] != -level - 1 and area[root] >= LEAST_BRANCH:
                seen[root], whole[root], parts[root] = -level - 1, True, 0
                nodes[count] = root
                count += 1
        first = stop
    return seeds[:found], heights[:found]


@jit
def _fill(near: np.ndarray, step: np.ndarray, seed: int, height: int, number: int, owner: np.ndarray) -> None:
    """Give the pixels that hang together with `seed` from level `height` upwards to object `number`."""
    stack = np.empty(step.size, np.int64)
    stack[0], waiting = seed, 1
    owner[seed] = number
    while waiting:
        waiting -= 1
        i = stack[waiting]
        for k in range(_NEIGHBOURS):
            j = near[i, k]
            if j >= 0 and owner[j] != number and step[j] >= height:
                owner[j] = number
                stack[waiting] = j
                waiting += 1


@jit
def _sums(
    xs: np.ndarray,
    ys: np.ndarray,
    pixels: np.ndarray,
    owner: np.ndarray,
    parts: np.ndarray,
    keep_centres: bool,
) -> None:
    """Fill areas, fluxes, peaks and second moments of `parts` (objects, FIELDS) from their pixels.

    Pixels of owner 0 are nobody's. With `keep_centres` the moments are about the positions that they have.
    """
    count = parts.shape[0]
    x0, y0 = xs[0], ys[0]
    sums = np.zeros((count, 6))
    for k in range(count):
        for field in range(NPIX, SMOOTH_PEAK + 1):
            parts[k, field] = 0.0
        parts[k, PEAK] = -np.inf
    for i in range(xs.size):
        k = owner[i] - 1
        if k < 0:
            continue
        smooth, value = np.float64(pixels[i, 0]), np.float64(pixels[i, 1])
        dx, dy = xs[i] - x0, ys[i] - y0
        parts[k, NPIX] += 1
        parts[k, NABOVE] += value > parts[k, THRESHOLD]
        parts[k, FLUX] += smooth
        parts[k, FLUX_ISO] += value
        parts[k, PEAK] = max(parts[k, PEAK], value)
        parts[k, SMOOTH_PEAK] = max(parts[k, SMOOTH_PEAK], smooth)
        sums[k, 0] += smooth * dx
        sums[k, 1] += smooth * dy
        sums[k, 2] += smooth * dx * dx
        sums[k, 3] += smooth * dy * dy
        sums[k, 4] += smooth * dx * dy
    for i in range(xs.size):
        k = owner[i] - 1
        if k >= 0:
            sums[k, 5] += pixels[i, 1] > 0.5 * (parts[k, THRESHOLD] + parts[k, PEAK])
    for k in range(count):
        _shape(parts[k], sums[k], x0, y0, keep_centres)


@jit
def _shape(part: np.ndarray, sums: np.ndarray, x0: int, y0: int, keep_centre: bool) -> None:
    """Position, axes and ellipse of one object from the sums of its moments about (x0, y0)."""
    x, y = sums[0] / part[FLUX], sums[1] / part[FLUX]
    xx, yy, xy = sums[2] / part[FLUX] - x * x, sums[3] / part[FLUX] - y * y, sums[4] / part[FLUX] - x * y
    if keep_centre:
        off_x, off_y = part[X] - x0 - x, part[Y] - y0 - y
        xx, yy, xy = xx + off_x * off_x, yy + off_y * off_y, xy + off_x * off_y
    else:
        part[X], part[Y] = x + x0, y + y0
    if xx * yy - xy * xy < _SINGULAR:
        xx, yy = xx + _PIXEL, yy + _PIXEL
    determinant = xx * yy - xy * xy
    spread = np.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
    part[THETA] = 0.5 * np.arctan2(2.0 * xy, xx - yy) if xx != yy else np.pi / 4
    part[A], part[B] = np.sqrt(0.5 * (xx + yy) + spread), np.sqrt(max(0.5 * (xx + yy) - spread, 0.0))
    part[CXX], part[CYY], part[CXY] = yy / determinant, xx / determinant, -2.0 * xy / determinant
    # how much of a Gaussian's area the threshold leaves
    ratio = part[THRESHOLD] / (0.5 * (part[THRESHOLD] + part[PEAK]))
    part[ABCOR] = 1.0
    if ratio > 0.0:
        lost = sums[5] - part[NABOVE]
        area = 2.0 * np.pi * np.log(min(ratio, 0.99)) * part[A] * part[B]
        part[ABCOR] = min(1.0, (lost if lost < 0.0 else -1.0) / area)


@jit
def _gather(xs: np.ndarray, ys: np.ndarray, owner: np.ndarray, parts: np.ndarray) -> None:
    """Give each pixel that is nobody's yet to the part whose Gaussian is brightest there."""
    count = parts.shape[0]
    height = np.empty(count)
    for k in range(count):
        part = parts[k]
        most = 4.0 * part[SMOOTH_PEAK]
        reach = part[NPIX] / (2.0 * np.pi * part[ABCOR] * part[A] * part[B])
        height[k] = np.log(most) if reach >= 70.0 else min(np.log(part[THRESHOLD]) + reach, np.log(most))
    for i in range(xs.size):
        if owner[i] > 0:
            continue
        best, chosen = -np.inf, 0
        for k in range(count):
            part = parts[k]
            dx, dy = xs[i] - part[X], ys[i] - part[Y]
            far = part[CXX] * dx * dx + part[CYY] * dy * dy + part[CXY] * dx * dy
            light = height[k] - 0.5 * far / part[ABCOR]
            if light > best:
                best, chosen = light, k
        owner[i] = chosen + 1


@jit
def _split(
    xs: np.ndarray,
    ys: np.ndarray,
    pixels: np.ndarray,
    near: np.ndarray,
    levels: int,
    contrast: float,
    owner: np.ndarray,
) -> np.ndarray:
    """Divide a group among its objects: `owner` (n,) counts them from 1; gives their fields."""
    n = xs.size
    values = np.empty(n, np.float32)
    threshold, peak, light = np.inf, 0.0, 0.0
    for i in range(n):
        values[i] = pixels[i, 0]
        threshold, peak = min(threshold, pixels[i, 2]), max(peak, pixels[i, 0])
        light += pixels[i, 0]
    seeds = np.empty(0, np.int64)
    if n >= 2 * LEAST_BRANCH and _summits(values, near) > 1 and peak > threshold > 0.0:
        step = _steps(values, threshold, peak, levels)
        seeds, heights = _branches(values, near, step, threshold, peak, levels, contrast * light)
        for k in range(seeds.size):
            _fill(near, step, seeds[k], heights[k], k + 1, owner)
    parts = np.zeros((max(1, seeds.size), FIELDS))
    for k in range(parts.shape[0]):
        parts[k, THRESHOLD] = threshold
        parts[k, MERGED] = seeds.size > 1
    blended = seeds.size > 0
    if blended:
        _sums(xs, ys, pixels, owner, parts, not blended)
        _gather(xs, ys, owner, parts)
    else:
        owner[:] = 1
    _sums(xs, ys, pixels, owner, parts, blended)
    return parts


@jit
def _width(
    xs: np.ndarray, ys: np.ndarray, pixels: np.ndarray, owner: np.ndarray, number: int, part: np.ndarray
) -> float:
    """FWHM of the Gaussian that fits log(value) over squared distance above a fifth of the peak.

    Only pixels of owner `number` count.
    """
    least = max(part[PEAK] / 5.0, part[THRESHOLD], 0.0)
    s, sr, sv, srr, srv = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(xs.size):
        value = np.float64(pixels[i, 1])
        if owner[i] != number or not value > least:
            continue
        r2 = (xs[i] - part[X]) ** 2 + (ys[i] - part[Y]) ** 2
        weight, log = value * value, np.log(value)
        s += weight
        sr += weight * r2
        sv += weight * log
        srr += weight * r2 * r2
        srv += weight * r2 * log
    spread = s * srr - sr * sr
    if spread == 0.0:
        return 0.0
    slope = max(-(s * srv - sr * sv) / spread, 1.0 / (13.0 * part[A] * part[B]))
    width = 1.6651 / np.sqrt(slope)
    return width - 0.25 / width  # a narrow profile is sampled by pixels: SExtractor's correction


@jit
def _nth_highest(pixels: np.ndarray, owner: np.ndarray, number: int, n: int) -> float:
    """The n-th highest smoothed value of the object; minus infinity where it has fewer pixels."""
    highest = np.full(n, -np.inf)
    for i in range(owner.size):
        value = np.float64(pixels[i, 0])
        if owner[i] != number or value <= highest[n - 1]:
            continue
        k = n - 1
        while k > 0 and highest[k - 1] < value:
            highest[k] = highest[k - 1]
            k -= 1
        highest[k] = value
    return highest[n - 1]


@jit
def _finish(
    xs: np.ndarray,
    ys: np.ndarray,
    pixels: np.ndarray,
    owner: np.ndarray,
    parts: np.ndarray,
    mask: np.ndarray,
    saturated: int,
    shape: tuple[int, int],
    least_area: int,
) -> None:
    """Mask bits, edges, width and threshold of cleaning of the objects of a group, from their own pixels."""
    for i in range(xs.size):
        part = parts[owner[i] - 1]
        if mask.size:
            part[BITS] = int(part[BITS]) | mask[ys[i], xs[i]]
        if xs[i] == 0 or ys[i] == 0 or xs[i] == shape[1] - 1 or ys[i] == shape[0] - 1:
            part[TRUNCATED] = 1.0
    for k in range(parts.shape[0]):
        highest = _nth_highest(pixels, owner, k + 1, least_area)
        parts[k, MTHRESHOLD] = highest - parts[k, THRESHOLD] if highest > 0.0 else 0.0
    for i in range(xs.size):
        if mask.size and mask[ys[i], xs[i]] & saturated:
            pixels[i, 1] = 0.0  # no profile there
    for k in range(parts.shape[0]):
        parts[k, FWHM] = _width(xs, ys, pixels, owner, k + 1, parts[k])


@jit
def split_groups(
    runs: np.ndarray,
    offsets: np.ndarray,
    pixels: np.ndarray,
    order: np.ndarray,
    starts: np.ndarray,
    group0: int,
    group1: int,
    least_area: int,
    levels: int,
    contrast: float,
    mask: np.ndarray,
    saturated: int,
    shape: tuple[int, int],
    owner: np.ndarray,
    found: np.ndarray,
) -> int:
    """Objects of the groups group0 <= g < group1 that have `least_area` pixels or more; gives how many.

    The runs of group g are runs[order[starts[g] : starts[g + 1]]]; the pixels of run r begin at offsets[r].
    `owner` (pixels,) int32 gets the number of the object within its group, from 1; 0 where there is none.
    `found` (room, FIELDS) is filled from its beginning. Positions count pixels from 0. `mask` is (0, 0) where
    there is none.
    """
    n = 0
    for group in range(group0, group1):
        members = order[starts[group] : starts[group + 1]]
        local = np.zeros(members.size + 1, np.int64)
        for r in range(members.size):
            local[r + 1] = local[r] + runs[members[r], STOP] - runs[members[r], FIRST]
        size = local[-1]
        if size < least_area:
            continue
        xs, ys = np.empty(size, np.int64), np.empty(size, np.int64)
        inside = np.empty((size, 3), np.float32)
        for r in range(members.size):
            run = members[r]
            for i in range(local[r + 1] - local[r]):
                xs[local[r] + i], ys[local[r] + i] = runs[run, FIRST] + i, runs[run, ROW]
                for field in range(3):
                    inside[local[r] + i, field] = pixels[offsets[run] + i, field]
        whose = np.zeros(size, np.int64)
        parts = _split(xs, ys, inside, _neighbours(runs, members, local), levels, contrast, whose)
        _finish(xs, ys, inside, whose, parts, mask, saturated, shape, least_area)
        for k in range(parts.shape[0]):
            parts[k, GROUP] = group
            for field in range(FIELDS):
                found[n, field] = parts[k, field]
            n += 1
        for r in range(members.size):
            for i in range(local[r + 1] - local[r]):
                owner[offsets[members[r]] + i] = whose[local[r] + i]
    return n
