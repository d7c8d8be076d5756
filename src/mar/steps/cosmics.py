"""Cosmic rays: found by their sharp edges with L.A.Cosmic (van Dokkum 2001, PASP 113, 1420), and marked only.

The fast, separable medians (McCully et al. 2018, astroscrappy) take some cores of sharp stars for cosmic
rays, so each track that is found is looked at once more with the full medians of the paper.
"""

import numpy as np

from mar.camera import Camera
from mar.config.cosmics import Cosmics
from mar.frame import Frame, recorded
from mar.kernels.contrast import laplacian_contrast
from mar.kernels.grow import mark_around
from mar.masks import Bit
from mar.steps.background import Background, estimate
from mar.steps.lacosmic import find_hits, rule_of

LEAST_STRUCTURE = 0.01  # of the sky's noise: no star is smoother than that


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

    def sharper_than_stars(ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        contrast = laplacian_contrast(image, level, ys, xs, LEAST_STRUCTURE * sky.rms_adu)
        return contrast > config.starlim

    rule = rule_of(config.sigclip, config.sigfrac, config.objlim, camera.gain, camera.read_noise_e)
    left_out = _left_out(frame, config)
    return find_hits(image, level, left_out, rule, config.iterations, sharper_than_stars)


def _left_out(frame: Frame, config: Cosmics) -> np.ndarray:
    """Bad pixels, and saturated ones with their surroundings, whose edges are as sharp as cosmic rays."""
    left_out = np.zeros(frame.data.shape, dtype=bool)
    if frame.mask is not None:
        mark_around(frame.mask, Bit.BAD.value, 0, left_out)
        mark_around(frame.mask, Bit.SATURATED.value, config.grow_saturated, left_out)
    return left_out
