"""Mark saturated pixels, on raw counts, before anything is subtracted or divided."""

import numpy as np

from mar.camera import Camera
from mar.config.saturation import Saturation
from mar.frame import Frame, recorded
from mar.kernels.bleed import ALONG_X, ALONG_Y, Places, mark_bled
from mar.kernels.threads import bands, in_threads
from mar.masks import Bit
from mar.steps.assemble import check_raw_shape

BAND = 512  # rows that a thread looks at together


@recorded("MAR SATURATION")
def mark_saturated(raw: Frame, camera: Camera, config: Saturation) -> Frame:
    """Set the bit SATURATED in the mask of a raw frame, in raw geometry.

    A pixel is saturated at its amplifier's level (ADU). The charge bleeds along columns (the way that the
    camera file says), so that neighbours in the column are marked as long as they reach `bleed_fraction` of
    it, also in the next amplifier, and `grow` pixels beyond. Raises BadImage on a frame of another shape. The
    pixels stay as they are. Header: MAR SATURATION NPIX, saturated pixels without what bled.
    """
    check_raw_shape(raw.data.shape, camera, raw.label or "the frame")
    mask = raw.own_mask()
    places = _places(camera, config, raw.data.dtype)

    def mark(band: tuple[int, int]) -> int:
        return mark_bled(raw.data, places, *band, config.grow, np.uint8(Bit.SATURATED), mask)

    found = sum(in_threads(mark, bands(int(places.trimmed[:, 1].max()), BAND)))
    return raw.replace(mask=mask).with_cards({"MAR SATURATION NPIX": (found, "Saturated pixels")})


def _places(camera: Camera, config: Saturation, kind: np.dtype) -> Places:
    """The amplifiers of a camera with their levels in the type of the raw image."""
    amplifiers = camera.amplifiers
    full = np.array([amplifier.saturation_adu * config.fraction for amplifier in amplifiers])
    return Places(
        np.array([(one.science.y0, one.science.x0) for one in amplifiers]),
        np.array([(t.y0, t.y1, t.x0, t.x1) for t in (one.trimmed for one in amplifiers)]),
        _levels(full, kind),
        _levels(full * config.bleed_fraction, kind),
        np.array([ALONG_X if one.bleeds_along == "x" else ALONG_Y for one in amplifiers]),
    )


def _levels(levels: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Levels as a pixel type can hold them: what no number reaches is the greatest number."""
    if kind.kind in "iu":
        levels = np.minimum(np.ceil(levels), np.iinfo(kind).max)
    return levels.astype(kind)
