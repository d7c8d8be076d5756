"""Objects: where stars and galaxies are, so that sky-only work can leave them out."""

import numpy as np
from scipy import ndimage

from mar.frame import Frame, recorded
from mar.masks import UNUSABLE, Bit
from mar.steps.background import Background, estimate

SCALES_PX = (3, 9)  # stars and compact galaxies; haloes and faint discs
BAND_ROWS = 1024


@recorded("MAR OBJECTS")
def mark_objects(frame: Frame, sigma: float = 4.5, grow_px: int = 3, sky: Background | None = None) -> Frame:
    """Set bit OBJECT inside detected objects, grown by `grow_px` pixels; see `find_objects`."""
    mask = frame.own_mask()
    found = find_objects(frame.data, frame.mask, sigma, grow_px, sky)
    np.bitwise_or(mask, np.uint8(Bit.OBJECT), out=mask, where=found)
    return frame.replace(mask=mask)


def find_objects(
    data: np.ndarray,
    mask: np.ndarray | None = None,
    sigma: float = 4.5,
    grow_px: int = 3,
    sky: Background | None = None,
) -> np.ndarray:
    """Boolean (ny, nx): pixels of objects in the sky-dominated image `data` (ADU).

    The residual above the sky is averaged over 3 x 3 and 9 x 9 pixels; an object is where either mean is
    `sigma` times its noise above zero, grown by `grow_px`. Unusable pixels count as sky.
    """
    sky = sky or estimate(data, mask)
    level = sky.level()
    found = np.zeros(data.shape, dtype=bool)
    margin = max(SCALES_PX) - 1 + grow_px  # half a box for its mean, half for its mark
    for y in range(0, data.shape[0], BAND_ROWS):
        wide = slice(max(0, y - margin), min(data.shape[0], y + BAND_ROWS + margin))
        residual = data[wide] - level[wide]
        if mask is not None:
            residual[(mask[wide] & np.uint8(UNUSABLE)) != 0] = 0
        inside = _above(residual, sigma * sky.rms_adu, grow_px)
        rows = slice(y, min(data.shape[0], y + BAND_ROWS))
        found[rows] = inside[y - wide.start :][: rows.stop - rows.start]
    return found


def _above(residual: np.ndarray, limit: float, grow_px: int) -> np.ndarray:
    above = np.zeros(residual.shape, dtype=bool)
    for scale in SCALES_PX:
        # the mean of scale x scale pixels is that many times less noisy than one pixel
        mean = ndimage.uniform_filter(residual, scale, mode="constant")
        above |= ndimage.binary_dilation(mean > limit / scale, iterations=(scale - 1) // 2)
    return ndimage.binary_dilation(above, iterations=grow_px) if grow_px else above
