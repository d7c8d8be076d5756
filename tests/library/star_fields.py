"""Star fields whose every position is known: an own distortion, own pointing error, spurious sources."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from mar.refcat.stars import Stars

SHAPE = (1154, 1152)
SCALE = 0.55


@dataclass
class Field:
    """Sources of a frame, reference stars around it, and the truth behind both."""

    sources: Table
    reference: Stars
    pointing: tuple[float, float]  # where the header says that it points
    shape: tuple[int, int]
    truth: "Truth"
    real: np.ndarray  # which sources are stars


@dataclass
class Truth:
    """True sky position of a pixel (from 1): rotation, scale, flip, and a cubic distortion, then TAN."""

    ra: float
    dec: float
    angle: float  # degrees
    scale: float
    mirror: tuple[int, int]
    cubic: float  # relative displacement at the corner
    shape: tuple[int, int]

    def sky(self, x, y):
        dx, dy = x - (self.shape[1] + 1) / 2, y - (self.shape[0] + 1) / 2
        r2 = (dx**2 + dy**2) / ((self.shape[0] ** 2 + self.shape[1] ** 2) / 4)
        dx, dy = dx * (1 + self.cubic * r2), dy * (1 + self.cubic * r2) + 0.3 * self.cubic * dx * r2
        dx, dy = -dx * self.mirror[0], dy * self.mirror[1]
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        step = self.scale * SCALE / 3600
        plane = WCS(naxis=2)
        plane.wcs.ctype = "RA---TAN", "DEC--TAN"
        plane.wcs.crval = self.ra, self.dec
        plane.wcs.cdelt = 1.0, 1.0
        return plane.wcs_pix2world(step * (cos * dx - sin * dy), step * (sin * dx + cos * dy), 1)


def make(
    seed=1,
    stars=150,
    spurious=0.3,
    offset_arcmin=1.0,
    angle=0.5,
    scale=1.0,
    mirror=(1, 1),
    cubic=1e-4,
    noise_px=0.05,
    dec=-30.0,
    shape=SHAPE,
    complete=0.9,
    reference_noise_mas=5.0,
):
    """A field of about `stars` true stars on the frame, with the reference stars of a wider region."""
    rng = np.random.default_rng(seed)
    ra = float(rng.uniform(0, 360))
    truth = Truth(ra, dec, angle, scale, mirror, cubic, shape)
    ny, nx = shape
    margin = int(6 * 60 / SCALE)
    around = (nx + 2 * margin) * (ny + 2 * margin) / (nx * ny)
    n = int(stars * around)
    x = rng.uniform(-margin, nx + margin, n)
    y = rng.uniform(-margin, ny + margin, n)
    magnitude = 18 - rng.exponential(1 / (0.35 * np.log(10)), n)
    star_ra, star_dec = truth.sky(x, y)
    seen = (x > 12) & (x < nx - 11) & (y > 12) & (y < ny - 11)
    known = rng.uniform(size=n) < complete
    cosdec = np.cos(np.radians(star_dec))
    noise = rng.normal(0, reference_noise_mas / 3.6e6, (2, n))
    reference = Stars(
        star_ra[known] + noise[0][known] / cosdec[known], star_dec[known] + noise[1][known], magnitude[known]
    )
    faint = noise_px * 10 ** (0.2 * (np.clip(magnitude[seen], 13, None) - 17))
    sx = x[seen] + rng.normal(0, faint)
    sy = y[seen] + rng.normal(0, faint)
    junk = int(spurious * seen.sum() / (1 - spurious))
    sx = np.append(sx, rng.uniform(12, nx - 11, junk))
    sy = np.append(sy, rng.uniform(12, ny - 11, junk))
    # another band: the order of brightness is not that of the catalogue
    flux = np.append(magnitude[seen] + rng.normal(0, 0.3, seen.sum()), rng.choice(magnitude, junk))
    error = np.append(faint, np.full(junk, noise_px)).astype("f4")
    table = Table({"XWIN_IMAGE": sx, "YWIN_IMAGE": sy, "FLUX_AUTO": 10 ** (-0.4 * (flux - 25))})
    table["X_IMAGE"], table["Y_IMAGE"] = sx, sy
    table["ERRAWIN_IMAGE"] = table["ERRBWIN_IMAGE"] = error
    table["SNR_WIN"], table["FWHM_IMAGE"] = 50.0, 3.0
    table["FLAGS"] = table["IMAFLAGS_ISO"] = np.zeros(len(table), "i2")
    real = np.arange(len(table)) < seen.sum()
    order = rng.permutation(len(table))
    direction = rng.uniform(0, 2 * np.pi)
    pointing = (
        ra + offset_arcmin / 60 * np.cos(direction) / np.cos(np.radians(dec)),
        dec + offset_arcmin / 60 * np.sin(direction),
    )
    return Field(table[order], reference, pointing, shape, truth, real[order])
