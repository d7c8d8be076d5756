"""Where a frame points, roughly: a tangent plane that the reference stars are then sought on."""

import numpy as np
from astropy.io.fits import Header
from astropy.wcs import NoConvergence

from mar.camera import Camera
from mar.errors import BadHeader
from mar.frame import Frame
from mar.steps.projection import to_plane
from mar.steps.tpv import Tpv, tangent
from mar.steps.wcs_header import read_wcs


def rough_wcs(frame: Frame, camera: Camera) -> Tpv:
    """The rough tangent plane of a trimmed frame.

    From RA and DEC of its exposure at the middle of the frame; only where there are none from the header's
    own world coordinates, because those of a raw header may count their pixels with the strips that were cut
    off. Raises BadHeader where neither tells.
    """
    exposure = frame.exposure
    if exposure is not None and exposure.ra_deg is not None and exposure.dec_deg is not None:
        return rough_from_pointing(exposure.ra_deg, exposure.dec_deg, camera, frame.data.shape)
    if "CRVAL1" not in frame.header:
        raise BadHeader(f"{frame.label}: neither RA and DEC nor world coordinates tell where it points")
    return rough_from_header(frame.header, frame.data.shape)


def rough_from_pointing(ra_deg: float, dec_deg: float, camera: Camera, shape: tuple[int, ...]) -> Tpv:
    """The tangent plane of a camera that points there with the middle of a trimmed frame (ny, nx)."""
    scale = camera.pixel_scale_arcsec / 3600
    cd = np.diag([-scale if camera.east_left else scale, scale if camera.north_up else -scale])
    return tangent((ra_deg, dec_deg), centre_of(shape), cd)


def rough_from_header(header: Header, shape: tuple[int, ...]) -> Tpv:
    """The tangent plane that touches a header's world coordinates (TAN, SIP, TPV ...) at the middle."""
    wcs = read_wcs(header).celestial
    x, y = centre_of(shape)
    try:
        ra, dec = wcs.all_pix2world([x, x + 1, x], [y, y, y + 1], 1)
    except (ValueError, NoConvergence) as error:
        raise BadHeader(f"world coordinates fail at the middle of the frame: {error}") from error
    xi, eta = to_plane(ra, dec, ra[0], dec[0])
    cd = np.array([[xi[1], xi[2]], [eta[1], eta[2]]])
    if not np.isfinite(cd).all() or np.linalg.det(cd) == 0:
        raise BadHeader("world coordinates fail at the middle of the frame")
    return tangent((float(ra[0]), float(dec[0])), (x, y), cd)


def centre_of(shape: tuple[int, ...]) -> tuple[float, float]:
    """The middle (x, y) of an image (ny, nx), pixels counted from 1."""
    return (shape[1] + 1) / 2, (shape[0] + 1) / 2
