"""Bits of a mask in colours."""

from typing import Any

import numpy as np

from mar.masks import Bit, names_of

ALPHA = 190
COLOURS = {
    Bit.BAD: (230, 60, 60),
    Bit.SATURATED: (255, 170, 0),
    Bit.COSMIC: (60, 220, 90),
    Bit.TRAIL: (70, 170, 255),
    Bit.HOLE: (200, 90, 255),
    Bit.OBJECT: (0, 220, 220),
}


def described() -> list[dict[str, Any]]:
    """Each bit with its name and colour, for the panel."""
    return [
        {"bit": int(bit), "name": names_of(bit)[0], "colour": "#" + bytes(colour).hex()}
        for bit, colour in COLOURS.items()
    ]


def coloured(mask: np.ndarray, bits: int) -> np.ndarray:
    """RGBA of a mask: clear where none of `bits` is set, the mean of their colours where several are."""
    palette = np.zeros((256, 4), np.uint8)
    for value in range(256):
        found = [colour for bit, colour in COLOURS.items() if value & bits & bit]
        if found:
            palette[value] = (*np.mean(found, axis=0).astype(int), ALPHA)
    shown: np.ndarray = palette[mask]
    return shown
