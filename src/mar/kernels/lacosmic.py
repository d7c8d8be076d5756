"""One round of L.A.Cosmic (van Dokkum 2001, PASP 113, 1420) in boxes of an image, fused.

Cosmic rays have sharper edges than the optics can make: the Laplacian of the image shows them. Numbers, order
and borders are those of astroscrappy (McCully et al. 2018) with separable medians, a known sky and `meanmask`
cleaning: the mask is the same. A box is worked on with REACH pixels around it, all of it in the cache, in
loops along rows that the compiler turns into vector operations. The Laplacian of the image subsampled by
two has a closed form, and nothing is subsampled. All is float32.
"""

from threading import local
from typing import NamedTuple

import numpy as np

from mar.kernels.jit import jit
from mar.kernels.left_out import LeftOut, any_left_out, bits_in
from mar.kernels.mesh import Sky, draw_part, sky_at
from mar.kernels.separable import separable_median
from mar.kernels.threads import bands, in_threads

REACH = 8  # how far one round looks: two medians of 7 or those of 5 and 9 make 6, two growths 2
CLEANED_FROM = 2  # a hit pixel becomes the mean of the good pixels up to so far around it
TOGETHER = 16  # boxes that a thread takes at a time
_BUFFERS = 6
_ZERO, _QUARTER, _TWO = np.float32(0), np.float32(0.25), np.float32(2)
_INFINITE = np.float32(np.inf)
_LEAST_VARIANCE = np.float32(0.00001)  # electrons^2
_LEAST_FINE = np.float32(0.01)  # sigma


class Rule(NamedTuple):
    """What a pixel hit by a cosmic ray is like; all float32."""

    sigclip: np.float32  #: least Laplacian, sigma
    siglow: np.float32  #: the same for neighbours of a hit pixel
    objlim: np.float32  #: least contrast with the fine structure
    gain: np.float32  #: e-/ADU
    read_variance: np.float32  #: electrons^2


class _Seen(NamedTuple):
    """The images looked at, (ny, nx)."""

    image: np.ndarray  #: ADU, with its sky
    sky: Sky  #: ADU
    left_out: LeftOut  #: pixels never hit, nor are those that touch them
    hits: np.ndarray  #: found by the rounds before, and cleaned for this one


@jit
def _high(a: np.float32, b: np.float32) -> np.float32:
    return b if a < b else a


@jit
def _above_sky(image: np.ndarray, sky: np.ndarray, gain: np.float32, light: np.ndarray) -> None:
    """A row in electrons above the sky; nothing where it is not finite."""
    for x in range(light.size):
        electrons = image[x] * gain - sky[x] * gain
        light[x] = electrons if abs(electrons) < _INFINITE else _ZERO


@jit
def _noise(sky: np.ndarray, rule: Rule, noise: np.ndarray) -> None:
    """The sigma of a row of pixels from the median of the light around each, in place; electrons."""
    for x in range(noise.size):
        variance = (noise[x] + rule.read_variance) + sky[x] * rule.gain
        noise[x] = np.sqrt(_high(_LEAST_VARIANCE, variance))


@jit
def _laplacian(here, left, right, below, above, out):  # type: ignore[no-untyped-def]
    """The positive Laplacian of the image subsampled by two, averaged over each pixel."""
    for x in range(out.size):
        twice = _TWO * here[x]
        a, b = _high(twice - left[x] - below[x], _ZERO), _high(twice - left[x] - above[x], _ZERO)
        c, d = _high(twice - right[x] - above[x], _ZERO), _high(twice - right[x] - below[x], _ZERO)
        out[x] = _QUARTER * (a + b + c + d)


@jit
def _over_noise(noise: np.ndarray, signal: np.ndarray) -> None:
    for x in range(signal.size):
        signal[x] = signal[x] / (_TWO * noise[x])


@jit
def _less(smooth: np.ndarray, signal: np.ndarray) -> None:
    for x in range(signal.size):
        signal[x] = signal[x] - smooth[x]


@jit
def _any_above(row: np.ndarray, limit: np.float32) -> np.bool:
    """Whether any value exceeds the limit: all are looked at, which is faster than to stop."""
    number = np.int32(0)
    for x in range(row.size):
        number += np.int32(row[x] > limit)
    return number > 0


@jit
def _good(seen: _Seen, y: int, x: int) -> bool:
    """Whether a pixel may be hit: neither it nor one that touches it is left out."""
    ny, nx = seen.image.shape
    for v in range(max(0, y - 1), min(ny, y + 2)):
        for u in range(max(0, x - 1), min(nx, x + 2)):
            if not abs(seen.image[v, u]) < _INFINITE:
                return False
    return not any_left_out(seen.left_out, y, x, 1)


@jit
def _mean_around(seen: _Seen, y: int, x: int, gain: np.float32) -> np.float32:
    """Mean of the good pixels around one that was hit, electrons above the sky; 0 where there is none."""
    total, number = _ZERO, 0
    for v in range(y - CLEANED_FROM, y + CLEANED_FROM + 1):
        for u in range(x - CLEANED_FROM, x + CLEANED_FROM + 1):
            if not seen.hits[v, u] and _good(seen, v, u):
                total += seen.image[v, u] * gain - sky_at(seen.sky, v, u) * gain
                number += 1
    return total / np.float32(number) if number else _ZERO


@jit
def _light(seen: _Seen, y0: int, x0: int, gain: np.float32, sky: np.ndarray, light: np.ndarray) -> None:
    """The sky and the electrons above it in a window with corner (y0, x0), cleaned of the known hits."""
    ny, nx = seen.image.shape
    h, w = light.shape
    for y in range(h):
        columns = slice(x0, x0 + w)
        draw_part(seen.sky, y0 + y, x0, sky[y])
        _above_sky(seen.image[y0 + y, columns], sky[y], gain, light[y])
        inner = CLEANED_FROM <= y0 + y < ny - CLEANED_FROM
        if not inner or not seen.hits[y0 + y, columns].any():
            continue
        for x in range(max(x0, CLEANED_FROM), min(x0 + w, nx - CLEANED_FROM)):
            if seen.hits[y0 + y, x]:
                light[y, x - x0] = _mean_around(seen, y0 + y, x, gain)


@jit
def _sharpness(
    light: np.ndarray, noise: np.ndarray, rows: np.ndarray, smooth: np.ndarray, signal: np.ndarray
) -> None:
    """The Laplacian over twice the noise, less its median over 7 x 7; it is dark beyond the borders."""
    h, w = light.shape
    padded, dark = np.zeros(w + 2, dtype=np.float32), np.zeros(w, dtype=np.float32)
    for y in range(h):
        padded[1 : w + 1] = light[y]
        below = light[y - 1] if y > 0 else dark
        above = light[y + 1] if y + 1 < h else dark
        _laplacian(light[y], padded[:w], padded[2:], below, above, signal[y])
        _over_noise(noise[y], signal[y])
    separable_median(signal, 7, rows, smooth)
    for y in range(h):
        _less(smooth[y], signal[y])


@jit
def _seeds(seen, y0, x0, signal, noise, fine, smooth, rule):  # type: ignore[no-untyped-def]
    """Pixels (y, x) of the window above `sigclip`: those of enough contrast, and those that touch them."""
    h, w = signal.shape
    seeds = []
    for y in range(h):
        if not _any_above(signal[y], rule.sigclip):
            continue
        for x in range(w):
            if not signal[y, x] > rule.sigclip:
                continue
            structure = _high(_LEAST_FINE, (fine[y, x] - smooth[y, x]) / noise[y, x])
            if not signal[y, x] / structure > rule.objlim or not _good(seen, y0 + y, x0 + x):
                continue
            for v in range(max(0, y - 1), min(h, y + 2)):
                for u in range(max(0, x - 1), min(w, x + 2)):
                    if signal[v, u] > rule.sigclip and _good(seen, y0 + v, x0 + u):
                        seeds.append((v, u))
    return seeds


@jit
def _look(seen: _Seen, box: np.ndarray, rule: Rule, room: np.ndarray, found: np.ndarray) -> None:
    """Mark the hits within one box."""
    ny, nx = seen.image.shape
    y0, y1 = max(0, box[0] - REACH), min(ny, box[1] + REACH)
    x0, x1 = max(0, box[2] - REACH), min(nx, box[3] + REACH)
    h, w = y1 - y0, x1 - x0
    images = room[: _BUFFERS * h * w].reshape(_BUFFERS, h, w)
    light, noise, signal = images[0], images[1], images[2]
    rows, spare, sky = images[3], images[4], images[5]
    _light(seen, y0, x0, rule.gain, sky, light)
    separable_median(light, 7, rows, noise)
    for y in range(h):
        _noise(sky[y], rule, noise[y])
    _sharpness(light, noise, rows, spare, signal)
    if not _any_above(signal.ravel(), rule.sigclip):
        return
    separable_median(light, 5, rows, spare)
    separable_median(spare, 9, rows, light)
    for y, x in _seeds(seen, y0, x0, signal, noise, spare, light, rule):
        for v in range(max(box[0] - y0, y - 1), min(box[1] - y0, y + 2)):
            for u in range(max(box[2] - x0, x - 1), min(box[3] - x0, x + 2)):
                if signal[v, u] > rule.siglow and _good(seen, y0 + v, x0 + u):
                    found[y0 + v, x0 + u] = 1


@jit
def _look_into(seen: _Seen, boxes: np.ndarray, rule: Rule, room: np.ndarray, found: np.ndarray) -> None:
    for box in boxes:
        _look(seen, box, rule, room, found)


def look_once(
    image: np.ndarray,
    sky: Sky,
    left_out: LeftOut,
    hits: np.ndarray,
    boxes: np.ndarray,
    rule: Rule,
    found: np.ndarray,
) -> None:
    """Set `found` (ny, nx, uint8) to 1 where this round finds a cosmic ray; it looks only into `boxes`.

    `image` (ny, nx) float32, ADU; `left_out`: pixels that are never hit; `hits` (ny, nx) bool: those that
    earlier rounds found, which are cleaned first. `boxes` (n, 4): rows from and to, columns from and to.
    """
    size = (boxes[:, 1] - boxes[:, 0] + 2 * REACH) * (boxes[:, 3] - boxes[:, 2] + 2 * REACH)
    most, seen = _BUFFERS * int(size.max(initial=0)), _Seen(image, sky, left_out, hits)
    own = local()

    def look(part: tuple[int, int]) -> None:
        if not hasattr(own, "room"):
            own.room = np.empty(most, dtype=np.float32)
        _look_into(seen, boxes[slice(*part)], rule, own.room, found)

    in_threads(look, bands(len(boxes), TOGETHER))


@jit
def take_new(found: np.ndarray, hits: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Rows and columns (n, 2) of the pixels set in `found` within the boxes; known hits are cleared."""
    places, n = np.empty((1024, 2), dtype=np.int64), 0
    for box in boxes:
        for y in range(box[0], box[1]):
            if not bits_in(found[y, box[2] : box[3]]):
                continue
            for x in range(box[2], box[3]):
                if found[y, x] and hits[y, x]:
                    found[y, x] = 0
                elif found[y, x]:
                    if n == len(places):
                        places = np.concatenate((places, np.empty_like(places)))
                    places[n, 0], places[n, 1] = y, x
                    n += 1
    return places[:n]
