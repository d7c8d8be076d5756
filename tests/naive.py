"""A slow, obvious twin of each compiled kernel: the tests hold the fast one to it."""

import math
import statistics

import numpy as np


def combine(stack, method="median", rejection=None, scales=None, zeros=None, masks=None):
    """Value, count, sigma and rejected values of each pixel, one at a time, from lists."""
    n, ny, nx = stack.shape
    scales = [1.0] * n if scales is None else list(scales)
    zeros = [0.0] * n if zeros is None else list(zeros)
    value = np.full((ny, nx), np.nan)
    count = np.zeros((ny, nx), dtype=int)
    sigma = np.full((ny, nx), np.nan)
    rejected = np.zeros((n, ny, nx), dtype=int)
    noise = _noise(rejection, scales, zeros)
    for y in range(ny):
        pixels = [
            _pixel(stack[:, y, x], scales, zeros, None if masks is None else masks[:, y, x])
            for x in range(nx)
        ]
        row_sigma = _row_sigma(pixels, rejection, noise)
        for x, pixel in enumerate(pixels):
            if not pixel:
                continue
            survivors = _reject(pixel, rejection, n, row_sigma, noise)
            for pair in pixel:
                rejected[pair[1], y, x] = pair not in survivors
            if not survivors:
                continue
            kept = [v for v, _ in survivors]
            centre = statistics.median(kept) if method == "median" else sum(kept) / len(kept)
            value[y, x], count[y, x] = centre, len(kept)
            squares = sum((v - centre) ** 2 for v in kept)
            sigma[y, x] = math.sqrt(squares / (len(kept) - 1)) if len(kept) > 1 else 0.0
    return value, count, sigma, rejected


def _noise(rule, scales, zeros):
    """poisson(level, i) and ccd(level, i): the variances expected of frame i's scaled value."""
    weighted = len(set(scales)) > 1 and 0 < rule.sigscale < max(abs(s - 1) for s in scales)

    def poisson(level, i):
        if weighted:
            return max(1.0, (level + zeros[i]) / scales[i])
        return 1.0 if rule.kind == "sigclip" else max(1.0, level)

    def ccd(level, i):
        s, z = (scales[i], zeros[i]) if weighted else (1.0, 0.0)
        signal = max(0.0, s * (level + z))
        photons = signal / rule.gain + (rule.sensitivity * signal) ** 2
        return ((rule.read_noise_e / rule.gain) ** 2 + photons) / s**2

    return poisson, ccd


def _pixel(values, scales, zeros, mask):
    pairs = []
    for i, raw in enumerate(values):
        if not math.isnan(raw) and not math.isinf(raw) and not (mask is not None and mask[i]):
            pairs.append((float(np.float32(raw / scales[i] - zeros[i])), i))
    return sorted(pairs)


def _middle(pairs, rule, number):
    """What a round of clipping is about."""
    values = [v for v, _ in pairs]
    if rule.centre == "median":
        return statistics.median(values)
    if len(values) > 2 and (number == 0 or rule.kind == "ccdclip"):
        values = sorted(values)[1:-1]
    return sum(values) / len(values)


def _row_sigma(pixels, rule, noise):
    total, n = 0.0, 0
    for pixel in pixels:
        if len(pixel) >= 3:
            middle = _middle(pixel, rule, 0)
            n += len(pixel)
            for v, i in pixel:
                total += (v - middle) ** 2 / noise[0](middle, i)
    return math.sqrt(total / (n - 1)) if n > 1 else 0.0


def _must_stay(n, nkeep):
    return min(n, nkeep) if nkeep >= 0 else max(0, n + nkeep)


def _reject(pixel, rule, total, row_sigma, noise):
    if rule.kind == "none":
        return pixel
    if rule.kind == "minmax":
        low = int(rule.nlow * len(pixel) / total + 0.001)
        high = int(rule.nhigh * len(pixel) / total + 0.001)
        kept = pixel[low : len(pixel) - high]
        return kept if len(kept) >= min(len(pixel), max(1, rule.nkeep)) else pixel
    least = max(2 if rule.kind == "ccdclip" else 3, _must_stay(len(pixel), rule.nkeep) + 1)
    kept, gone = list(pixel), []
    for number in range(1 if rule.kind == "pclip" else rule.rounds or 1000):
        if len(kept) < least:
            break
        out = _beyond(kept, rule, total, row_sigma, noise, number)
        if not out:
            break
        gone += out
        kept = [pair for pair in kept if pair not in [o for _, o, _ in out]]
    return _given_back(pixel, kept, gone, rule)


def _beyond(kept, rule, total, row_sigma, noise, number):
    """(residual, pair, side) of what goes in one round: from both ends inwards, until one value is good."""
    middle = _middle(kept, rule, number)
    poisson, ccd = noise
    common = row_sigma
    if rule.kind == "sigclip":
        common = math.sqrt(sum((v - middle) ** 2 / poisson(middle, i) for v, i in kept) / (len(kept) - 1))
    if rule.kind == "pclip":
        common = _percentile_sigma(kept, rule, total, middle)

    def sigma_of(i):
        if rule.kind == "ccdclip":
            return math.sqrt(ccd(middle, i))
        return common if rule.kind == "pclip" else common * math.sqrt(poisson(middle, i))

    out = []
    for side, limit, sign in ((kept, rule.low_sigma, -1), (kept[::-1], rule.high_sigma, 1)):
        for pair in side:
            off, sigma = sign * (pair[0] - middle), sigma_of(pair[1])
            far = sigma > 0 and (off >= limit * sigma if rule.kind == "pclip" else off > limit * sigma)
            if not far or pair in [o for _, o, _ in out]:
                break
            out.append((off / sigma, pair, sign))
    return out


def _percentile_sigma(kept, rule, total, median):
    n, half = len(kept), total // 2
    places = int(rule.pclip * half if abs(rule.pclip) < 1 else rule.pclip)
    if rule.pclip < 0:
        places = min(-1, max(-half, places))
        place = max(0, (n // 2 - 1 if n % 2 == 0 else n // 2) + places)
    else:
        place = min(n - 1, n // 2 + max(1, min(half, places)))
    return abs(kept[place][0] - median)


def _given_back(pixel, kept, gone, rule):
    below = sorted((o for o in gone if o[2] < 0), key=lambda o: o[1])
    above = sorted((o for o in gone if o[2] > 0), key=lambda o: o[1], reverse=True)
    while len(kept) < _must_stay(len(pixel), rule.nkeep):
        best = min(side[-1][0] for side in (below, above) if side)
        for side in (below, above):
            while side and side[-1][0] <= best + 0.001:
                kept.append(side.pop()[1])
    return sorted(kept)


def subtract_level(rows, along_y, along_x, factor):
    """A level along y and one along x taken off, times a factor, pixel by pixel."""
    return np.array([[(v - ly - lx) * factor for v, lx in zip(row, along_x, strict=True)]
                     for row, ly in zip(rows.tolist(), along_y, strict=True)])  # fmt: skip


def apply_masters(rows, bias, flat, bad, mask):
    """Bias taken off and flat divided out, pixel by pixel; a pixel without a flat keeps its value."""
    data, marked = rows.astype(float), mask.copy()
    for place in np.ndindex(data.shape):
        data[place] -= bias[place]
        if flat[place] > 0 and np.isfinite(flat[place]):
            data[place] /= flat[place]
        else:
            marked[place] |= bad
    return data, marked


def draw_out(grid, at, length):
    """Linear between rows of a grid that lie at `at`, and beyond as the outermost two go on."""
    drawn = []
    for y in range(length):
        k = max(0, min(len(at) - 2, sum(a <= y for a in at) - 1))
        share = (y - at[k]) / (at[k + 1] - at[k])
        drawn.append([a + (b - a) * share for a, b in zip(grid[k], grid[k + 1], strict=True)])
    return np.array(drawn)


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


def fates(values, weights, method="clipped", clip_sigma=4.0, clip_fraction=0.3):
    """What became of each value of resampled frames: 0 outside, 1 used, 2 masked, 3 clipped."""
    found = np.where(weights > 0, 1, np.where(weights < 0, 2, 0))
    for y, x in np.ndindex(*values.shape[1:]):
        good = [frame for frame in range(len(values)) if weights[frame, y, x] > 0]
        if method == "clipped" and len(good) >= 3:
            middle = np.median([values[frame, y, x] for frame in good])
            for frame in good:
                limit = clip_sigma * weights[frame, y, x] ** -0.5 + clip_fraction * abs(middle)
                if abs(values[frame, y, x] - middle) > limit:
                    found[frame, y, x] = 3
    return found


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


def interpolate(data, usable, ys, xs, method, largest_radius):
    """Values of pixels from the good ones around: 0 inverse distance, 1 median, 2 linear."""
    good = [(int(j), int(i)) for j, i in zip(*np.nonzero(usable), strict=True)]
    values = []
    for y, x in zip(ys, xs, strict=True):
        value = _between(data, usable, y, x, largest_radius) if method == 2 else math.nan
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


def _between(data, usable, y, x, farthest):
    best, shortest = math.nan, math.inf
    for line, flags, here in ((data[y], usable[y], x), (data[:, x], usable[:, x], y)):
        before = [i for i in range(max(0, here - farthest), here) if flags[i]]
        after = [i for i in range(here + 1, min(len(line), here + farthest + 1)) if flags[i]]
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


def sums_along_lines(image):
    """Sums along digital lines through all rows that move right by 0 to rows - 1 columns, (moved, columns).

    The line that moves k over n rows moves k // 2 over the first n / 2, one more if k is odd at the step to
    the other half, and k // 2 over the rest. Columns are those where it begins; beyond the right border is 0.
    """
    rows, columns = image.shape
    if rows == 1:
        return image.copy()
    below, above = sums_along_lines(image[: rows // 2]), sums_along_lines(image[rows // 2 :])
    sums = np.zeros((rows, columns))
    for k, x in np.ndindex(rows, columns):
        beyond = x + k - k // 2
        sums[k, x] = below[k // 2, x] + (above[k // 2, beyond] if beyond < columns else 0)
    return sums


def block_means(data, mask, pattern, pattern_mask, bits, size, chosen, columns):
    """Mean sky and pattern of each block, NaN where less than half of it is usable."""
    height, width = size
    out = np.full((len(chosen), columns, 2), np.nan)
    for n, j in enumerate(chosen):
        for i in range(columns):
            block = np.s_[j * height : (j + 1) * height, i * width : (i + 1) * width]
            good = np.isfinite(data[block]) & np.isfinite(pattern[block])
            for one in (mask, pattern_mask):
                if one.size:
                    good &= (one[block] & bits) == 0
            if 2 * good.sum() >= good.size:
                out[n, i] = data[block][good].mean(), pattern[block][good].mean()
    return out
