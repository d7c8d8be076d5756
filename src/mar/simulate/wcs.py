"""The true relation of pixels and sky: tangent plane, rotation and a cubic radial distortion."""

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from astropy.io.fits import Header


@dataclass(frozen=True)
class TrueWcs:
    """Pixel coordinates are zero-based in the trimmed image; the sky is ICRS in degrees.

    Linear coordinates (x, y) in degrees become tangent-plane coordinates by the factor
    1 + cubic (x^2 + y^2), which a TPV header of degree 3 holds exactly.
    """

    ra: float
    dec: float
    x0: float
    y0: float
    cd: tuple[tuple[float, float], tuple[float, float]]
    cubic: float  #: deg^-2

    def sky_to_pixel(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the sky positions (degrees) fall, in zero-based trimmed pixels.

        Positions farther than 80 degrees from the axis come back as NaN.
        """
        xi, eta = _gnomonic(self.ra, self.dec, np.asarray(ra, float), np.asarray(dec, float))
        shrink = _linear_over_distorted(np.hypot(xi, eta), self.cubic)
        to_pixel = np.linalg.inv(np.array(self.cd))
        x, y = np.tensordot(to_pixel, np.stack([xi * shrink, eta * shrink]), axes=1)
        return x + self.x0, y + self.y0

    def pixel_to_sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RA and Dec in degrees of zero-based trimmed pixels."""
        offsets = np.stack([np.asarray(x, float) - self.x0, np.asarray(y, float) - self.y0])
        u, v = np.tensordot(np.array(self.cd), offsets, axes=1)
        grow = 1 + self.cubic * (u * u + v * v)
        return _from_gnomonic(self.ra, self.dec, u * grow, v * grow)

    def header(self) -> Header:
        """The same as TPV cards."""
        header = Header()
        header["CTYPE1"], header["CTYPE2"] = "RA---TPV", "DEC--TPV"
        header["CUNIT1"], header["CUNIT2"] = "deg", "deg"
        header["RADESYS"] = "ICRS"
        header["CRVAL1"], header["CRVAL2"] = self.ra, self.dec
        header["CRPIX1"], header["CRPIX2"] = self.x0 + 1, self.y0 + 1
        for i in (0, 1):
            for j in (0, 1):
                header[f"CD{i + 1}_{j + 1}"] = self.cd[i][j]
            # TPV terms of each axis: 1 is its own coordinate, 7 its cube, 9 it times the other squared
            header[f"PV{i + 1}_1"] = 1.0
            header[f"PV{i + 1}_7"] = self.cubic
            header[f"PV{i + 1}_9"] = self.cubic
        return header

    def as_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """The inverse of `as_dict`."""
        (a, b), (c, d) = values["cd"]
        return cls(**{**values, "cd": ((a, b), (c, d))})


def make_wcs(
    shape: tuple[int, int],
    scale_arcsec: float,
    centre: tuple[float, float],
    *,
    rotation_deg: float = 0.0,
    distortion_px: float = 0.0,
    north_up: bool = True,
    east_left: bool = True,
) -> TrueWcs:
    """The WCS of an image (ny, nx) whose middle looks at `centre` (RA, Dec in degrees).

    `distortion_px` is the displacement in the corner of the image, in pixels.
    """
    ny, nx = shape
    scale = scale_arcsec / 3600
    cosine, sine = np.cos(np.radians(rotation_deg)), np.sin(np.radians(rotation_deg))
    to_east = -scale if east_left else scale
    to_north = scale if north_up else -scale
    cd = (
        (float(to_east * cosine), float(to_north * sine)),
        (float(-to_east * sine), float(to_north * cosine)),
    )
    corner_px = np.hypot(nx, ny) / 2
    cubic = float(distortion_px / corner_px / (corner_px * scale) ** 2)
    return TrueWcs(centre[0], centre[1], (nx - 1) / 2, (ny - 1) / 2, cd, cubic)


def _gnomonic(ra0: float, dec0: float, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tangent-plane coordinates in degrees (Calabretta & Greisen 2002, section 5.1.3)."""
    away, d, d0 = np.radians(ra - ra0), np.radians(dec), np.radians(dec0)
    cosine = np.sin(d) * np.sin(d0) + np.cos(d) * np.cos(d0) * np.cos(away)
    cosine = np.where(cosine > 0.17, cosine, np.nan)
    xi = np.cos(d) * np.sin(away) / cosine
    eta = (np.sin(d) * np.cos(d0) - np.cos(d) * np.sin(d0) * np.cos(away)) / cosine
    return np.degrees(xi), np.degrees(eta)


def _from_gnomonic(ra0: float, dec0: float, xi: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v, d0 = np.radians(xi), np.radians(eta), np.radians(dec0)
    below = np.cos(d0) - v * np.sin(d0)
    ra = ra0 + np.degrees(np.arctan2(u, below))
    dec = np.degrees(np.arctan2(np.sin(d0) + v * np.cos(d0), np.hypot(u, below)))
    return ra % 360, dec


def _linear_over_distorted(distorted: np.ndarray, cubic: float) -> np.ndarray:
    """r / R where R = r (1 + cubic r^2), by Newton's method."""
    r = distorted.copy()
    for _ in range(8):
        r -= (r * (1 + cubic * r * r) - distorted) / (1 + 3 * cubic * r * r)
    return np.divide(r, distorted, out=np.ones_like(r), where=distorted > 0)
