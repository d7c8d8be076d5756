"""Fit the distortion of a frame on its matched stars, with rejection, of a degree that they can carry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mar.config.astrometry import Astrometry
from mar.config.reduction import Reduction
from mar.config.scamp import Scamp
from mar.errors import NotSolved
from mar.refcat.stars import Stars
from mar.steps.matching import pairs_within
from mar.steps.projection import to_plane
from mar.steps.rough import centre_of
from mar.steps.tpv import POWERS, Tpv, fit_tpv, terms

_FEW = 40
_LEAST_FLOOR_MAS = 1.0
LINEAR = 6  # pairs for a fit of degree 1


class Settings(Protocol):
    """The sections of the configuration that the astrometry looks at."""

    @property
    def scamp(self) -> Scamp: ...

    @property
    def reduction(self) -> Reduction: ...

    @property
    def astrometry(self) -> Astrometry: ...


@dataclass(frozen=True)
class Points:
    """Positions of sources: pixels counted from 1, and their errors per axis."""

    x: np.ndarray
    y: np.ndarray
    photon_mas: np.ndarray  #: of the photons alone
    bright: np.ndarray  #: above the second limit of SN_THRESHOLDS
    floor_mas: float  #: what else adds to the errors of all: the air, the pixels, the reference stars

    def __getitem__(self, chosen: np.ndarray) -> "Points":
        places = self.x[chosen], self.y[chosen]
        return Points(*places, self.photon_mas[chosen], self.bright[chosen], self.floor_mas)

    @property
    def error_mas(self) -> np.ndarray:
        """Whole error of each."""
        return np.hypot(self.photon_mas, self.floor_mas)


@dataclass(frozen=True)
class Fit:
    """A fit and the pairs of sources and stars that it rests on."""

    wcs: Tpv
    degree: int
    source: np.ndarray
    star: np.ndarray
    residual_mas: np.ndarray  #: (n, 2) source minus star, east and north

    @property
    def freedom(self) -> int:
        """Degrees of freedom per axis."""
        return max(len(self.source) - parameters(self.degree), 1)

    @property
    def rms_mas(self) -> tuple[float, float]:
        """Residuals per axis, for the degrees of freedom."""
        east, north = np.sqrt((self.residual_mas**2).sum(axis=0) / self.freedom)
        return float(east), float(north)


def measured_floor(points: Points, fit: Fit) -> float:
    """What the brightest quarter of the stars scatters beyond its photons, mas per axis.

    With too few of them it is what `points` has.
    """
    used = points[fit.source]
    brightest = np.argsort(used.photon_mas, kind="stable")[: len(used.x) // 4]
    if len(brightest) < _FEW:
        return points.floor_mas
    scatter = 1.4826 * np.median(np.abs(fit.residual_mas[brightest]))
    beyond = scatter**2 - np.median(used.photon_mas[brightest] ** 2)
    return float(np.sqrt(max(beyond, _LEAST_FLOOR_MAS**2)))


def parameters(degree: int) -> int:
    """How many numbers per axis a fit of that degree finds."""
    return len(terms(degree)) if degree else 2


def sources_arcsec(wcs: Tpv, points: Points) -> np.ndarray:
    """Positions (n, 2) of sources on the tangent plane of `wcs`."""
    return 3600 * np.stack(wcs.plane(points.x, points.y), axis=1)


def stars_arcsec(wcs: Tpv, stars: Stars) -> np.ndarray:
    """Positions (n, 2) of reference stars on the tangent plane of `wcs`; far away if behind it."""
    plane = 3600 * np.stack(to_plane(stars.ra_deg, stars.dec_deg, *wcs.crval), axis=1)
    return np.where(np.isfinite(plane), plane, 1e9)


def believed_fit(points: Points, stars: Stars, start: Tpv, shape: tuple[int, ...], config: Settings) -> Fit:
    """The fit of the degree asked for, or of a lower one where the stars do not carry it.

    Raises NotSolved where too few stars agree, the residuals are too large, or the scale runs away.
    """
    fit = _highest_degree(points, stars, start, shape, config)
    limits = config.astrometry
    if len(fit.source) < limits.least_stars:
        raise NotSolved(
            f"{len(fit.source)} stars agree with the fit; at least {limits.least_stars} are needed"
        )
    if max(fit.rms_mas) > 1000 * limits.max_rms:
        worst = max(fit.rms_mas) / 1000
        raise NotSolved(f"residuals of {worst:.2f} arcsec, above the {limits.max_rms} arcsec allowed")
    if not _smooth(fit.wcs, shape, limits):
        raise NotSolved("the pixel scale changes too much over the frame for a true solution")
    return fit


def _highest_degree(
    points: Points, stars: Stars, start: Tpv, shape: tuple[int, ...], config: Settings
) -> Fit:
    together, *_ = _pairs(start, points, stars, config.scamp.crossid_radius)
    fit = _fit_of_degree(points, stars, start, 1 if len(together) >= LINEAR else 0, config)
    for degree in range(config.scamp.distort_degrees, 1, -1):
        wanted = config.astrometry.stars_per_term * len(terms(degree))
        if len(fit.source) < wanted:
            continue
        higher = _fit_of_degree(points, stars, fit.wcs, degree, config)
        if len(higher.source) >= wanted and _smooth(higher.wcs, shape, config.astrometry):
            return higher
    return fit


def _fit_of_degree(points: Points, stars: Stars, wcs: Tpv, degree: int, config: Settings) -> Fit:
    """Fit on ever closer pairs, each time those of the fit before."""
    radius = config.scamp.crossid_radius
    for step in range(degree + 3):
        now = min(degree, 1 + step)
        source, star, residual = _pairs(wcs, points, stars, radius)
        used = _clipped(residual, points.error_mas[source], config.scamp.astrclip_nsigma)
        if np.count_nonzero(used) < max(config.astrometry.least_stars, parameters(now) + 1):
            raise NotSolved(
                f"only {np.count_nonzero(used)} sources lie within {radius:.1f} arcsec of a reference star "
                "and agree with the others"
            )
        source, star = source[used], star[used]
        weight = 1 / points.error_mas[source]
        wcs = fit_tpv(
            points.x[source], points.y[source], stars.ra_deg[star], stars.dec_deg[star], weight, wcs, now
        )
        spread = float(np.median(np.hypot(*residual[used].T))) / 1000
        radius = min(config.scamp.crossid_radius, max(6 * spread, 1.0))
    residual = 1000 * (sources_arcsec(wcs, points[source]) - stars_arcsec(wcs, stars[star]))
    return Fit(wcs, degree, source, star, residual)


def _pairs(
    wcs: Tpv, points: Points, stars: Stars, radius_arcsec: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest pairs (source, star) and their residuals in mas."""
    plane, seen = sources_arcsec(wcs, points), stars_arcsec(wcs, stars)
    source, star = pairs_within(plane, seen, radius_arcsec)
    return source, star, 1000 * (plane[source] - seen[star])


def _clipped(residual_mas: np.ndarray, error_mas: np.ndarray, sigmas: float) -> np.ndarray:
    """Which pairs agree within so many sigma, the errors scaled up to the scatter that is there."""
    # the scatter of a few stars is itself uncertain: do not trust it to be below the errors
    least = 1.0 if len(residual_mas) < _FEW else 1e-3
    used = np.ones(len(residual_mas), dtype=bool)
    for _ in range(10):
        centre = np.median(residual_mas[used], axis=0)
        scaled = np.abs(residual_mas - centre) / error_mas[:, None]
        scatter = np.maximum(1.4826 * np.median(scaled[used], axis=0), least)
        kept = np.all(scaled <= sigmas * scatter, axis=1)
        if np.array_equal(kept, used):
            break
        used = kept
    return used


def frame_error_mas(points: Points, fit: Fit, shape: tuple[int, ...]) -> tuple[float, float]:
    """Formal error of a position per axis, rms and greatest over the frame, from the covariance of the fit.

    The errors of the stars are scaled up where their scatter is larger.
    """
    used = points[fit.source]
    wide, powers = max(shape), [POWERS[term] for term in terms(max(fit.degree, 1))]

    def design(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = (np.asarray(c) - m for c, m in zip((x, y), centre_of(shape), strict=True))
        return np.stack([(2 * u / wide) ** p * (2 * v / wide) ** q for p, q in powers], axis=-1)

    weighted = design(used.x, used.y) / used.error_mas[:, None]
    chi2 = ((fit.residual_mas / used.error_mas[:, None]) ** 2).sum() / (2 * fit.freedom)
    covariance = np.linalg.pinv(weighted.T @ weighted) * max(1.0, chi2)
    x, y = np.meshgrid(np.linspace(1, shape[1], 9), np.linspace(1, shape[0], 9))
    grid = design(x.ravel(), y.ravel())
    variance = np.einsum("ij,jk,ik->i", grid, covariance, grid)
    return float(np.sqrt(variance.mean())), float(np.sqrt(variance.max()))


def _smooth(wcs: Tpv, shape: tuple[int, ...], config: Astrometry) -> bool:
    """Whether the pixel scale changes little over the whole frame, its corners included."""
    x, y = np.meshgrid(np.linspace(1, shape[1], 9), np.linspace(1, shape[0], 9))
    area = _pixel_area(wcs.plane, x, y) / abs(np.linalg.det(wcs.cd))
    centre = _pixel_area(wcs.plane, *map(np.array, centre_of(shape))) / abs(np.linalg.det(wcs.cd))
    return bool(np.all(area * centre > 0) and np.all(np.abs(area / centre - 1) <= 2 * config.max_distortion))


def _pixel_area(
    plane: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Signed area of a pixel on the tangent plane."""
    xi_x, eta_x = (b - a for a, b in zip(plane(x - 0.5, y), plane(x + 0.5, y), strict=True))
    xi_y, eta_y = (b - a for a, b in zip(plane(x, y - 0.5), plane(x, y + 0.5), strict=True))
    return xi_x * eta_y - xi_y * eta_x
