"""The grid of a tile: one tangent plane for a field, the same in all bands."""

import math
import re
from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header
from astropy.wcs import WCS

from mar.camera import Camera
from mar.config.coadd import Coadd
from mar.errors import BadHeader


@dataclass(frozen=True)
class Grid:
    """A gnomonic (TAN) projection, north up and east left, with its tangent point in the middle."""

    ra_deg: float
    dec_deg: float
    size: int  #: rows and columns
    pixel_scale_arcsec: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size, self.size

    def header(self) -> Header:
        """The WCS cards of the tile."""
        cards = {
            "EQUINOX": (2000.0, "mean equinox"),
            "RADESYS": ("ICRS", "astrometric system"),
            "CTYPE1": ("RA---TAN", "gnomonic projection"),
            "CTYPE2": ("DEC--TAN", "gnomonic projection"),
            "CUNIT1": ("deg", ""),
            "CUNIT2": ("deg", ""),
            "CRVAL1": (self.ra_deg, "[deg] tangent point"),
            "CRVAL2": (self.dec_deg, "[deg] tangent point"),
            "CRPIX1": ((self.size + 1) / 2, "[pixel] tangent point"),
            "CRPIX2": ((self.size + 1) / 2, "[pixel] tangent point"),
            "CD1_1": (-self.pixel_scale_arcsec / 3600, "[deg/pixel]"),
            "CD1_2": (0.0, "[deg/pixel]"),
            "CD2_1": (0.0, "[deg/pixel]"),
            "CD2_2": (self.pixel_scale_arcsec / 3600, "[deg/pixel]"),
        }
        header = Header()
        for key, card in cards.items():
            header[key] = card
        return header

    def wcs(self) -> WCS:
        """The same as an astropy WCS."""
        return WCS(self.header())

    def pixels_of(self, wcs: WCS, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the grid's zero-based pixels lie in a frame with that WCS: columns and rows, zero-based.

        TPV and SIP distortions are inverted; NaN where a pixel has no place in the frame's projection.
        """
        ra, dec = self.wcs().wcs_pix2world(columns, rows, 0)
        if wcs.sip is not None:
            return tuple(wcs.all_world2pix(ra, dec, 0, quiet=True))
        return tuple(wcs.wcs_world2pix(ra, dec, 0))


def field_grid(ra_deg: float, dec_deg: float, camera: Camera, config: Coadd, image_size: int = 11000) -> Grid:
    """The grid of the field centred there (degrees).

    Its size depends on camera and configuration only, so that all bands of a field share it: `image_size`, or
    with tile_size = "auto" at most what a frame and its dithers cover: (1 + dither_margin) times the longer
    side of a frame.
    """
    scale_arcsec = config.pixel_scale_arcsec or camera.pixel_scale_arcsec
    size = image_size
    if config.tile_size == "auto":
        covered = max(camera.shape) * (1 + config.dither_margin) * camera.pixel_scale_arcsec / scale_arcsec
        size = min(image_size, math.ceil(covered))
    return Grid(float(ra_deg) % 360, float(dec_deg), size, scale_arcsec)


def grid_of(header: Header, shape: tuple[int, ...]) -> Grid:
    """The grid of a tile (rows, columns) that was made before; raises BadHeader where it is none of ours."""
    try:
        grid = Grid(
            float(header["CRVAL1"]), float(header["CRVAL2"]), int(shape[0]), 3600 * float(header["CD2_2"])
        )
        same = all(np.isclose(header[key], grid.header()[key], rtol=1e-9) for key in _NUMBERS)
    except (KeyError, ValueError, TypeError) as error:
        raise BadHeader(f"it is no tile: {error}") from error
    if not same or shape[0] != shape[1]:
        raise BadHeader("it is no tile: north is not up, or the tangent point is not in the middle")
    return grid


_NUMBERS = ("CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
_WCS_CARDS = re.compile(
    r"(WCSAXES|EQUINOX|RADESYS|LONPOLE|LATPOLE|(CTYPE|CRVAL|CRPIX|CUNIT|CDELT|CROTA)[12]|(CD|PC|PV)[12]_\d+"
    r"|[AB]P?_(ORDER|\d_\d))"
)


def wcs_cards(header: Header) -> Header:
    """The cards of the celestial WCS alone."""
    return Header([card for card in header.cards if _WCS_CARDS.fullmatch(card.keyword)])


def frame_wcs(header: Header) -> WCS:
    """The celestial WCS of a frame's header, from its WCS cards alone (dates in odd forms do not matter).

    Raises BadHeader where there is none.
    """
    cards = wcs_cards(header)
    if "CTYPE1" not in cards or "CRVAL1" not in cards:
        raise BadHeader("no celestial WCS (CTYPE1, CRVAL1): solve the astrometry of the frame first")
    return WCS(cards)
