"""Mark saturated pixels, on raw counts, before anything is subtracted or divided."""

import numpy as np

from mar.camera import Camera
from mar.config.saturation import Saturation
from mar.frame import Frame, recorded
from mar.kernels.bleed import mark_columns
from mar.masks import Bit
from mar.steps.assemble import check_raw_shape


@recorded("MAR SATURATION")
def mark_saturated(raw: Frame, camera: Camera, config: Saturation) -> Frame:
    """Set the bit SATURATED in the mask of a raw frame, in raw geometry.

    A pixel is saturated at its amplifier's level (ADU). The charge bleeds along columns, so that neighbours
    in the column are marked as long as they reach `bleed_fraction` of it, and `grow` pixels beyond. Raises
    BadImage on a frame of another shape. The pixels stay as they are.
    """
    check_raw_shape(raw.data.shape, camera, raw.label or "the frame")
    mask = raw.own_mask()
    for amplifier in camera.amplifiers:
        values = raw.data[amplifier.science.slices]
        full = amplifier.saturation_adu * config.fraction
        if not (values >= full).any():
            continue
        marked = np.empty(values.shape, dtype=np.bool_)
        mark_columns(values, full, full * config.bleed_fraction, config.grow, marked)
        mask[amplifier.science.slices][marked] |= np.uint8(Bit.SATURATED)
    return raw.replace(mask=mask)
