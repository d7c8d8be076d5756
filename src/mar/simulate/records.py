"""What is asked of one exposure, and the truth about it."""

from dataclasses import asdict, dataclass
from dataclasses import field as member
from datetime import datetime
from typing import Any, NamedTuple, Self

import numpy as np
from astropy.io.fits import Header

from mar.exposure import FrameType
from mar.simulate.wcs import TrueWcs


class Shot(NamedTuple):
    """One exposure to be taken."""

    name: str  #: of the file, without extension
    type: FrameType
    band: str | None
    field: str
    began: datetime  #: UTC
    exptime_s: float
    ra: float  #: where the telescope was told to look, degrees
    dec: float
    number: int  #: of its kind, from 0


@dataclass(frozen=True)
class FrameTruth:
    """The truth about one raw frame; pixels are zero-based and trimmed."""

    name: str
    type: str
    band: str | None
    field: str
    date_obs: str
    exptime_s: float
    bias_adu: dict[str, float] = member(default_factory=dict)  #: mean level under the image, per amplifier
    sky_adu: float = 0.0  #: of a pixel of sensitivity one, at the middle
    moon_adu: float = 0.0  #: the moon's part of it
    zeropoint: float | None = None  #: magnitude that gives 1 ADU/s, clouds included
    fwhm_px: float | None = None
    beta: float | None = None
    ellipticity: float | None = None
    fringe_amplitude: float = 0.0  #: relative to the sky
    wcs: TrueWcs | None = None
    trails: tuple[dict[str, Any], ...] = ()
    cosmics: int = 0  #: number of tracks

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and text, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        wcs = TrueWcs.from_dict(values["wcs"]) if values["wcs"] else None
        return cls(**{**values, "wcs": wcs, "trails": tuple(values["trails"])})


class Exposed(NamedTuple):
    """A simulated raw frame and the truth about it."""

    raw: np.ndarray  #: uint16, the camera's raw shape
    header: Header
    mask: np.ndarray  #: uint8, trimmed: SATURATED (and bled), COSMIC, TRAIL
    truth: FrameTruth
