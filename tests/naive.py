"""A slow, obvious twin of each compiled kernel: the tests hold the fast one to it."""

import math
import statistics

import numpy as np


def combine(stack, method="median", rejection=None, scales=None, zeros=None, masks=None):
    """Value, count and sigma of each pixel, one at a time, from lists."""
    n, ny, nx = stack.shape
    scales = [1.0] * n if scales is None else list(scales)
    zeros = [0.0] * n if zeros is None else list(zeros)
    value = np.full((ny, nx), np.nan)
    count = np.zeros((ny, nx), dtype=int)
    sigma = np.full((ny, nx), np.nan)
    for y in range(ny):
        pixels = [
            _pixel(stack[:, y, x], scales, zeros, None if masks is None else masks[:, y, x])
            for x in range(nx)
        ]
        row_sigma = _row_sigma(pixels, scales, zeros)
        for x, pixel in enumerate(pixels):
            if not pixel:
                continue
            kept = [v for v, _ in _reject(pixel, rejection, n, row_sigma, scales, zeros)]
            centre = statistics.median(kept) if method == "median" else sum(kept) / len(kept)
            value[y, x], count[y, x] = centre, len(kept)
            squares = sum((v - centre) ** 2 for v in kept)
            sigma[y, x] = math.sqrt(squares / (len(kept) - 1)) if len(kept) > 1 else 0.0
    return value, count, sigma


def _pixel(values, scales, zeros, mask):
    pairs = []
    for i, raw in enumerate(values):
        if not math.isnan(raw) and not math.isinf(raw) and not (mask is not None and mask[i]):
            pairs.append((float(np.float32(raw / scales[i] - zeros[i])), i))
    return sorted(pairs)


def _row_sigma(pixels, scales, zeros):
    total, n = 0.0, 0
    for pixel in pixels:
        if len(pixel) >= 3:
            median = statistics.median(v for v, _ in pixel)
            n += len(pixel)
            for v, i in pixel:
                total += (v - median) ** 2 / max(1.0, (median + zeros[i]) / scales[i])
    return math.sqrt(total / (n - 1)) if n > 1 else 0.0


def _reject(pixel, rule, total, row_sigma, scales, zeros):
    if rule is None or rule.kind == "none":
        return pixel
    if rule.kind == "minmax":
        low = int(rule.nlow * len(pixel) / total + 0.001)
        high = int(rule.nhigh * len(pixel) / total + 0.001)
        kept = pixel[low : len(pixel) - high]
        return kept if len(kept) >= min(len(pixel), max(1, rule.nkeep)) else pixel
    return _clip(pixel, rule, row_sigma, scales, zeros)


def _clip(pixel, rule, row_sigma, scales, zeros):
    least = max(2 if rule.kind == "ccdclip" else 3, min(len(pixel), rule.nkeep) + 1)
    kept, gone = list(pixel), []
    while len(kept) >= least:
        median = statistics.median(v for v, _ in kept)
        own = math.sqrt(sum((v - median) ** 2 for v, _ in kept) / (len(kept) - 1))

        def sigma_of(i, median=median, own=own):
            s, z = scales[i], zeros[i]
            if rule.kind == "sigclip":
                return own
            if rule.kind == "avsigclip":
                return row_sigma * math.sqrt(max(1.0, (median + z) / s))
            level = max(0.0, s * (median + z))
            return math.sqrt((rule.read_noise_e / rule.gain) ** 2 + level / rule.gain) / s

        def beyond(pair, sigma_of=sigma_of, median=median):
            sigma, off = sigma_of(pair[1]), pair[0] - median
            if sigma > 0 and (off < -rule.low_sigma * sigma or off > rule.high_sigma * sigma):
                return abs(off) / sigma
            return None

        # from both ends inwards, until one value is good
        out = []
        for side in (kept, kept[::-1]):
            for pair in side:
                residual = beyond(pair)
                if residual is None or pair in [o for _, o in out]:
                    break
                out.append((residual, pair))
        if not out:
            break
        gone += out
        kept = [pair for pair in kept if pair not in [o for _, o in out]]
    below = sorted((o for o in gone if o[1] < min(kept or [(math.inf, 0)])), key=lambda o: o[1])
    above = sorted((o for o in gone if o not in below), key=lambda o: o[1], reverse=True)
    while len(kept) < min(len(pixel), rule.nkeep):
        best = min(side[-1][0] for side in (below, above) if side)
        for side in (below, above):
            while side and side[-1][0] <= best + 0.001:
                kept.append(side.pop()[1])
    return sorted(kept)


def coadd(values, weights, method="clipped", clip_sigma=4.0, clip_fraction=0.3):
    """Value, weight and count of each pixel of resampled frames (n, ny, nx), one pixel at a time."""
    _, ny, nx = values.shape
    value, weight = np.zeros((ny, nx)), np.zeros((ny, nx))
    count = np.zeros((ny, nx), dtype=int)
    for y in range(ny):
        for x in range(nx):
            pairs = list(zip(map(float, values[:, y, x]), map(float, weights[:, y, x]), strict=True))
            good = [(v, w) for v, w in pairs if w > 0]
            masked = [(v, -w) for v, w in pairs if w < 0]
            middle = statistics.median(v for v, _ in good) if good else 0.0
            if method == "clipped" and len(good) >= 3:
                good = [
                    (v, w)
                    for v, w in good
                    if abs(v - middle) <= clip_sigma / math.sqrt(w) + clip_fraction * abs(middle)
                ]
            weight[y, x], count[y, x] = sum(w for _, w in good), len(good)
            part = good or masked
            if part:
                value[y, x] = sum(v * w for v, w in part) / sum(w for _, w in part)
            if good and method == "median":
                value[y, x] = middle
    return value, weight, count


def lanczos(image, x, y, order=3):
    """Value of an image at one position (zero-based), the weights corrected to reproduce a plane."""

    def weights(at):
        taps = range(math.floor(at) - order + 1, math.floor(at) + order + 1)
        raw = {tap: float(np.sinc(at - tap) * np.sinc((at - tap) / order)) for tap in taps}
        window = {tap: math.cos(math.pi * (tap - at) / (2 * order)) ** 2 for tap in taps}
        m0, m1, m2 = (sum(window[tap] * (tap - at) ** power for tap in taps) for power in range(3))
        lack = 1 - sum(raw.values())
        tilt = -sum(raw[tap] * (tap - at) for tap in taps)
        a, b = np.linalg.solve([[m0, m1], [m1, m2]], [lack, tilt])
        return {tap: raw[tap] + window[tap] * (a + b * (tap - at)) for tap in taps}

    return sum(
        wy * wx * float(image[row, column])
        for row, wy in weights(y).items()
        for column, wx in weights(x).items()
    )


def fill_holes(rows, holes, keep, reach=3):
    """Holes become the mean of good pixels near them, weighted by 1 / distance squared, or 0, or stay."""
    filled = rows.astype(float)
    for y, x in np.argwhere(holes):
        near = [
            (1 / ((v - y) ** 2 + (u - x) ** 2), float(rows[v, u]))
            for v in range(max(0, y - reach), min(rows.shape[0], y + reach + 1))
            for u in range(max(0, x - reach), min(rows.shape[1], x + reach + 1))
            if not holes[v, u]
        ]
        if near:
            filled[y, x] = sum(w * v for w, v in near) / sum(w for w, _ in near)
        elif not holes[y, x] & keep:
            filled[y, x] = 0.0
    return filled


def laplacian_contrast(image, ys, xs, floor):
    """L.A.Cosmic's Laplacian over twice the fine structure, from whole filtered images."""
    from scipy import ndimage

    image = np.asarray(image, dtype=float)
    padded = np.pad(image, 1, mode="edge")
    fine_grid = np.repeat(np.repeat(padded, 2, axis=0), 2, axis=1)
    kernel = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    sharp = np.maximum(ndimage.convolve(fine_grid, kernel), 0)[2:-2, 2:-2]
    ny, nx = image.shape
    laplacian = sharp.reshape(ny, 2, nx, 2).mean(axis=(1, 3))
    wide = np.pad(image, 4, mode="edge")
    medians = ndimage.median_filter(wide, 3)
    fine = (medians - ndimage.median_filter(medians, 7))[4:-4, 4:-4]
    return (laplacian / 2 / np.maximum(fine, floor))[ys, xs]


def interpolate(data, usable, ys, xs, method, largest_radius):
    """Values of pixels from the good ones around: 0 inverse distance, 1 median, 2 linear."""
    good = [(int(j), int(i)) for j, i in zip(*np.nonzero(usable), strict=True)]
    values = []
    for y, x in zip(ys, xs, strict=True):
        value = _between(data, usable, y, x) if method == 2 else math.nan
        if math.isnan(value):
            near = []
            for radius in range(2, largest_radius + 1):
                near = [(j, i) for j, i in good if abs(j - y) <= radius and abs(i - x) <= radius]
                if len(near) >= 3:
                    break
            value = _from_near(data, near, y, x, method)
        values.append(value)
    return np.array(values, dtype=np.float32)


def _from_near(data, near, y, x, method):
    if not near:
        return math.nan
    if method == 1:
        return statistics.median(float(data[p]) for p in near)
    weights = [1 / ((j - y) ** 2 + (i - x) ** 2) for j, i in near]
    return sum(w * float(data[p]) for w, p in zip(weights, near, strict=True)) / sum(weights)


def _between(data, usable, y, x):
    best, shortest = math.nan, math.inf
    for line, flags, here in ((data[y], usable[y], x), (data[:, x], usable[:, x], y)):
        before = [i for i in range(here) if flags[i]]
        after = [i for i in range(here + 1, len(line)) if flags[i]]
        if before and after and after[0] - before[-1] < shortest:
            shortest = after[0] - before[-1]
            part = (here - before[-1]) / shortest
            best = float(line[before[-1]]) * (1 - part) + float(line[after[0]]) * part
    return best


def clipped(values):
    """Median, mean, sigma and number of what stays within 3 sigma of the median."""
    kept = np.sort([float(v) for v in values if math.isfinite(v)])
    n = len(kept)
    sigma = (kept[int(0.84135 * (n - 1))] - kept[int(0.15865 * (n - 1))]) / 2
    everything = kept
    while True:
        median = np.median(kept)
        still = everything[np.abs(everything - median) <= 3 * sigma]
        if len(still) == len(kept) and (still == kept).all():
            break
        kept, sigma = still, still.std() / 0.98658
    return median, kept.mean(), kept.std() / (0.98658 if len(kept) < n else 1), len(kept)


def mark_columns(values, full, near, grow):
    """Saturated pixels, what they bleed into, and `grow` pixels more at both ends, column by column."""
    out = np.zeros(values.shape, dtype=bool)
    ny = len(values)
    for x in range(values.shape[1]):
        bled = set()
        for y in range(ny):
            if values[y, x] >= full:
                for step in (1, -1):
                    at = y
                    while 0 <= at < ny and values[at, x] >= near:
                        bled.add(at)
                        at += step
        for y in bled:
            out[max(0, y - grow) : y + grow + 1, x] = True
    return out


def bin_mean(data, mask, bits, factor):
    """Means and numbers of the good pixels in squares of `factor` pixels."""
    ny, nx = data.shape
    shape = math.ceil(ny / factor), math.ceil(nx / factor)
    mean, count = np.zeros(shape), np.zeros(shape, dtype=int)
    for j, i in np.ndindex(shape):
        box = slice(j * factor, (j + 1) * factor), slice(i * factor, (i + 1) * factor)
        good = ((mask[box] & bits) == 0) & np.isfinite(data[box])
        count[j, i] = good.sum()
        mean[j, i] = data[box][good].mean() if good.any() else 0
    return mean, count


def count_votes(ys, xs, angles, half):
    """Votes of points for lines: a histogram of their distances at each angle."""
    edges = np.arange(-half - 0.5, half + 1)
    return np.array([np.histogram(xs * math.cos(a) + ys * math.sin(a), edges)[0] for a in angles])
