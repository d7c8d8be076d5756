"""Repair: cosmetic values for masked pixels, from the good pixels around them. The masks stay as they are."""

import numpy as np
from scipy import ndimage

from mar.config.reduction import Reduction
from mar.config.repair import Repair
from mar.frame import Frame, recorded
from mar.kernels.repair import IDW, LINEAR, MEDIAN, interpolate
from mar.masks import UNUSABLE, Bit
from mar.steps.background import Background, estimate

METHODS = {"idw": IDW, "median": MEDIAN, "linear": LINEAR}
TOUCHING = np.ones((3, 3), dtype=bool)


@recorded("MAR REPAIR")
def repair_masked(frame: Frame, config: Repair, reduction: Reduction, sky: Background | None = None) -> Frame:
    """Give pixels with the bits PIXCOR_MASKVALUES the values of their surroundings; ADU in, ADU out.

    PIXCOR_MODE `morphology` leaves touching groups of more than PIXCOR_MAXAREA pixels alone; `pixels` looks
    at each pixel by itself. Left alone are also saturated pixels, and those whose surroundings are more
    than `core_sigma` above the sky: a star's core is not to be invented. Pixels that are not finite get the
    surroundings' value, else the sky's, in any case: the product holds no NaN. Header: MAR REPAIR NPIX.
    """
    not_finite = ~np.isfinite(frame.data)
    asked = _asked(frame, reduction)
    ys, xs = np.nonzero(asked | not_finite)
    if ys.size == 0:
        return frame.replace(data=frame.data.copy()).with_cards(_count(0))
    usable = ~(frame.bits(UNUSABLE) | not_finite | asked)
    method = METHODS[reduction.pixcor_interpolator]
    values = interpolate(frame.data, usable, ys, xs, method, config.largest_radius)
    sky = sky or estimate(frame.data, frame.mask, config.sky_mesh, bits=255 & ~int(Bit.OBJECT))
    level = sky.level()[ys, xs]
    lost = not_finite[ys, xs]
    values = np.where(lost & np.isnan(values), level, values)
    faint = values < level + config.core_sigma * sky.rms_adu  # False for NaN
    replaced = faint | lost
    data = frame.data.copy()
    data[ys[replaced], xs[replaced]] = values[replaced]
    return frame.replace(data=data).with_cards(_count(int(replaced.sum())))


def _count(pixels: int) -> dict[str, tuple[int, str]]:
    return {"MAR REPAIR NPIX": (pixels, "Pixels with a repaired value")}


def _asked(frame: Frame, reduction: Reduction) -> np.ndarray:
    """Boolean (ny, nx): pixels to repair, before anything is known of their surroundings."""
    bits = np.bitwise_or.reduce(np.array(reduction.pixcor_maskvalues or (0,), dtype=np.int64))
    asked = frame.bits(int(bits) & 255)
    if reduction.pixcor_mode == "morphology":
        asked &= _in_small_groups(asked, reduction.pixcor_maxarea)
    return asked & ~frame.bits(Bit.SATURATED)


def _in_small_groups(pixels: np.ndarray, most: int) -> np.ndarray:
    groups, number = ndimage.label(pixels, TOUCHING)
    small = np.bincount(groups.ravel(), minlength=number + 1) <= most
    return small[groups]
