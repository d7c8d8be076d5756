"""The growth curve of stars: how much of a point source's light a circle holds (Howell 1989, PASP 101)."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from mar.config.reduction import Reduction
from mar.frame import CardValue
from mar.kernels.measuring import circle_fluxes
from mar.steps.psf_stars import psf_stars
from mar.steps.stamps import star_stamps

REACH_FWHM = 3.0  # of the largest circle: neighbours spoil wider ones sooner than the model errs
RING = 1.4  # outer radius of the sky's ring in radii of the largest circle
RADII = 40
STARS = 60  # at most, the brightest
LEAST_STARS = 3


@dataclass(frozen=True)
class GrowthCurve:
    """Fractions of a star's whole light within circles."""

    radii_px: np.ndarray
    fractions: np.ndarray
    error: float  #: relative, of the light in the largest circle against that in the middle ones
    stars: int

    def correction(self, diameter_px: float) -> float:
        """Magnitude of the whole light less that within a circle of that diameter: negative."""
        inside = np.interp(diameter_px / 2, self.radii_px, self.fractions)
        return float(2.5 * np.log10(inside))

    def cards(self, diameters_px: tuple[float, ...]) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards: the correction of each column of MAG_APER, from 1."""
        return {
            f"MAR PHO APCOR{k}": (
                round(self.correction(width), 5),
                f"[mag] whole light less {width:g} px circle",
            )
            for k, width in enumerate(diameters_px, start=1)
        }


def growth_curve(
    data: np.ndarray,
    mask: np.ndarray | None,
    catalogue: Table,
    config: Reduction,
    fwhm_px: float,
    beta: float,
) -> GrowthCurve | None:
    """Growth curve of the brightest lone stars of an image (ny, nx); None where there are too few.

    The sky is the median of a ring beyond the largest circle. What lies beyond that circle, and what of the
    star lies in the ring, is that of a Moffat profile of `fwhm_px` and `beta`, those of the image's fits.
    """
    if not (np.isfinite(fwhm_px) and np.isfinite(beta)):
        return None
    reach = REACH_FWHM * fwhm_px
    half = int(np.ceil(RING * reach)) + 1
    stars = psf_stars(catalogue, config, isolation_px=RING * reach)
    stars = stars[np.argsort(-np.asarray(stars["FLUX_AUTO"]), kind="stable")][: 2 * STARS]
    stamps, good, used = star_stamps(data, mask, stars, half, reach)
    stamps, good, stars = stamps[:STARS], good[:STARS], stars[used][:STARS]
    if len(stamps) < LEAST_STARS:
        return None
    ring = _ring(half, reach)
    sky = np.array([np.median(stamp[ring & usable]) for stamp, usable in zip(stamps, good, strict=True)])
    radii = np.linspace(0, reach, RADII + 1)[1:]
    x, y = (np.asarray(stars[name], dtype=float) - 1 for name in ("X_IMAGE", "Y_IMAGE"))
    fluxes = np.empty((len(stamps), RADII))
    sharp = np.ascontiguousarray(stamps - sky[:, None, None], dtype=np.float32)
    circle_fluxes(sharp, x - np.rint(x) + half, y - np.rint(y) + half, radii, fluxes)
    middle = int(np.searchsorted(radii, 1.5 * fwhm_px))
    relative = fluxes / fluxes[:, [middle]]
    curve = np.median(relative, axis=0)
    spread = 1.4826 * np.median(np.abs(relative[:, -1] - curve[-1]))
    # the ring took away a little of the star with the sky
    alpha = fwhm_px / (2 * np.sqrt(2 ** (1 / beta) - 1))
    in_ring = _moffat_inside(RING * reach, alpha, beta) - _moffat_inside(reach, alpha, beta)
    per_pixel = in_ring / (np.pi * reach**2 * (RING**2 - 1))
    seen = _moffat_inside(reach, alpha, beta) - per_pixel * np.pi * reach**2
    fractions = curve / curve[-1] * seen + per_pixel * np.pi * radii**2
    return GrowthCurve(radii, fractions, float(1.2533 * spread / np.sqrt(len(stamps))), len(stamps))


def _ring(half: int, reach: float) -> np.ndarray:
    yy, xx = np.mgrid[-half : half + 1, -half : half + 1]
    distance = np.hypot(xx, yy)
    return (distance > reach) & (distance <= RING * reach)


def _moffat_inside(radius: float, alpha: float, beta: float) -> float:
    """The part of a Moffat profile's light within a circle."""
    return float(1 - (1 + (radius / alpha) ** 2) ** (1 - beta))
