"""Slow, obvious twins of the kernels that find cosmic rays: whole images, one filter after another."""

import numpy as np
from scipy import ndimage

TOUCHING = np.ones((3, 3), dtype=bool)


def separable_median(image, size):
    """Medians along rows, then along columns; the border keeps its values."""
    edge = size // 2
    out = image.copy()
    if min(image.shape) > 2 * edge:
        rows = np.median(np.lib.stride_tricks.sliding_window_view(image, size, axis=1), axis=-1)
        both = np.median(np.lib.stride_tricks.sliding_window_view(rows, size, axis=0), axis=-1)
        out[edge:-edge, edge:-edge] = both
    return out


def lacosmic(image, sky, left_out, rule, rounds):
    """L.A.Cosmic with separable medians and a known sky; every round looks at the whole image."""
    finite = np.isfinite(image)
    light = np.where(finite, image * rule.gain - sky * rule.gain, np.float32(0))
    bad = ndimage.binary_dilation(left_out | ~finite, TOUCHING)
    hits = np.zeros(image.shape, dtype=bool)
    for _ in range(rounds):
        found = _one_round(_cleaned(light, hits, bad), sky * rule.gain, bad, rule)
        if not found.any():
            break
        hits |= found
    return hits


def _one_round(light, sky, bad, rule):
    variance = separable_median(light, 7) + rule.read_variance + sky
    noise = np.sqrt(np.maximum(variance, np.float32(1e-5)))
    signal = _laplacian(light) / (np.float32(2) * noise)
    signal = signal - separable_median(signal, 7)
    smooth = separable_median(light, 5)
    structure = np.maximum((smooth - separable_median(smooth, 9)) / noise, np.float32(0.01))
    found = ~bad & (signal > rule.sigclip) & (signal / structure > rule.objlim)
    found = ndimage.binary_dilation(found, TOUCHING) & ~bad & (signal > rule.sigclip)
    return ndimage.binary_dilation(found, TOUCHING) & ~bad & (signal > rule.siglow)


def _laplacian(light):
    """Subsampled by two, in the dark; only what is positive; rebinned."""
    fine = np.pad(np.repeat(np.repeat(light, 2, axis=0), 2, axis=1), 1)
    here = 4 * fine[1:-1, 1:-1]
    sharp = here - fine[1:-1, 2:] - fine[1:-1, :-2] - fine[2:, 1:-1] - fine[:-2, 1:-1]
    ny, nx = light.shape
    return np.maximum(sharp, 0).reshape(ny, 2, nx, 2).mean(axis=(1, 3), dtype=np.float32)


def _cleaned(light, hits, bad):
    """Hit pixels become the mean of the good ones within 2, or nothing; not next to a border."""
    out = light.copy()
    ny, nx = light.shape
    for y, x in np.argwhere(hits):
        if 2 <= y < ny - 2 and 2 <= x < nx - 2:
            box = slice(y - 2, y + 3), slice(x - 2, x + 3)
            good = light[box][~hits[box] & ~bad[box]]
            out[y, x] = good.mean() if good.size else 0
    return out


def keep_near(new, sure):
    """The pixels of `new` that are sure, or touch one that is."""
    return new & ndimage.binary_dilation(new & sure, TOUCHING)


def sharper_than_stars(image, sky, ys, xs, rule):
    """Whether a pixel falls off faster towards one pair of opposite neighbours than stars do."""

    def variance(value):
        return (max(value, 0) * rule.gain + rule.read_variance) / rule.gain**2

    image, sky = image.astype(float), sky.astype(float)
    sure = []
    for y, x in zip(ys, xs, strict=True):
        peak, sharp = image[y, x] - sky[y, x], False
        for dy, dx, limit in (
            (0, 1, rule.straight),
            (1, 0, rule.straight),
            (1, 1, rule.diagonal),
            (-1, 1, rule.diagonal),
        ):
            ends = [(y + dy, x + dx), (y - dy, x - dx)]
            if not all(0 <= v < image.shape[0] and 0 <= u < image.shape[1] for v, u in ends):
                continue
            one, other = (image[end] for end in ends)
            sigma = (limit**2 * variance(image[y, x]) + 0.25 * variance(one) + 0.25 * variance(other)) ** 0.5
            sigma = np.hypot(sigma, (1 - limit) * rule.confusion**0.5)
            sharp |= limit * peak - (one + other) / 2 + sky[y, x] > rule.sigmas * sigma
        sure.append(sharp and peak > rule.least * variance(sky[y, x]) ** 0.5)
    return np.array(sure)


def mark_around(mask, bits, reach):
    """All pixels within `reach` rows and columns of one with any of the bits."""
    marked = (mask & bits) != 0
    return ndimage.binary_dilation(marked, np.ones((2 * reach + 1,) * 2, dtype=bool))
