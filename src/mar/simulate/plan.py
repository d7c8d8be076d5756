"""The plan of a night: which exposures are taken, when, and where the telescope looks."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from mar.camera import Camera
from mar.exposure import FrameType
from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects
from mar.simulate.glow import sidereal_deg
from mar.simulate.records import Shot
from mar.simulate.sky import SkyField

_READOUT = timedelta(seconds=12)
_DITHERS = (
    (0, 0),
    (1, 0.4),
    (-0.4, 1),
    (-1, -0.6),
    (0.5, -1),
    (1.3, 1.2),
    (-1.2, 0.2),
    (0.1, 1.6),
    (0.9, -0.3),
)


def survey_fields(camera: Camera, day: date, count: int) -> list[SkyField]:
    """Fields of the survey near the meridian in the first half of that night, well apart."""
    begin = _dusk(camera, day)
    middle = sidereal_deg(camera.site, begin + timedelta(hours=2))
    size = max(camera.shape) * camera.pixel_scale_arcsec / 3600
    step = max(1.4, 1.4 * size)
    dec = float(np.clip(round(camera.site.latitude_deg + 5), -80, 80))
    degrees = step / np.cos(np.radians(dec))
    hemisphere = "s" if dec < 0 else "n"
    return [
        SkyField(
            f"SPLUS-{hemisphere}{abs(dec):02.0f}s{10 + number:02d}", (middle + degrees * number) % 360, dec
        )
        for number in range(count)
    ]


def plan_biases(camera: Camera, day: date, count: int) -> Iterator[Shot]:
    """Bias frames in the afternoon."""
    began = _dusk(camera, day) - timedelta(hours=3)
    for number in range(count):
        name = f"bias-{began:%Y%m%dT%H%M%S}-{number + 1:03d}"
        yield Shot(name, FrameType.BIAS, None, "bias", began, 0.0, 0.0, 0.0, number)
        began += _READOUT


def plan_flats(camera: Camera, day: date, bands: Sequence[str], count: int) -> Iterator[Shot]:
    """Flats on the twilight sky; the exposures grow as it gets darker."""
    began = _dusk(camera, day) - timedelta(minutes=75)
    for band in bands:
        for number in range(count):
            name = f"skyflat-{began:%Y%m%dT%H%M%S}-{band}"
            exptime_s = round(2.0 + 1.5 * number, 1)
            yield Shot(name, FrameType.FLAT, band, "skyflat", began, exptime_s, 0.0, 0.0, number)
            began += _READOUT + timedelta(seconds=exptime_s)


def plan_science(
    camera: Camera,
    day: date,
    field: SkyField,
    band: str,
    count: int,
    conditions: Conditions,
    effects: Effects,
    started: datetime | None = None,
) -> Iterator[Shot]:
    """Dithered exposures of a field in one band, from `started` (by default the start of the night)."""
    began = started or _dusk(camera, day)
    exptime_s = conditions.exptime_of(band)
    for number in range(count):
        east, north = _DITHERS[number % len(_DITHERS)] if effects.dither else (0, 0)
        # later rounds of the pattern do not repeat the first
        step = conditions.dither_arcsec / 3600 * (1 + 0.37 * (number // len(_DITHERS)))
        ra = field.ra + east * step / np.cos(np.radians(field.dec))
        name = f"S{began:%Y%m%dT%H%M%S}_{field.name.removeprefix('SPLUS-')}_{band}"
        dec = field.dec + north * step
        yield Shot(name, FrameType.SCI, band, field.name, began, exptime_s, float(ra), float(dec), number)
        began += _READOUT + timedelta(seconds=exptime_s)


def end_of(shot: Shot) -> datetime:
    """When the next exposure can begin."""
    return shot.began + timedelta(seconds=shot.exptime_s) + _READOUT


def _dusk(camera: Camera, day: date) -> datetime:
    """The start of the dark night of that date at the site, UTC: about 20 hours of mean solar time."""
    local = datetime.combine(day, time(20, 0), tzinfo=UTC)
    longitude = (camera.site.longitude_deg + 180) % 360 - 180
    return (local - timedelta(hours=longitude / 15)).replace(microsecond=0)
