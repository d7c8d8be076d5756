"""Section `cosmics` (ours)."""

from mar.config.base import Section, item


class Cosmics(Section):
    """Cosmic rays, by L.A.Cosmic."""

    sigclip: float = item(4.5, "Laplacian-to-noise limit for a pixel hit by a cosmic ray", unit="sigma", gt=0)
    sigfrac: float = item(0.3, "Fraction of that limit for the neighbours of such a pixel", gt=0, le=1)
    objlim: float = item(3.0, "Least contrast between a cosmic ray and the fine structure of a star", gt=0)
    sharpness: float = item(
        0.65,
        "Two opposite neighbours of a hit pixel hold less than this part of what those of a star hold",
        gt=0,
        le=1,
    )
    least_peak: float = item(
        5.0, "Least height above the sky of a pixel that no star explains", unit="sigma", ge=0
    )
    iterations: int = item(4, "Rounds of detection", ge=1, le=10)
    grow_saturated: int = item(3, "Leave out this many pixels around saturated ones", unit="pixel", ge=0)
    sky_mesh: int = item(128, "Mesh of the sky under the cosmic rays", unit="pixel", ge=16)
