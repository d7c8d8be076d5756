"""Subtract the master bias."""

import numpy as np

from mar.frame import Frame, check_same_shape, recorded


@recorded("MAR BIAS")
def subtract_bias(frame: Frame, master: Frame) -> Frame:
    """Subtract the master bias (ADU) from an overscan-corrected frame; its hot pixels join the mask.

    The card `MAR BIAS` names the master and its checksum. Raises BadImage where the shapes differ.
    """
    check_same_shape(frame, master)
    return frame.replace(data=frame.data - master.data, mask=joined_mask(frame, master))


def joined_mask(frame: Frame, master: Frame) -> np.ndarray:
    """The bits of both masks, as a new array."""
    mask = frame.own_mask()
    if master.mask is not None:
        mask |= master.mask
    return mask
