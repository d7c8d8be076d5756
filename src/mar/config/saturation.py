"""Section `saturation` (ours)."""

from mar.config.base import Section, item


class Saturation(Section):
    """Saturated pixels, and the charge that bleeds from them along columns."""

    fraction: float = item(1.0, "Part of the camera's saturation level that counts as saturated", gt=0, le=1)
    bleed_fraction: float = item(
        0.9,
        "A pixel next to a saturated one in its column is bled on above this part of the level",
        gt=0,
        le=1,
    )
    grow: int = item(1, "Mark this many pixels more at both ends in the column", unit="pixel", ge=0, le=100)
