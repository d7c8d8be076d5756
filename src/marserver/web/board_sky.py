"""A map of the whole sky in Aitoff's projection, as an SVG that stays small for thousands of fields.

Right ascension grows to the left, as on the sky, with 0 h in the middle. Fields of one state are a path of
round points; a script finds the field below the pointer in the list beside it.
Source of the projection: Calabretta & Greisen 2002, A&A 395, 1077 (Hammer-Aitoff, their equation 106).
"""

from collections import defaultdict
from collections.abc import Iterable
from math import cos, radians, sin, sqrt
from typing import NamedTuple

from marserver.archive.fields import Field

WIDTH, HEIGHT = 720.0, 360.0
MARGIN = 4.0
STEP = 5  # degrees from point to point of a line


class Sky(NamedTuple):
    """What the template draws."""

    edge: str  #: path
    grid: str
    labels: list[tuple[float, float, str]]
    marks: list[tuple[str, str]]  #: state, path
    fields: list[tuple[float, float, str, int, str]]  #: x, y, name, tiles, state


def project(ra: float, dec: float) -> tuple[float, float]:
    """The place of a direction (degrees) in the drawing; x grows to the right, y downwards."""
    longitude, latitude = radians((ra + 180) % 360 - 180) / 2, radians(dec)
    return placed(longitude, latitude)


def placed(half_longitude: float, latitude: float) -> tuple[float, float]:
    """The same by half the longitude and the latitude (radians)."""
    scale = 1 / sqrt(1 + cos(latitude) * cos(half_longitude))
    x, y = cos(latitude) * sin(half_longitude) * scale, sin(latitude) * scale
    return round(WIDTH / 2 * (1 - x), 1), round(HEIGHT / 2 * (1 - y), 1)


def line(points: Iterable[tuple[float, float]]) -> str:
    """A path along some points."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def meridian(ra: float) -> str:
    """A line from pole to pole; `ra` from -180 to 180 degrees, both ends being edges."""
    return line(placed(radians(ra) / 2, radians(dec)) for dec in range(-90, 91, STEP))


def parallel(dec: float) -> str:
    """A line around the sky."""
    return line(placed(radians(ra) / 2, radians(dec)) for ra in range(-180, 181, STEP))


def sky(fields: list[Field], bands: int) -> Sky:
    """The map of the fields whose places are known."""
    points: dict[str, list[str]] = defaultdict(list)
    listed = []
    for one in fields:
        if one.ra is None or one.dec is None:
            continue
        x, y = project(one.ra, one.dec)
        state = one.state(bands)
        points[state].append(f"M{x:g} {y:g}h0")
        listed.append((x, y, one.name, one.tiles, WORDS[state]))
    grid = [*(meridian(ra) for ra in range(-120, 180, 60)), *(parallel(dec) for dec in range(-60, 90, 30))]
    hours = [(*project(ra, 0), f"{ra // 15} h") for ra in range(0, 360, 60) if ra != 180]
    degrees = [(*project(0, dec), f"{dec:+d}°") for dec in (-60, -30, 30, 60)]
    edge = meridian(-180) + meridian(180)
    marks = [(state, "".join(points[state])) for state in WORDS if state in points]
    return Sky(edge, "".join(grid), [*hours, *degrees], marks, listed)


WORDS = {  # of a whole field; drawn in this order
    "raw": "waits",
    "processed": "begun",
    "tile": "all bands",
    "flagged": "a tile is flagged",
    "failed": "a frame failed",
}
