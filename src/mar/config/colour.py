"""Section `Colour`: the colour image of a field."""

from typing import Literal

from mar.config.base import Section, item


class Colour(Section):
    """Scaling after Trilogy or Lupton; which band goes into which channel is the camera's to say."""

    scaling: Literal["trilogy", "lupton"] = item(
        "trilogy", "Logarithm of each channel (trilogy), or asinh of their mean, which keeps colours (lupton)"
    )
    noiselum: float = item(0.15, "trilogy: brightness (0-1) given to NOISESIG above the sky", gt=0, lt=1)
    noisesig: float = item(
        1.0, "trilogy: noise above the sky that gets the brightness NOISELUM", unit="sigma", gt=0
    )
    noisesig0: float = item(2.0, "Noise below the sky that is black", unit="sigma", ge=0)
    satpercent: float = item(0.001, "trilogy: part of the pixels that are white", unit="%", gt=0, lt=50)
    lupton_q: float = item(8.0, "lupton: softening; the greater, the brighter are faint things", gt=0)
    lupton_stretch: float = item(
        10.0, "lupton: noise of the mean of the channels that is taken as intensity 1", unit="sigma", gt=0
    )
    colorsatfac: float = item(1.0, "Saturation of the colours; 1 leaves it", ge=0)
    sample_rows: int = item(400, "Rows looked at to find the levels", ge=1)
    preview_size: int = item(
        2000, "Longer side of the small picture, at most the image's own", unit="pixel", ge=16
    )
    png_compression: int = item(3, "Effort of the PNG compression", ge=0, le=9)
    jpeg_quality: int = item(90, "Quality of the zoomable tiles", ge=1, le=100)
