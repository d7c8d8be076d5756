"""Section `Photometry`: the zero point and the depth of a frame."""

from mar.config.base import Section, item


class Photometry(Section):
    """Stars that the zero point rests on."""

    least_snr: float = item(20.0, "Least signal-to-noise ratio of a star", gt=0)
    match_radius: float = item(1.0, "Largest distance between source and reference star", unit="arcsec", gt=0)
    clip_sigma: float = item(3.0, "Reject stars beyond this from the median", unit="sigma", gt=0)
    least_stars: int = item(5, "A zero point needs at least this many stars", ge=3)
    most_stars: int = item(300, "The brightest stars are taken, at most so many", ge=10)
    cloud_scatter: float = item(
        0.05,
        "A frame whose stars scatter more about one zero point is not photometric",
        unit="mag",
        gt=0,
    )
    cells: int = item(4, "Cells along each axis whose medians tell how flat the zero point is", ge=1, le=32)
