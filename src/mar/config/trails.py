"""Section `trails` (ours); the HOUGH_LINES and SAT items of section `Reduction` belong to it too."""

from mar.config.base import Section, item


class Trails(Section):
    """Trails of satellites, aircraft and meteors, by the Radon transform of the binned residual."""

    binned_size: int = item(1024, "Longer side of the binned image, at most", unit="pixel", ge=100)
    least_binning: int = item(2, "Pixels averaged along each axis, at least", unit="pixel", ge=1)
    sky_mesh: int = item(32, "Mesh of the sky of the binned image", unit="binned pixel", ge=8)
    clip_sigma: float = item(
        3.0, "Binned pixels count for lines with at most this much above or below the sky", unit="sigma", gt=0
    )
    group_sigma: float = item(3.0, "Binned pixels this far above the sky form groups", unit="sigma", gt=0)
    compact_sigma: float = item(
        8.0,
        "Groups with a peak this far above the sky that are not pieces of trail are objects",
        unit="sigma",
    )
    candidate_sigma: float = item(
        7.0, "Least significance of the light along a candidate line", unit="sigma", gt=0
    )
    most_candidates: int = item(8, "Candidate lines of one frame that may turn out to be no trails", ge=1)
    least_length: float = item(
        0.15, "Least length of a trail in the frame, in shorter sides of the frame", gt=0, le=1
    )
    least_slimness: float = item(15.0, "Least length over width of a trail", ge=1)
    least_support: float = item(
        0.6, "Least part of the length of a line where a steady trail must be seen", gt=0, le=1
    )
    steady_ridge_sigma: float = item(
        5.0, "Least light of a steady trail over the lines beside it, in their scatter", unit="sigma", gt=0
    )
    broken_ridge_sigma: float = item(
        5.5,
        "The same for the brightest pieces of one that ends in the frame or is broken",
        unit="sigma",
        gt=0,
    )
    piece_sigma: float = item(3.0, "Limit for a trail to be seen in a piece of the line", unit="sigma", gt=0)
    degree: int = item(2, "Degree of the curve that follows a trail", ge=1, le=4)
    largest_bend: float = item(
        0.004, "Greatest departure of a trail from a straight line, in its lengths", gt=0, le=0.1
    )
    unevenness: float = item(
        2.5, "A trail is steady where its brightness is within this factor of its median", gt=1
    )
    edge_sigma: float = item(
        0.85, "A trail ends across where its profile falls to this noise of one pixel", unit="sigma", gt=0
    )
    largest_width: int = item(60, "Greatest width of a trail", unit="pixel", ge=4)
    flank: int = item(15, "Width of the sky looked at on both sides", unit="pixel", ge=4)
