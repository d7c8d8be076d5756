"""Photometry and positions of objects, each on a stamp without its neighbours.

The definitions are SExtractor's (Bertin & Arnouts 1996; windowed positions as in its manual): pixels of a
neighbour, and those left out, are replaced by the pixel opposite, or by nothing where that is no use either.
Twins: tests.naive_sources.kron, circle, window.
"""

import numpy as np

from mar.kernels.deblend import CXX, CXY, CYY, A, X, Y
from mar.kernels.detection import FIRST, STOP
from mar.kernels.jit import jit
from mar.kernels.mesh import draw_point, less_sky

(
    AUTO,
    AUTO_ERROR,
    KRON,
    CROWDED,
    CUT,
    HALF_LIGHT,
    X_WIN,
    Y_WIN,
    ERR_XX,
    ERR_YY,
    ERR_XY,
    SNR,
    NOISE,
    LEVEL,
) = range(14)
WINDOW_BITS = 14
APERTURES = 15  # the first of the fluxes in circles, each followed by its error

OUTSIDE, BLANK = np.float32(-2e30), np.float32(-1e30)
_USABLE = np.float32(-1e29)
_REACH = 6.0  # axes that Kron's radius and the growth curve reach to
_MOST_CROWDED = 0.1  # part of the ellipse
_FINE = 5  # steps along each side of a pixel that a circle cuts
_GROWTH = 64  # steps of the growth curve
_LEAST_HALF_LIGHT = 0.5
_FIRST_REACH = 0.3  # of the growth curve, most often enough for half the light
_ROUNDS, _SETTLED = 16, 1e-4  # of the windowed position, pixels
_WINDOW = 4.0  # sigma
_PIXEL = 0.0833


@jit
def _stamp(
    data: np.ndarray,
    mask: np.ndarray,
    excluded: int,
    levels: np.ndarray,
    knots: np.ndarray,
    runs: np.ndarray,
    starts: np.ndarray,
    offsets: np.ndarray,
    owner: np.ndarray,
    me: int,
    x0: int,
    y0: int,
    out: np.ndarray,
) -> None:
    """Fill `out` (size, size) with the sky-free pixels from (x0, y0) on; others' pixels are BLANK."""
    ny, nx = data.shape
    size = out.shape[0]
    out[:] = OUTSIDE
    first, stop = max(x0, 0), min(x0 + size, nx)
    for y in range(max(y0, 0), min(y0 + size, ny)):
        row = out[y - y0]
        less_sky(data[y], levels[y], knots, first, stop, row[first - x0 :])
        for x in range(first, stop):
            if not abs(row[x - x0]) < np.float32(1e29):
                row[x - x0] = BLANK
        if mask.size:
            for x in range(first, stop):
                if mask[y, x] & excluded:
                    row[x - x0] = BLANK
        low, high = starts[y], starts[y + 1]
        while low < high:  # the first run that ends beyond the stamp's edge
            middle = (low + high) // 2
            if runs[middle, STOP] <= first:
                low = middle + 1
            else:
                high = middle
        for r in range(low, starts[y + 1]):
            if runs[r, FIRST] >= stop:
                break
            for x in range(max(first, runs[r, FIRST]), min(stop, runs[r, STOP])):
                whose = owner[offsets[r] + x - runs[r, FIRST]]
                if whose > 0 and whose != me:
                    row[x - x0] = BLANK


@jit
def _opposite(stamp: np.ndarray, x: float, y: float, i: int, j: int) -> float:
    """The pixel opposite to (i, j) about (x, y); zero where it is no use either."""
    k, m = int(2.0 * x + 0.49999 - i), int(2.0 * y + 0.49999 - j)
    if 0 <= k < stamp.shape[1] and 0 <= m < stamp.shape[0] and stamp[m, k] > _USABLE:
        return stamp[m, k]
    return 0.0


@jit
def _bounds(stamp: np.ndarray, middle: float, reach: float) -> tuple[int, int]:
    return max(0, int(np.floor(middle - reach))), min(stamp.shape[0], int(np.ceil(middle + reach)) + 1)


@jit
def _kron_factor(
    stamp: np.ndarray, x: float, y: float, cxx: float, cyy: float, cxy: float, reach: float, found: np.ndarray
) -> float:
    """Light's mean elliptical radius within _REACH axes, 0 where there is no light; notes CROWDED and CUT."""
    moment, light, area, blank = 0.0, 0.0, 0, 0
    low, high = _bounds(stamp, x, reach)
    bottom, top = _bounds(stamp, y, reach)
    for j in range(bottom, top):
        for i in range(low, high):
            dx, dy = i - x, j - y
            r2 = cxx * dx * dx + cyy * dy * dy + cxy * dx * dy
            if r2 > _REACH * _REACH:
                continue
            area += 1
            if stamp[j, i] > _USABLE:
                moment += np.sqrt(r2) * stamp[j, i]
                light += stamp[j, i]
            elif stamp[j, i] == OUTSIDE:
                found[CUT] = 1.0
            else:
                blank += 1
    found[CROWDED] = blank > _MOST_CROWDED * area
    return moment / light if moment > 0.0 and light > 0.0 else 0.0


@jit
def _ellipse(
    stamp: np.ndarray,
    x: float,
    y: float,
    cxx: float,
    cyy: float,
    cxy: float,
    k: float,
    reach: float,
    found: np.ndarray,
) -> tuple[float, int]:
    """Flux within k axes and the number of pixels; notes CROWDED and CUT."""
    flux, area, replaced = 0.0, 0, 0
    low, high = _bounds(stamp, x, reach)
    bottom, top = _bounds(stamp, y, reach)
    for j in range(bottom, top):
        for i in range(low, high):
            dx, dy = i - x, j - y
            if cxx * dx * dx + cyy * dy * dy + cxy * dx * dy > k * k:
                continue
            value = stamp[j, i]
            if value == OUTSIDE:
                found[CUT] = 1.0
                continue
            area += 1
            if value > _USABLE:
                flux += value
            else:
                replaced += 1
                flux += _opposite(stamp, x, y, i, j)
    if replaced > _MOST_CROWDED * area:
        found[CROWDED] = 1.0
    return flux, area


@jit
def _inside(dx: float, dy: float, radius: float) -> float:
    """The part of the pixel at (dx, dy) that lies in a circle about the origin."""
    r2 = dx * dx + dy * dy
    if r2 >= (radius + 0.75) ** 2:
        return 0.0
    if radius > 0.75 and r2 <= (radius - 0.75) ** 2:
        return 1.0
    count = 0
    for m in range(_FINE):
        v = dy + (m + 0.5) / _FINE - 0.5
        for k in range(_FINE):
            u = dx + (k + 0.5) / _FINE - 0.5
            count += u * u + v * v < radius * radius
    return count / (_FINE * _FINE)


@jit
def _circle(stamp: np.ndarray, x: float, y: float, radius: float, found: np.ndarray) -> tuple[float, float]:
    """Flux and area within a circle; CUT is noted in `found`."""
    flux, area = 0.0, 0.0
    low, high = _bounds(stamp, x, radius + 1.0)
    bottom, top = _bounds(stamp, y, radius + 1.0)
    for j in range(bottom, top):
        for i in range(low, high):
            part = _inside(i - x, j - y, radius)
            if part == 0.0:
                continue
            if stamp[j, i] == OUTSIDE:
                found[CUT] = 1.0
                continue
            area += part
            flux += part * (stamp[j, i] if stamp[j, i] > _USABLE else _opposite(stamp, x, y, i, j))
    return flux, area


@jit
def circle_fluxes(
    stamps: np.ndarray, x: np.ndarray, y: np.ndarray, radii: np.ndarray, out: np.ndarray
) -> None:
    """Fill `out` (n, k) with the sums of stamps (n, size, size) in circles about (x, y), pixels from 0."""
    told = np.zeros(APERTURES)
    for n in range(stamps.shape[0]):
        for k in range(radii.size):
            out[n, k] = _circle(stamps[n], x[n], y[n], radii[k], told)[0]


@jit
def _half_light(stamp: np.ndarray, x: float, y: float, limit: float, half: float, curve: np.ndarray) -> float:
    """Radius of the circle that holds the flux `half`, from a growth curve up to `limit`."""
    radius = _FIRST_REACH * limit
    while True:
        radius = min(radius, limit)
        _grow(stamp, x, y, radius, _GROWTH / limit, curve)
        total = 0.0
        for place in range(_GROWTH if radius == limit else int(radius * _GROWTH / limit)):
            if total + curve[place] >= half:
                part = (half - total) / curve[place] if curve[place] != 0.0 else 0.0
                return max(min((place + part) * limit / _GROWTH, limit), _LEAST_HALF_LIGHT)
            total += curve[place]
        if radius == limit:
            return limit
        radius *= 2.0


@jit
def _grow(stamp: np.ndarray, x: float, y: float, radius: float, per_pixel: float, curve: np.ndarray) -> None:
    """Fill `curve` with the flux in rings of which `per_pixel` make a pixel; whole up to `radius`."""
    curve[:] = 0.0
    low, high = _bounds(stamp, x, radius + 1.5)
    bottom, top = _bounds(stamp, y, radius + 1.5)
    for j in range(bottom, top):
        for i in range(low, high):
            dx, dy = i - x, j - y
            r2 = dx * dx + dy * dy
            if r2 >= (radius + 1.5) ** 2 or stamp[j, i] == OUTSIDE:
                continue
            value = np.float64(stamp[j, i]) if stamp[j, i] > _USABLE else _opposite(stamp, x, y, i, j)
            # far out a pixel spans little of the curve
            fine = _FINE if r2 < 36.0 else 2
            for m in range(fine):
                v = dy + (m + 0.5) / fine - 0.5
                for k in range(fine):
                    u = dx + (k + 0.5) / fine - 0.5
                    place = int(np.sqrt(u * u + v * v) * per_pixel)
                    if place < _GROWTH:
                        curve[place] += value / (fine * fine)


@jit
def _window(
    stamp: np.ndarray, x: float, y: float, sigma: float, variance: float, gain: float, found: np.ndarray
) -> None:
    """Position under a Gaussian window of `sigma` that follows it, its errors and its signal to noise.

    A window that wanders off to a neighbour tells nothing: then the position is the one it began at.
    """
    reach = _WINDOW * sigma
    at_x, at_y = x, y
    across, along = np.empty(stamp.shape[1]), np.empty(stamp.shape[0])
    light, noise2, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    for _ in range(_ROUNDS):
        light, dx_sum, dy_sum, noise2, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        low, high = _bounds(stamp, at_x, reach)
        bottom, top = _bounds(stamp, at_y, reach)
        # a Gaussian is the product of one in x and one in y
        for i in range(low, high):
            across[i - low] = np.exp(-0.5 * (i - at_x) ** 2 / (sigma * sigma))
        for j in range(bottom, top):
            along[j - bottom] = np.exp(-0.5 * (j - at_y) ** 2 / (sigma * sigma))
        for j in range(bottom, top):
            for i in range(low, high):
                dx, dy = i - at_x, j - at_y
                r2 = dx * dx + dy * dy
                if r2 > reach * reach or stamp[j, i] == OUTSIDE:
                    continue
                value = (
                    np.float64(stamp[j, i]) if stamp[j, i] > _USABLE else _opposite(stamp, at_x, at_y, i, j)
                )
                weight = across[i - low] * along[j - bottom]
                spread = weight * weight * (variance + max(value, 0.0) / gain)
                light += weight * value
                dx_sum += weight * value * dx
                dy_sum += weight * value * dy
                noise2 += spread
                xx += spread * (dx * dx + _PIXEL)
                yy += spread * (dy * dy + _PIXEL)
                xy += spread * dx * dy
        if not light > 0.0:
            break
        # the window pulls the mean half the way back: twice the step
        at_x += 2.0 * dx_sum / light
        at_y += 2.0 * dy_sum / light
        if dx_sum * dx_sum + dy_sum * dy_sum < (_SETTLED * light) ** 2:
            break
        if (at_x - x) ** 2 + (at_y - y) ** 2 > 4.0 * sigma * sigma:
            at_x, at_y = x, y
            break
    found[X_WIN], found[Y_WIN] = at_x, at_y
    if light > 0.0 and noise2 > 0.0:
        found[SNR] = light / np.sqrt(noise2)
        scale = 4.0 / (light * light)
        found[ERR_XX], found[ERR_YY], found[ERR_XY] = xx * scale, yy * scale, xy * scale


@jit
def _bits_around(mask: np.ndarray, x: float, y: float, radius: float) -> int:
    bits = 0
    for j in range(max(0, int(y - radius + 0.5)), min(mask.shape[0], int(y + radius + 1.5))):
        for i in range(max(0, int(x - radius + 0.5)), min(mask.shape[1], int(x + radius + 1.5))):
            if (i - x) ** 2 + (j - y) ** 2 <= radius * radius:
                bits |= mask[j, i]
    return bits


@jit
def _extent(cxx: float, cyy: float, cxy: float, k: float) -> float:
    """How far an ellipse of k axes reaches along x or y, whichever is more."""
    along_x = cxx - cxy * cxy / (4.0 * cyy)
    along_y = cyy - cxy * cxy / (4.0 * cxx)
    least = min(along_x, along_y)
    return k / np.sqrt(least) if least > 0.0 else 0.0


@jit
def measure_objects(
    data: np.ndarray,
    mask: np.ndarray,
    excluded: int,
    levels: np.ndarray,
    noises: np.ndarray,
    least_noise: float,
    knots: np.ndarray,
    runs: np.ndarray,
    starts: np.ndarray,
    offsets: np.ndarray,
    owner: np.ndarray,
    objects: np.ndarray,
    numbers: np.ndarray,
    gain: float,
    radii: np.ndarray,
    kron: tuple[float, float],
    found: np.ndarray,
) -> None:
    """Measure the objects (n, FIELDS) into `found` (n, APERTURES + 2 len(radii)), positions from 0.

    `numbers` (n,) is what `owner` calls them; `radii` are those of the circles, pixels; `kron` the factor and
    the least radius of the ellipse in axes. Fluxes are sums of sky-free pixels, errors those of the sky's
    noise and the photons, `gain` in e- per unit.
    """
    side = 0
    buffer = np.empty(1, np.float32)
    curve = np.empty(_GROWTH)
    for n in range(objects.shape[0]):
        one, told = objects[n], found[n]
        told[:] = 0.0
        x_mid, y_mid = int(np.floor(one[X] + 0.5)), int(np.floor(one[Y] + 0.5))
        column, row = min(max(x_mid, 0), data.shape[1] - 1), min(max(y_mid, 0), data.shape[0] - 1)
        told[NOISE] = max(draw_point(noises[row], knots, column), least_noise)
        told[LEVEL] = draw_point(levels[row], knots, column)
        variance = told[NOISE] ** 2
        cxx, cyy, cxy = one[CXX], one[CYY], one[CXY]
        limit = _REACH * one[A]
        reach = max(limit + 2.5, _extent(cxx, cyy, cxy, _REACH))
        for k in range(radii.size):
            reach = max(reach, radii[k] + 2.0)
        k_axes = 0.0
        # a second stamp only where Kron's ellipse leaves the first
        for attempt in range(2):
            half = int(np.ceil(reach)) + 1
            side = 2 * half + 1
            if side * side > buffer.size:
                buffer = np.empty(side * side, np.float32)
            stamp = buffer[: side * side].reshape((side, side))
            x0, y0 = x_mid - half, y_mid - half
            _stamp(
                data, mask, excluded, levels, knots, runs, starts, offsets, owner, numbers[n], x0, y0, stamp
            )
            x, y = one[X] - x0, one[Y] - y0
            if attempt == 0:
                k_axes = max(kron[0] * _kron_factor(stamp, x, y, cxx, cyy, cxy, reach, told), kron[1])
            wanted = _extent(cxx, cyy, cxy, k_axes)
            if wanted <= reach:
                break
            reach = wanted
        told[KRON] = k_axes
        flux, area = _ellipse(stamp, x, y, cxx, cyy, cxy, k_axes, reach, told)
        told[AUTO], told[AUTO_ERROR] = flux, np.sqrt(area * variance + max(flux, 0.0) / gain)
        for k in range(radii.size):
            light, covered = _circle(stamp, x, y, radii[k], told)
            told[APERTURES + 2 * k] = light
            told[APERTURES + 2 * k + 1] = np.sqrt(covered * variance + max(light, 0.0) / gain)
        told[HALF_LIGHT] = _half_light(stamp, x, y, limit, 0.5 * flux, curve)
        sigma = min(told[HALF_LIGHT] * 2.0 / 2.35, 20.0)
        _window(stamp, x, y, sigma, variance, gain, told)
        told[X_WIN] += x0
        told[Y_WIN] += y0
        if mask.size:
            told[WINDOW_BITS] = _bits_around(mask, told[X_WIN], told[Y_WIN], 2.0 * sigma)
