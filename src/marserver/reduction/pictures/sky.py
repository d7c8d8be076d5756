"""Where the pixels of a picture are on the sky, and where those of one picture are on another."""

from typing import Any

import numpy as np
from astropy.wcs import WCS, NoConvergence, WcsError

from mar.errors import BadHeader
from mar.steps.wcs_header import read_wcs
from marserver.reduction.pictures.picture import Picture

POINTS = 17  # of the lattice along each axis: between them within 0.01 arcsec on a field of 1.4 degrees
POINTS_TO_FIT = 9


def wcs_of(image: Picture) -> WCS | None:
    """The celestial coordinates of a picture; None where its header has none."""
    if image.trimmed:
        return None
    try:
        return read_wcs(image.header)
    except BadHeader:
        return None


def to_sky(wcs: WCS, x: Any, y: Any) -> tuple[Any, Any]:
    """RA and Dec (degrees) of FITS pixels; NaN where there are none."""
    try:
        return tuple(wcs.all_pix2world(x, y, 1))
    except WcsError:
        return np.full(np.shape(x), np.nan), np.full(np.shape(x), np.nan)


def to_pixels(wcs: WCS, ra_deg: Any, dec_deg: Any) -> tuple[Any, Any]:
    """FITS pixels of places on the sky; NaN where there are none."""
    try:
        if wcs.sip is None:
            return tuple(wcs.wcs_world2pix(ra_deg, dec_deg, 1))
        return tuple(wcs.all_world2pix(ra_deg, dec_deg, 1, quiet=True))
    except (WcsError, NoConvergence):
        return np.full(np.shape(ra_deg), np.nan), np.full(np.shape(ra_deg), np.nan)


def lattice(image: Picture, wcs: WCS) -> dict[str, Any] | None:
    """FITS pixels x and y of a lattice and the directions of its points by rows; None where one has none.

    Directions are unit vectors: they can be interpolated over the poles and where RA begins anew.
    """
    x, y = _axes(image, POINTS)
    directions = _directions(*to_sky(wcs, *np.meshgrid(x, y)))
    if not np.isfinite(directions).all():
        return None
    return {"x": x.tolist(), "y": y.tolist(), "to": directions.round(10).ravel().tolist()}


def placed(image: Picture, on: Picture) -> dict[str, float]:
    """How a picture lies on another: left upper corner before it is turned, width, and degrees clockwise.

    In displayed pixels of the other one. By the sky where both have coordinates (the similarity fitting best;
    distortions differ by some pixels at most), else with the middles on each other and the same width.
    """
    found = _fitted(image, on)
    if found is None:
        turn, centre = complex(on.shape[1] / image.shape[1]), complex(on.shape[1], on.shape[0]) / 2
    else:
        turn, centre = found
    width, height = abs(turn) * image.shape[1], abs(turn) * image.shape[0]
    return {
        "x": centre.real - width / 2,
        "y": centre.imag - height / 2,
        "width": width,
        "degrees": float(np.degrees(np.angle(turn))),
    }


def _fitted(image: Picture, on: Picture) -> tuple[complex, complex] | None:
    """Scale and turn as a complex number, and where the middle of a picture comes to lie."""
    mine, other = wcs_of(image), wcs_of(on)
    if mine is None or other is None:
        return None
    x, y = np.meshgrid(*_axes(image, POINTS_TO_FIT))
    there_x, there_y = to_pixels(other, *to_sky(mine, x, y))
    good = np.isfinite(there_x) & np.isfinite(there_y)
    if good.sum() < 3:
        return None
    # displayed coordinates run down, from the upper edge of the upper row
    here = (x - 0.5 + 1j * (image.shape[0] + 0.5 - y))[good]
    there = (there_x - 0.5 + 1j * (on.shape[0] + 0.5 - there_y))[good]
    if not np.ptp(np.abs(here - here.mean())):
        return None
    offsets = here - here.mean()
    turn = complex((np.conj(offsets) * (there - there.mean())).sum() / (np.abs(offsets) ** 2).sum())
    middle = complex(image.shape[1], image.shape[0]) / 2
    centre = complex(there.mean() + turn * (middle - here.mean()))
    return (turn, centre) if 0.02 < abs(turn) < 50 else None


def _axes(image: Picture, points: int) -> tuple[np.ndarray, np.ndarray]:
    ny, nx = image.shape
    return np.linspace(0.5, nx + 0.5, points), np.linspace(0.5, ny + 0.5, points)


def _directions(ra_deg: Any, dec_deg: Any) -> np.ndarray:
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
