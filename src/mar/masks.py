"""What each bit of a mask says about its pixel. Masks are uint8 arrays of the image's shape (ny, nx)."""

from enum import IntFlag

import numpy as np


class Bit(IntFlag):
    """Reasons not to trust a pixel, or to know more about it."""

    BAD = 1  #: defect of the detector: hot, cold or dead
    SATURATED = 2  #: full well reached, or filled by charge bled from such a pixel
    COSMIC = 4  #: hit by a cosmic ray
    TRAIL = 8  #: crossed by a satellite, an aircraft or a meteor
    HOLE = 32  #: no data in a background frame
    OBJECT = 64  #: inside a detected object


UNUSABLE = Bit.BAD | Bit.SATURATED | Bit.COSMIC | Bit.TRAIL


def empty_mask(shape: tuple[int, int]) -> np.ndarray:
    """A mask with no bit set."""
    return np.zeros(shape, dtype=np.uint8)


def names_of(bits: int) -> list[str]:
    """The names of the bits set in `bits`, lowest first."""
    return [bit.name.lower() for bit in Bit if bits & bit and bit.name]
