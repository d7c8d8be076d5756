"""Section `Colour`: the colour image of a field."""

from mar.config.base import Section, item


class Colour(Section):
    """Logarithmic scaling after Trilogy; which band goes into which channel is the camera's to say."""

    noiselum: float = item(0.15, "Brightness (0-1) given to NOISESIG above the sky", gt=0, lt=1)
    noisesig: float = item(1.0, "Noise above the sky that gets the brightness NOISELUM", unit="sigma", gt=0)
    noisesig0: float = item(2.0, "Noise below the sky that is black", unit="sigma", ge=0)
    satpercent: float = item(0.001, "Part of the pixels that are white", unit="%", gt=0, lt=50)
    colorsatfac: float = item(1.0, "Saturation of the colours; 1 leaves it", ge=0)
    sample_rows: int = item(400, "Rows looked at to find the levels", ge=1)
    preview_size: int = item(1000, "Longer side of the preview", unit="pixel", ge=16)
    png_compression: int = item(3, "Effort of the PNG compression", ge=0, le=9)
