"""Headers are read once, at the door, into an Exposure: what was observed, when, where and how long."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from astropy.io.fits import Header

from mar.camera import Camera, FrameRules, Site
from mar.errors import BadHeader

_SEXAGESIMAL = re.compile(r"([+-]?)([0-9]+):([0-5]?[0-9]):([0-5]?[0-9](?:\.[0-9]*)?)")
LONGEST_FIELD = 150  # characters: with the words that products add it still is the name of a file


class FrameType(StrEnum):
    """What a frame is."""

    BIAS = "BIAS"
    FLAT = "FLAT"
    SCI = "SCI"
    PROCESSED = "PROCESSED"


@dataclass(frozen=True)
class Exposure:
    """One exposure, as its header tells."""

    name: str  #: of the file, without folder and extension
    type: FrameType
    band: str | None  #: None for a bias
    field: str
    date_obs: datetime  #: UTC, start of the exposure
    exptime_s: float
    ra_deg: float | None
    dec_deg: float | None
    airmass: float | None
    night: date  #: date at the site when the night began

    @property
    def pointing(self) -> tuple[float, float] | None:
        """Right ascension and declination in degrees, where the header tells both."""
        if self.ra_deg is None or self.dec_deg is None:
            return None
        return self.ra_deg, self.dec_deg


def cards_read(camera: Camera) -> frozenset[str]:
    """The keywords that an exposure is read from, without HIERARCH."""
    lists = [*camera.header.model_dump().values(), camera.frames.cards]
    return frozenset(keyword(card).upper() for cards in lists for card in cards)


def keyword(card: str) -> str:
    """The name of a card as a header is asked for it."""
    return card.removeprefix("HIERARCH ")


def read_exposure(header: Header, camera: Camera, name: str) -> Exposure:
    """The exposure that a raw header describes; `name` is the file's, for errors and as identity.

    Raises BadHeader, which names the file and the card.
    """
    try:
        return _read(header, camera, name)
    except BadHeader as error:
        raise BadHeader(f"{name}: {error}") from error
    except OverflowError as error:
        raise BadHeader(f"{name}: the time of the exposure is outside the calendar") from error


def _read(header: Header, camera: Camera, name: str) -> Exposure:
    cards = camera.header
    exptime_s = _number(header, cards.exptime, "exposure time")
    if exptime_s is None or exptime_s < 0:
        raise BadHeader(f"no exposure time; one of {', '.join(cards.exptime)} must give seconds")
    kind = frame_type(header, camera.frames, exptime_s, name)
    began = _date_obs(header, camera)
    return Exposure(
        name=name,
        type=kind,
        band=None if kind is FrameType.BIAS else _band(header, camera),
        field=_field(header, cards.object),
        date_obs=began,
        exptime_s=exptime_s,
        ra_deg=_angle(header, cards.ra, hours=True),
        dec_deg=_angle(header, cards.dec, hours=False),
        airmass=_number(header, cards.airmass, "airmass"),
        night=night_of(began, camera.site),
    )


def frame_type(header: Header, rules: FrameRules, exptime_s: float, name: str = "") -> FrameType:
    """Bias, flat or science, by the camera's rules; `name` counts as a FILENAME card does."""
    said = " ".join([str(header.get(card, "")) for card in rules.cards] + [name]).lower()
    if (exptime_s == 0 and rules.zero_exposure_is_bias) or any(word in said for word in rules.bias):
        return FrameType.BIAS
    return FrameType.FLAT if any(word in said for word in rules.flat) else FrameType.SCI


def night_of(moment: datetime, site: Site) -> date:
    """The night that `moment` (UTC) belongs to: the date of the local noon before it, by longitude."""
    longitude_deg = (site.longitude_deg + 180) % 360 - 180
    return (moment + timedelta(hours=longitude_deg / 15 - 12)).date()


def _first(header: Header, cards: tuple[str, ...]) -> tuple[str, Any] | None:
    for card in cards:
        value = header.get(keyword(card))
        if value is not None and str(value).strip():
            return card, value
    return None


def _number(header: Header, cards: tuple[str, ...], what: str) -> float | None:
    """The number in the first card that is there; observatories write some of them as text."""
    found = _first(header, cards)
    if found is None:
        return None
    card, value = found
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise BadHeader(f"{card} = {value!r} is not a number; it should give the {what}") from error
    if not math.isfinite(number):
        raise BadHeader(f"{card} = {value!r} is not a finite number; it should give the {what}")
    return number


def _band(header: Header, camera: Camera) -> str:
    found = _first(header, camera.header.filter)
    if found is None:
        raise BadHeader(f"no filter; one of {', '.join(camera.header.filter)} must name it")
    return camera.band(str(found[1])).name


def _field(header: Header, cards: tuple[str, ...]) -> str:
    found = _first(header, cards)
    if found is None:
        return ""
    # a field names files and folders: nothing in it may lead out of them
    field = re.sub(r"[\s/\\\x00-\x1f\x7f]+", "-", str(found[1]).strip()).lstrip(".")
    if len(field) > LONGEST_FIELD:
        raise BadHeader(f"{found[0]} has {len(field)} characters; a field has at most {LONGEST_FIELD}")
    return field


def _angle(header: Header, cards: tuple[str, ...], hours: bool) -> float | None:
    """Degrees, from a number of degrees (also as text) or from sexagesimal text."""
    found = _first(header, cards)
    if found is None:
        return None
    card, value = found
    try:
        return _known(float(value))
    except (TypeError, ValueError):
        pass
    text, units = str(value).strip(), 15 if hours else 1
    if plain := _SEXAGESIMAL.fullmatch(text):
        sign, whole, minutes, seconds = plain.groups()
        degrees = units * (int(whole) + int(minutes) / 60 + float(seconds) / 3600)
        return -degrees if sign == "-" else degrees
    from astropy.coordinates import Angle  # slow to import, and few headers need it

    try:
        return _known(float(Angle(text, unit="hourangle" if hours else "deg").deg))
    except ValueError as error:
        raise BadHeader(f"{card} = {value!r} is not an angle; write degrees or sexagesimal text") from error


def _known(number: float) -> float | None:
    """A number, or None for what telescopes write where they know none."""
    return number if math.isfinite(number) else None


def _date_obs(header: Header, camera: Camera) -> datetime:
    found = _first(header, camera.header.date_obs)
    if found is None:
        raise BadHeader(f"no date; one of {', '.join(camera.header.date_obs)} must give it")
    card, value = found
    text = str(value).strip()
    if "T" in text or " " in text:
        return _utc(text, card)
    clock = _first(header, camera.header.time_obs)
    if clock is not None:
        return _utc(f"{text}T{str(clock[1]).strip()}", clock[0])
    local = _first(header, camera.header.local_time)
    if local is None:
        raise BadHeader(f"{card} = {text!r} has no time of day")
    began = _utc(f"{text}T{str(local[1]).split(' to ')[0].strip()}", local[0])
    return began - timedelta(hours=camera.site.utc_offset_h)


def _utc(text: str, card: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadHeader(f"{card} = {text!r} is not a date; write it as YYYY-MM-DDThh:mm:ss") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
