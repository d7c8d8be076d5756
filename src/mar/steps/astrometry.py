"""Astrometry: match the stars of a frame with a reference catalogue and fit TPV (as SCAMP, Bertin 2006)."""

import logging
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table

from mar.config.astrometry import Astrometry
from mar.config.scamp import Scamp
from mar.errors import NotSolved
from mar.frame import CardValue, Frame, set_cards
from mar.refcat.stars import Cone, Stars
from mar.steps.distortion import (
    LINEAR,
    Fit,
    Points,
    Settings,
    believed_fit,
    frame_error_mas,
    measured_floor,
    sources_arcsec,
    stars_arcsec,
)
from mar.steps.matching import Limits, Match, match
from mar.steps.projection import to_plane
from mar.steps.rough import centre_of
from mar.steps.star_choice import evenly, unblended, usable
from mar.steps.tpv import Tpv, fit_tpv, tangent
from mar.steps.wcs_header import without_astrometry

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Solution:
    """A believed astrometric solution."""

    wcs: Tpv
    degree: int
    stars: int  #: stars in the fit
    rms_mas: tuple[float, float]  #: residuals to the east and to the north, after clipping
    bright_rms_mas: tuple[float, float]  #: the same of the stars above the second SN_THRESHOLDS; 0 if none
    chi2: float  #: reduced
    centre: tuple[float, float]  #: RA and DEC of the middle of the frame, degrees
    offset_arcsec: tuple[float, float]  #: true minus rough pointing there, east and north
    error_mas: tuple[float, float]  #: formal error of a position, rms and greatest over the frame
    log10_chance: float  #: log10 of the probability that the match is chance; NaN where none was sought
    catalogue: str
    x: np.ndarray  #: pixels (from 1) of the stars in the fit
    y: np.ndarray
    residual_mas: np.ndarray  #: (stars, 2) source minus reference, east and north
    magnitude: np.ndarray  #: of the reference stars; NaN where unknown

    def unbinned(self, factor: int) -> "Solution":
        """The same for pixels so many times smaller."""
        if factor == 1:
            return self
        x, y = (factor * (values - 0.5) + 0.5 for values in (self.x, self.y))
        return replace(self, wcs=self.wcs.binned(1 / factor), x=x, y=y)

    def cards(self) -> dict[str, CardValue | tuple[CardValue, str]]:
        """Header cards: the world coordinates and how good they are."""
        return {
            **self.wcs.cards(),
            "ASTROMETRY": ("SUCCESS", "astrometric solution"),
            "MAR AST NSTARS": (self.stars, "stars in the fit"),
            "MAR AST RMS1": (round(self.rms_mas[0], 3), "[mas] residuals to the east"),
            "MAR AST RMS2": (round(self.rms_mas[1], 3), "[mas] residuals to the north"),
            "MAR AST RMSB1": (round(self.bright_rms_mas[0], 3), "[mas] of bright stars, to the east"),
            "MAR AST RMSB2": (round(self.bright_rms_mas[1], 3), "[mas] of bright stars, to the north"),
            "MAR AST CHI2": (round(self.chi2, 4), "reduced chi squared"),
            "MAR AST DEGREE": (self.degree, "degree of the distortion"),
            "MAR AST DEAST": (round(self.offset_arcsec[0], 3), "[arcsec] pointing error"),
            "MAR AST DNORTH": (round(self.offset_arcsec[1], 3), "[arcsec] pointing error"),
            "MAR AST SCALE": (round(self.wcs.scale_arcsec, 6), "[arcsec/pixel]"),
            "MAR AST ERR": (round(self.error_mas[0], 3), "[mas] of a position, rms over the frame"),
            "MAR AST ERRMAX": (round(self.error_mas[1], 3), "[mas] of a position, at worst"),
            **_known({"MAR AST CHANCE": (self.log10_chance, "log10 of the false-alarm probability")}),
            "MAR AST CATALOG": (self.catalogue, "reference catalogue"),
        }


def search_cone(rough: Tpv, shape: tuple[int, ...], scamp: Scamp) -> Cone:
    """The part of the sky whose reference stars a frame may show, given how wrong its pointing may be."""
    half_diagonal = float(np.hypot(shape[0], shape[1])) / 2 * rough.scale_arcsec / 3600
    return Cone(*_middle(rough, shape), half_diagonal * 1.05 + scamp.position_maxerr / 60)


def solve(
    sources: Table, reference: Stars, rough: Tpv, shape: tuple[int, ...], config: Settings, band: str = ""
) -> Solution:
    """The astrometric solution of a frame (ny, nx).

    `sources` as `detect` gives them; `reference` at the frame's epoch, within `search_cone`; `rough` as
    `rough_wcs` gives it; `config` has the sections scamp, reduction and astrometry; `band` orders the
    reference stars by that band where they have it. Raises NotSolved rather than give a solution that it does
    not believe.
    """
    rough = _touching(rough, shape)
    good = usable(sources, shape, config.scamp, config.reduction)
    stars = _bright(reference, config.scamp, band)
    start, chance = rough, float("nan")
    if config.scamp.match:
        every = _points(good, stars, rough.scale_arcsec, config)
        start, chance = _matched(every, stars, rough, shape, config)
    points = _points(unblended(good), stars, rough.scale_arcsec, config)
    fit = believed_fit(points, stars, start, shape, config)
    # now that the scatter is known, each star weighs what it should
    points = replace(points, floor_mas=measured_floor(points, fit))
    fit = believed_fit(points, stars, fit.wcs, shape, config)
    solution = _solution(points, fit, rough, shape, stars, chance)
    logger.info(
        "%d stars of %s, rms %.0f and %.0f mas, false-alarm probability 10^%.0f",
        *(solution.stars, solution.catalogue, *solution.rms_mas, chance),
    )
    return solution


def _known(cards: dict[str, tuple[float, str]]) -> dict[str, tuple[float, str]]:
    """Without those that are not numbers: FITS has none for them."""
    return {key: (round(value, 2), said) for key, (value, said) in cards.items() if np.isfinite(value)}


def _middle(wcs: Tpv, shape: tuple[int, ...]) -> tuple[float, float]:
    """RA and DEC (degrees) of the middle of a frame."""
    x, y = centre_of(shape)
    ra, dec = wcs.sky(np.array(x), np.array(y))
    return float(ra), float(dec)


def with_solution(frame: Frame, solution: Solution) -> Frame:
    """The frame with the solution in its header, instead of whatever world coordinates were there."""
    header = without_astrometry(frame.header)
    set_cards(header, solution.cards())
    return frame.replace(header=header)


def without_solution(frame: Frame) -> Frame:
    """The frame marked ASTROMETRY = FAILED; no world coordinates stay that someone could trust."""
    header = without_astrometry(frame.header)
    set_cards(header, {"ASTROMETRY": ("FAILED", "astrometric solution")})
    return frame.replace(header=header)


def add_positions(sources: Table, wcs: Tpv) -> Table:
    """The sources with ALPHA_J2000 and DELTA_J2000, and ALPHAWIN_J2000 and DELTAWIN_J2000 of the windowed
    centroids.
    """
    placed = sources.copy()
    for window in ("", "WIN"):
        ra, dec = wcs.sky(np.asarray(sources[f"X{window}_IMAGE"]), np.asarray(sources[f"Y{window}_IMAGE"]))
        for name, values in ((f"ALPHA{window}_J2000", ra), (f"DELTA{window}_J2000", dec)):
            placed[name] = values
            placed[name].unit = "deg"
    return placed


def _bright(reference: Stars, scamp: Scamp, band: str) -> Stars:
    """The reference stars within the limits of magnitude, brightest first in that band where it is known."""
    low, high = scamp.astrefmag_limits
    known = np.isfinite(reference.magnitude)
    within = ~known | ((reference.magnitude >= low) & (reference.magnitude <= high))
    stars = reference[within]
    magnitude = np.array(stars.magnitude, dtype=float)
    if band in stars.bands:
        magnitude = np.where(np.isfinite(stars.bands[band]), stars.bands[band], magnitude)
    return stars[np.argsort(np.where(np.isfinite(magnitude), magnitude, 99.0), kind="stable")]


def _touching(rough: Tpv, shape: tuple[int, ...]) -> Tpv:
    """The rough tangent plane moved to touch the sky at the middle of the frame."""
    x, y = centre_of(shape)
    ra, dec = rough.sky(np.array([x, x + 1, x]), np.array([y, y, y + 1]))
    xi, eta = to_plane(ra, dec, float(ra[0]), float(dec[0]))
    return tangent((float(ra[0]), float(dec[0])), (x, y), np.array([[xi[1], xi[2]], [eta[1], eta[2]]]))


def _points(sources: Table, stars: Stars, scale_arcsec: float, config: Settings) -> Points:
    """The positions of the sources with their errors, those of the reference stars included."""
    window = "WIN" if config.reduction.daily_astrom_use_winparams else ""
    error_px = np.hypot(np.asarray(sources["ERRAWIN_IMAGE"]), np.asarray(sources["ERRBWIN_IMAGE"])) / np.sqrt(
        2
    )
    floor = np.hypot(config.astrometry.source_floor, stars.error_mas or config.astrometry.reference_error)
    return Points(
        np.asarray(sources[f"X{window}_IMAGE"]),
        np.asarray(sources[f"Y{window}_IMAGE"]),
        1000 * scale_arcsec * error_px,
        np.asarray(sources["SNR_WIN"] >= config.scamp.sn_thresholds[1]),
        float(floor),
    )


def _matched(
    points: Points, stars: Stars, rough: Tpv, shape: tuple[int, ...], config: Settings
) -> tuple[Tpv, float]:
    """The linear solution that the pattern of the stars gives, and log10 of its false-alarm probability."""
    cells, each = config.reduction.cat_ngrid, config.reduction.objects_per_cell
    chosen = points[evenly(points.x, points.y, shape, cells, each)]
    plane, seen = sources_arcsec(rough, chosen), stars_arcsec(rough, stars)
    found = match(plane, seen, _limits(config.scamp, config.astrometry))
    _check_fraction(found, plane, seen, config.astrometry)
    pairs, star = chosen[found.sources], found.stars
    even = np.ones(len(star))
    degree = 1 if len(star) >= LINEAR else 0
    sky = stars.ra_deg[star], stars.dec_deg[star]
    # a mirrored frame has to be turned over before a rotation can fit it
    turned = rough.mirrored() if np.linalg.det(found.matrix) < 0 else rough
    return fit_tpv(pairs.x, pairs.y, *sky, even, turned, degree), found.log10_chance


def _limits(scamp: Scamp, config: Astrometry) -> Limits:
    return Limits(
        offset_arcsec=60 * scamp.position_maxerr,
        scale=scamp.pixscale_maxerr,
        angle_rad=float(np.radians(scamp.posangle_maxerr)),
        flips=scamp.match_flipped,
        radius_arcsec=scamp.crossid_radius,
        least_stars=config.least_stars,
        log10_chance=config.log10_chance,
    )


def _check_fraction(found: Match, plane: np.ndarray, stars: np.ndarray, config: Astrometry) -> None:
    """Refuse a match of few stars out of many, however unlikely by chance: stars are not strewn at random."""
    moved = found.apply(plane)
    inside = np.all((stars >= moved.min(axis=0)) & (stars <= moved.max(axis=0)), axis=1).sum()
    possible = max(1, min(len(plane), int(inside)))
    if len(found.sources) < config.least_fraction * possible:
        raise NotSolved(f"only {len(found.sources)} of {possible} stars match: the solution is not believed")


def _rms(residual_mas: np.ndarray) -> tuple[float, float]:
    if not len(residual_mas):
        return 0.0, 0.0
    east, north = np.sqrt((residual_mas**2).mean(axis=0))
    return float(east), float(north)


def _solution(
    points: Points, fit: Fit, rough: Tpv, shape: tuple[int, ...], stars: Stars, log10_chance: float
) -> Solution:
    used = points[fit.source]
    ra, dec = _middle(fit.wcs, shape)
    east, north = to_plane(np.array(ra), np.array(dec), *_middle(rough, shape))
    return Solution(
        wcs=fit.wcs,
        degree=fit.degree,
        stars=len(used.x),
        rms_mas=fit.rms_mas,
        bright_rms_mas=_rms(fit.residual_mas[used.bright]),
        chi2=float(((fit.residual_mas / used.error_mas[:, None]) ** 2).sum() / (2 * fit.freedom)),
        centre=(ra, dec),
        offset_arcsec=(3600 * float(east), 3600 * float(north)),
        error_mas=frame_error_mas(points, fit, shape),
        log10_chance=log10_chance,
        catalogue=stars.pack,
        x=used.x,
        y=used.y,
        residual_mas=fit.residual_mas,
        magnitude=np.asarray(stars.magnitude[fit.star], dtype=float),
    )
