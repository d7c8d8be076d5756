"""Cosmic rays: found by their sharp edges with L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), and marked only.

L.A.Cosmic takes some cores of sharp stars and many blends of crowded fields for cosmic rays. So each pixel
that it finds is held against the stars of the same frame: it stays if it is sharper than they are, or touches
one that is.
"""

import numpy as np

from mar.camera import Camera
from mar.config.cosmics import Cosmics
from mar.frame import Frame, recorded
from mar.kernels.grow import mark_around
from mar.kernels.sharpness import Sharpness, peak_ratios, sharper_than_stars
from mar.masks import Bit
from mar.steps.background import Background, estimate
from mar.steps.lacosmic import find_hits, rule_of

BRIGHT = 30.0  # sigma of the sky's noise: peaks that tell how sharp stars are
SHARPEST, BINS, PARTS = 0.25, 50, 32  # of what neighbours hold; no star has less
FEW_PEAKS = 30  # fewer do not tell it
WITHOUT_STARS = 0.45  # what neighbours hold of a star of FWHM 2 pixels
AGREEING = 3.0  # sigmas by which a pixel must be sharper


@recorded("MAR COSMICS")
def mark_cosmics(frame: Frame, camera: Camera, config: Cosmics, sky: Background | None = None) -> Frame:
    """Set bit COSMIC where a cosmic ray hit; the pixels keep their values.

    `frame` is in ADU, overscan-free, with its sky; bad and saturated pixels must be marked before. `sky`
    saves the measurement where it is known. Header: MAR COSMICS NPIX, the number of pixels marked.
    """
    hits = np.flatnonzero(find_cosmics(frame, camera, config, sky))
    mask = frame.own_mask()
    mask.flat[hits] |= np.uint8(Bit.COSMIC)
    return frame.replace(mask=mask).with_cards({"MAR COSMICS NPIX": (hits.size, "Pixels hit by cosmic rays")})


def find_cosmics(frame: Frame, camera: Camera, config: Cosmics, sky: Background | None = None) -> np.ndarray:
    """Boolean (ny, nx): pixels hit by cosmic rays."""
    sky = sky or estimate(frame.data, frame.mask, config.sky_mesh)
    level = sky.level()
    image = np.ascontiguousarray(frame.data, dtype=np.float32)
    left_out = _left_out(frame, config)
    held = neighbours_of_stars(image, level, left_out, sky.rms_adu)
    sharp = Sharpness(
        config.sharpness * held,
        config.sharpness * held**2,
        AGREEING,
        config.least_peak,
        camera.gain,
        camera.read_noise_e**2,
    )
    rule = rule_of(config.sigclip, config.sigfrac, config.objlim, camera.gain, camera.read_noise_e)
    return find_hits(
        image,
        level,
        left_out,
        rule,
        config.iterations,
        lambda ys, xs: sharper_than_stars(image, level, ys, xs, sharp),
    )


def neighbours_of_stars(
    image: np.ndarray, level: np.ndarray, left_out: np.ndarray, noise_adu: float
) -> float:
    """What the neighbours of a star's brightest pixel hold of its height, in the sharpest stars.

    The mode over the bright peaks of the image: hits of cosmic rays scatter widely, stars do not, and
    those centred on a pixel, the sharpest, are the most alike.
    """
    counts = np.zeros((PARTS, BINS), dtype=np.int64)
    peak_ratios(image, level, left_out, BRIGHT * noise_adu, counts)
    total = counts.sum(axis=0).astype(float)
    total[: int(SHARPEST * BINS)] = 0
    if total.sum() < FEW_PEAKS:
        return WITHOUT_STARS
    smooth = np.convolve(total, [1, 2, 3, 2, 1], mode="same")
    return (float(np.argmax(smooth)) + 0.5) / BINS


def _left_out(frame: Frame, config: Cosmics) -> np.ndarray:
    """Bad pixels, and saturated ones with their surroundings, whose edges are as sharp as cosmic rays."""
    left_out = np.zeros(frame.data.shape, dtype=bool)
    if frame.mask is not None:
        mark_around(frame.mask, Bit.BAD.value, 0, left_out)
        mark_around(frame.mask, Bit.SATURATED.value, config.grow_saturated, left_out)
    return left_out
