"""What the header of a tile says of the frames that it is made of."""

from collections.abc import Sequence
from typing import NamedTuple

from astropy.io.fits import Header
from astropy.time import Time

from mar import __version__
from mar.camera import Camera
from mar.config.coadd import Coadd
from mar.exposure import Exposure
from mar.frame import set_cards
from mar.steps.grid import Grid


class DroppedFrame(NamedTuple):
    """A frame that was left out."""

    name: str
    reason: str


class UsedFrame(NamedTuple):
    """A frame of the tile, and what was found of it."""

    name: str
    exptime_s: float
    scale: float  #: factor to the common transparency
    seeing_px: float
    sky_adu: float
    noise_adu: float


def tile_header(
    grid: Grid, camera: Camera, exposures: Sequence[Exposure], used: Sequence[UsedFrame], config: Coadd
) -> Header:
    """Header of a tile in adu/s: WCS, what it is made of, and gain and saturation to match its unit."""
    first = min(exposures, key=lambda exposure: exposure.date_obs)
    total_s = sum(frame.exptime_s for frame in used)
    header = grid.header()
    set_cards(
        header,
        {
            "OBJECT": (first.field, "field"),
            "FILTER": (first.band or "", "band"),
            "DATE-OBS": (first.date_obs.replace(tzinfo=None).isoformat(), "UTC, start of the earliest frame"),
            "MJD-OBS": (float(Time(first.date_obs).mjd), "[d] the same"),
            "BUNIT": ("adu/s", "counts per second"),
            "EXPTIME": (total_s, "[s] sum of the exposures"),
            "GAIN": (
                sum(camera.gain * frame.exptime_s / frame.scale for frame in used),
                "[e-/(adu/s)] electrons of all frames per unit",
            ),
            "SATURATE": (
                min(camera.saturation_adu / frame.exptime_s * frame.scale for frame in used),
                "[adu/s] lowest saturation of the frames",
            ),
            "NCOMBINE": (len(used), "frames combined"),
            "MAR COADD METHOD": (config.method, "combination"),
            "MAR COADD RESAMPLING": (config.resampling, "interpolation"),
            "MAR COADD BACKGROUND": (config.background, "sky that was subtracted"),
            "MAR VERSION": (__version__, "software"),
        },
    )
    for number, frame in enumerate(used, start=1):
        header[f"COMB_{number}"] = (frame.name, "frame combined")
        header[f"EXP_{number}"] = (frame.exptime_s, "[s] its exposure")
        header[f"SCALE_{number}"] = (frame.scale, "its factor of transparency")
    return header


def tell_dropped(header: Header, dropped: Sequence[DroppedFrame]) -> None:
    """Add cards for each frame that was left out: `DROP_n`, its name, and `WHY_n`, the reason."""
    for number, frame in enumerate(dropped, start=1):
        header[f"DROP_{number}"] = (frame.name, "frame left out")
        header[f"WHY_{number}"] = frame.reason.encode("ascii", "replace").decode().replace("\n", " ")
