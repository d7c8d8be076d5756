"""A frame: pixels, mask and header of one image, and how each step leaves its trace in it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Concatenate, ParamSpec

import numpy as np
from astropy.io.fits import Header

from mar.errors import BadImage
from mar.exposure import Exposure
from mar.masks import empty_mask

CardValue = str | int | float | bool
P = ParamSpec("P")


@dataclass(frozen=True)
class Frame:
    """One image. Steps take a frame and give a new one; they never change the arrays of their input."""

    data: np.ndarray  #: (ny, nx); raw frames uint16, else native float32 in ADU
    header: Header
    mask: np.ndarray | None = None  #: (ny, nx) uint8, bits of mar.masks.Bit
    exposure: Exposure | None = None  #: None for masters
    label: str = ""  #: name of the file it came from
    checksum: str = ""  #: FITS DATASUM of the pixels as read

    def replace(self, **changes: Any) -> "Frame":
        """A frame like this one but for `changes`."""
        return replace(self, **changes)

    def with_cards(self, cards: Mapping[str, CardValue | tuple[CardValue, str]]) -> "Frame":
        """The same pixels with more header cards: key -> value, or (value, comment)."""
        header = self.header.copy()
        set_cards(header, cards)
        return replace(self, header=header)

    def bits(self, bits: int) -> np.ndarray:
        """Boolean (ny, nx): where any of those mask bits is set."""
        if self.mask is None:
            return np.zeros(self.data.shape, dtype=bool)
        return (self.mask & np.uint8(bits)) != 0

    def own_mask(self) -> np.ndarray:
        """A copy of the mask to set bits in; empty where the frame has none."""
        return empty_mask(self.data.shape) if self.mask is None else self.mask.copy()


def set_cards(header: Header, cards: Mapping[str, CardValue | tuple[CardValue, str]]) -> None:
    """Set cards in `header`; keys longer than eight characters or with blanks become HIERARCH cards."""
    for key, card in cards.items():
        value, comment = card if isinstance(card, tuple) else (card, "")
        word = f"HIERARCH {key}" if len(key) > 8 or " " in key else key
        if isinstance(value, np.generic):
            value = value.item()
        # a HIERARCH card cannot continue on a second line: drop the comment, then the end of the value
        if word.startswith("HIERARCH") and len(f"{word} = {value!r} / {comment}") > 80:
            comment = ""
            if isinstance(value, str):
                value = value[: max(0, 80 - len(word) - 5)]
        header[word] = (value, comment)


def check_same_shape(frame: Frame, other: Frame) -> None:
    """Raise BadImage unless both images have the same rows and columns."""
    if frame.data.shape != other.data.shape:
        raise BadImage(
            f"{frame.label or 'frame'} is {frame.data.shape} but {other.label or 'the master'} is "
            f"{other.data.shape} (rows, columns): they are not of the same camera"
        )


def recorded(
    card: str,
) -> Callable[[Callable[Concatenate[Frame, P], Frame]], Callable[Concatenate[Frame, P], Frame]]:
    """Decorate a step so that its product carries `card`: the master used with its checksum, or `done`."""

    def decorate(step: Callable[Concatenate[Frame, P], Frame]) -> Callable[Concatenate[Frame, P], Frame]:
        @functools.wraps(step)
        def with_trace(frame: Frame, /, *args: P.args, **kwargs: P.kwargs) -> Frame:
            result = step(frame, *args, **kwargs)
            master = next((part for part in (*args, *kwargs.values()) if isinstance(part, Frame)), None)
            said = f"{master.label} {master.checksum}".strip() if master else "done"
            return result.with_cards({card: said})

        return with_trace

    return decorate
