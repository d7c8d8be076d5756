"""Divide by the master flat."""

import numpy as np

from mar.frame import Frame, check_same_shape, recorded
from mar.masks import Bit
from mar.steps.bias import joined_mask


@recorded("MAR FLAT")
def divide_flat(frame: Frame, master: Frame) -> Frame:
    """Divide a bias-subtracted frame (ADU) by the master flat (about 1); its cold pixels join the mask.

    Where the flat is not a number above zero the pixel keeps its value and is marked BAD. The card `MAR FLAT`
    names the master and its checksum. Raises BadImage where the shapes differ.
    """
    check_same_shape(frame, master)
    mask = joined_mask(frame, master)
    data = frame.data.astype(np.float32)
    good = np.isfinite(master.data) & (master.data > 0)
    np.divide(data, master.data, out=data, where=good)
    mask[~good] |= np.uint8(Bit.BAD)
    return frame.replace(data=data, mask=mask)
