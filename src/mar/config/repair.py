"""Section `repair` (ours); the PIXCOR items of section `Reduction` say which pixels and how."""

from mar.config.base import Section, item


class Repair(Section):
    """Values for masked pixels, for the eye and for programs that know no masks."""

    wanted: bool = item(True, "Replace the values of pixels with the bits PIXCOR_MASKVALUES")
    core_sigma: float = item(
        10.0, "Leave pixels alone where their surroundings are this far above the sky", unit="sigma", gt=0
    )
    largest_radius: int = item(20, "Farthest good pixel that a value is taken from", unit="pixel", ge=2)
    sky_mesh: int = item(256, "Mesh of the sky that tells the cores of stars", unit="pixel", ge=16)
