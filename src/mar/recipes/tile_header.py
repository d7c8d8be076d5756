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
    _tell_used(header, [(frame.name, frame.exptime_s, frame.scale) for frame in used])
    return header


def _tell_used(header: Header, used: Sequence[tuple[str, float, float]]) -> None:
    """Name the frames, their exposures (s) and their factors of transparency."""
    for number, (name, exptime_s, scale) in enumerate(used, start=1):
        header[f"COMB_{number}"] = (name, "frame combined")
        header[f"EXP_{number}"] = (exptime_s, "[s] its exposure")
        header[f"SCALE_{number}"] = (scale, "its factor of transparency")


def joined_header(old: Header, new: Header) -> Header:
    """The header of the frames of an earlier tile and of those that are added to it, on the same grid."""
    header = new.copy()
    for key in ("NCOMBINE", "EXPTIME", "GAIN"):
        header[key] = old[key] + new[key]
    header["SATURATE"] = min(old["SATURATE"], new["SATURATE"])
    first = min(old, new, key=lambda one: float(one["MJD-OBS"]))
    for key in ("DATE-OBS", "MJD-OBS"):
        header[key] = first[key]
    _tell_used(
        header,
        [
            (one[f"COMB_{number}"], one[f"EXP_{number}"], one[f"SCALE_{number}"])
            for one in (old, new)
            for number in range(1, int(one["NCOMBINE"]) + 1)
        ],
    )
    return header


def dropped_in(header: Header) -> list[DroppedFrame]:
    """The frames that the header of a tile says were left out."""
    names = [card.keyword for card in header.cards if card.keyword.startswith("DROP_")]
    return [DroppedFrame(header[name], header[name.replace("DROP_", "WHY_")]) for name in names]


def tell_dropped(header: Header, dropped: Sequence[DroppedFrame]) -> None:
    """Add cards for each frame that was left out: `DROP_n`, its name, and `WHY_n`, the reason."""
    for number, frame in enumerate(dropped, start=1):
        header[f"DROP_{number}"] = (frame.name, "frame left out")
        header[f"WHY_{number}"] = frame.reason.encode("ascii", "replace").decode().replace("\n", " ")
