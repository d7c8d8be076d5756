"""Where a frame points, roughly: a tangent plane that the reference stars are then sought on."""

from typing import NamedTuple

import numpy as np
from astropy.coordinates import Angle
from astropy.io.fits import Header
from astropy.time import Time
from astropy.wcs import NoConvergence

from mar.camera import Camera
from mar.errors import BadHeader
from mar.frame import Frame
from mar.steps.projection import to_plane
from mar.steps.tpv import Tpv, tangent
from mar.steps.wcs_header import read_wcs, without_iraf

_RA = ("RA", "OBJCTRA", "RA_DEG", "TELRA", "CRVAL1")
_DEC = ("DEC", "OBJCTDEC", "DEC_DEG", "TELDEC", "CRVAL2")
_SCALE = ("PIXSCALE", "SECPIX", "SECPIX1", "SCALE", "PIXSCAL1")


class Pointing(NamedTuple):
    """What a header of any telescope tells about where it points; None where it does not."""

    ra_deg: float | None  #: of the middle
    dec_deg: float | None
    scale_arcsec: float | None
    cd: np.ndarray | None  #: (2, 2) degrees per pixel at the middle
    epoch: float  #: Julian year, 2000 where unknown


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
    """The tangent plane that touches a header's world coordinates (TAN, SIP, TPV ...) at the middle.

    Of IRAF's TNX and ZPX only the linear part is taken: it is near enough for a rough plane.
    """
    wcs = read_wcs(without_iraf(header)).celestial
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


def pointing_of(header: Header, shape: tuple[int, ...]) -> Pointing:
    """Where an image (ny, nx) of any telescope points, from its world coordinates or the usual cards."""
    try:
        rough = rough_from_header(header, shape)
    except BadHeader:
        ra, dec = _angle(header, _RA, hours=True), _angle(header, _DEC, hours=False)
        return Pointing(ra, dec, _scale(header), None, _epoch(header))
    return Pointing(*rough.crval, rough.scale_arcsec, rough.cd, _epoch(header))


def rough_at(pointing: Pointing, shape: tuple[int, ...]) -> Tpv:
    """The tangent plane of a pointing whose place and scale are known; north up where nothing else is."""
    if pointing.ra_deg is None or pointing.dec_deg is None or not pointing.scale_arcsec:
        raise BadHeader("the place and the pixel scale of an image are needed")
    scale = pointing.scale_arcsec / 3600
    cd = np.diag([-1.0, 1.0]) if pointing.cd is None else pointing.cd
    cd = cd * scale / np.sqrt(abs(np.linalg.det(cd)))
    return tangent((pointing.ra_deg % 360, pointing.dec_deg), centre_of(shape), cd)


def _angle(header: Header, names: tuple[str, ...], hours: bool) -> float | None:
    """Degrees; text with colons or blanks is sexagesimal, right ascension then in hours."""
    for name in names:
        value = header.get(name)
        try:
            if isinstance(value, str) and any(mark in value.strip() for mark in ": hd"):
                return float(Angle(value.strip(), unit="hourangle" if hours else "deg").deg)
            if value is not None:
                return float(value)
        except ValueError:
            continue
    return None


def _scale(header: Header) -> float | None:
    """Arcseconds per pixel, or of pixel size (micrometre) and focal length (mm)."""
    for name in _SCALE:
        value = _number(header, name)
        if value:
            return abs(value)
    pixel, focus = _number(header, "XPIXSZ"), _number(header, "FOCALLEN")
    return 206.264806 * pixel / focus if pixel and focus else None


def _number(header: Header, name: str) -> float | None:
    try:
        return float(header[name])
    except (KeyError, ValueError, TypeError):
        return None


def _epoch(header: Header) -> float:
    try:
        return float(Time(str(header["DATE-OBS"]).strip(), scale="tdb").jyear)
    except (KeyError, ValueError):
        return 2000.0
