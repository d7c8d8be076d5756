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
