"""TPV: a tangent plane with a polynomial of the standard coordinates (registry of FITS conventions, TPV).

The world coordinates of a pixel are got in three moves: an offset from CRPIX through the CD matrix, a
polynomial PV of each axis, and the tangent plane at CRVAL.
"""

from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header

from mar.errors import BadHeader
from mar.steps.projection import from_plane, to_plane

# number of a PV term -> powers of (own axis, other axis); terms in the radius (3, 11, 23) are not used
_FIRST_OF_DEGREE = {0: 0, 1: 1, 2: 4, 3: 7, 4: 12, 5: 17}
POWERS: dict[int, tuple[int, int]] = {
    first + k: (degree - k, k) for degree, first in _FIRST_OF_DEGREE.items() for k in range(degree + 1)
}

_TERMS = {powers: term for term, powers in POWERS.items()}


def terms(degree: int) -> list[int]:
    """Numbers of the PV terms up to that degree; degree 0 here is a shift, a rotation and a scale."""
    return [term for term, powers in POWERS.items() if sum(powers) <= degree]


@dataclass(frozen=True)
class Tpv:
    """A TPV solution; pixels are counted from 1, angles are degrees."""

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: np.ndarray  #: (2, 2) degrees per pixel
    pv: tuple[dict[int, float], dict[int, float]]  #: by axis: number of the term -> coefficient

    def intermediate(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard coordinates (degrees) before the polynomial."""
        dx, dy = np.asarray(x) - self.crpix[0], np.asarray(y) - self.crpix[1]
        return self.cd[0, 0] * dx + self.cd[0, 1] * dy, self.cd[1, 0] * dx + self.cd[1, 1] * dy

    def plane(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard coordinates (degrees) of pixels counted from 1."""
        u, v = self.intermediate(x, y)
        return _polynomial(u, v, self.pv[0]), _polynomial(v, u, self.pv[1])

    def sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RA and DEC (degrees) of pixels counted from 1."""
        xi, eta = self.plane(x, y)
        return from_plane(xi, eta, *self.crval)

    def pixel(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels, counted from 1, of positions in degrees; by iteration, to a millionth of a pixel."""
        xi, eta = to_plane(np.asarray(ra_deg), np.asarray(dec_deg), *self.crval)
        inverse = np.linalg.inv(self.cd)
        u, v = xi, eta
        for _ in range(30):
            u = u - (_polynomial(u, v, self.pv[0]) - xi)
            v = v - (_polynomial(v, u, self.pv[1]) - eta)
        return (
            self.crpix[0] + inverse[0, 0] * u + inverse[0, 1] * v,
            self.crpix[1] + inverse[1, 0] * u + inverse[1, 1] * v,
        )

    def mirrored(self) -> "Tpv":
        """The same with the x axis turned round."""
        return Tpv(self.crval, self.crpix, self.cd @ np.diag([-1.0, 1.0]), self.pv)

    def binned(self, factor: float) -> "Tpv":
        """The same for pixels so many times larger."""
        x, y = ((pixel - 0.5) / factor + 0.5 for pixel in self.crpix)
        return Tpv(self.crval, (x, y), self.cd * factor, self.pv)

    @property
    def scale_arcsec(self) -> float:
        """Pixel scale at the reference pixel."""
        return float(3600 * np.sqrt(abs(np.linalg.det(self.cd))))

    def cards(self) -> dict[str, tuple[str | float, str]]:
        """The header cards, all numbers as numbers."""
        cards: dict[str, tuple[str | float, str]] = {
            "CTYPE1": ("RA---TPV", "tangent plane with PV polynomial"),
            "CTYPE2": ("DEC--TPV", "tangent plane with PV polynomial"),
            "CUNIT1": ("deg", ""),
            "CUNIT2": ("deg", ""),
            "RADESYS": ("ICRS", ""),
            "EQUINOX": (2000.0, ""),
        }
        for axis in (0, 1):
            cards[f"CRVAL{axis + 1}"] = (float(self.crval[axis]), "deg")
            cards[f"CRPIX{axis + 1}"] = (float(self.crpix[axis]), "pixel")
            for other in (0, 1):
                cards[f"CD{axis + 1}_{other + 1}"] = (float(self.cd[axis, other]), "deg/pixel")
        for axis in (0, 1):
            cards |= {f"PV{axis + 1}_{term}": (float(c), "") for term, c in sorted(self.pv[axis].items())}
        return cards


def _polynomial(own: np.ndarray, other: np.ndarray, coefficients: dict[int, float]) -> np.ndarray:
    total = np.zeros_like(own, dtype=float)
    for term, coefficient in coefficients.items():
        p, q = POWERS[term]
        total = total + coefficient * own**p * other**q
    return total


def identity_pv() -> tuple[dict[int, float], dict[int, float]]:
    """The polynomial that changes nothing."""
    return {1: 1.0}, {1: 1.0}


def tangent(crval: tuple[float, float], crpix: tuple[float, float], cd: np.ndarray) -> Tpv:
    """A plain tangent plane."""
    return Tpv(crval, crpix, np.asarray(cd, dtype=float), identity_pv())


def tpv_of(header: Header) -> Tpv:
    """The solution that stands in a header of ours; raises BadHeader where it is of another kind."""
    if str(header.get("CTYPE1")) != "RA---TPV" or str(header.get("CTYPE2")) != "DEC--TPV":
        raise BadHeader(f"CTYPE1 = {header.get('CTYPE1')!r}: TPV coordinates of `mar` are wanted")
    try:
        pixel, sky = ((float(header[f"{key}1"]), float(header[f"{key}2"])) for key in ("CRPIX", "CRVAL"))
        cd = np.array([[float(header[f"CD{i}_{j}"]) for j in (1, 2)] for i in (1, 2)])
        pv = [
            {term: float(header[f"PV{axis}_{term}"]) for term in POWERS if f"PV{axis}_{term}" in header}
            for axis in (1, 2)
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise BadHeader(f"world coordinates are not complete: {error}") from error
    return Tpv(sky, pixel, cd, (pv[0] or {1: 1.0}, pv[1] or {1: 1.0}))


def fit_tpv(
    x: np.ndarray,
    y: np.ndarray,
    ra_deg: np.ndarray,
    dec_deg: np.ndarray,
    weight: np.ndarray,
    start: Tpv,
    degree: int,
) -> Tpv:
    """The weighted least-squares TPV of that degree through stars at pixels x, y (from 1).

    Of degree 0 only shift, rotation and scale are fitted, which two stars determine.

    `weight` is the inverse of each star's error. The reference pixel of `start` stays; CRVAL is moved to
    where it falls and CD takes the linear part, so that PV holds the distortion alone.
    """
    crval, cd = start.crval, start.cd
    for _ in range(3):
        xi, eta = to_plane(ra_deg, dec_deg, *crval)
        first = Tpv(crval, start.crpix, cd, identity_pv())
        pv = _fit_pv(first, x, y, xi, eta, weight, degree)
        ra, dec = from_plane(np.array(pv[0][0]), np.array(pv[1][0]), *crval)
        # PV number 2 of an axis belongs to the other axis
        linear = np.array([[pv[0][1], pv[0][2]], [pv[1][2], pv[1][1]]])
        crval, cd = (float(ra), float(dec)), linear @ cd
    xi, eta = to_plane(ra_deg, dec_deg, *crval)
    last = Tpv(crval, start.crpix, cd, identity_pv())
    return Tpv(crval, start.crpix, cd, _fit_pv(last, x, y, xi, eta, weight, degree))


def _fit_pv(
    frame: Tpv,
    x: np.ndarray,
    y: np.ndarray,
    xi: np.ndarray,
    eta: np.ndarray,
    weight: np.ndarray,
    degree: int,
) -> tuple[dict[int, float], dict[int, float]]:
    u, v = frame.intermediate(x, y)
    if degree == 0:
        return _similarity(u + 1j * v, xi + 1j * eta, weight)
    scale = max(float(np.max(np.hypot(u, v))), 1e-9)
    numbers = terms(degree)

    powers = [POWERS[term] for term in numbers]
    design = np.stack([(u / scale) ** p * (v / scale) ** q for p, q in powers], axis=1)
    # the polynomials of both axes have the same terms, so they share their normal equations; these lose no
    # digits that matter, for what they give is only how far the sky is from the linear part
    weighted = design * weight[:, None] ** 2
    normal = np.einsum("ni,nj->ij", weighted, design)  # no BLAS: its threads cost more than they save here

    def axis(own: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        right = np.einsum("ni,n->i", weighted, (wanted - own) / scale)
        return np.linalg.lstsq(normal, right, rcond=None)[0]

    east, north = {1: 1.0}, {1: 1.0}
    for (p, q), of_xi, of_eta in zip(powers, axis(u, xi), axis(v, eta), strict=True):
        back = scale ** (1 - p - q)
        east[_TERMS[p, q]] = east.get(_TERMS[p, q], 0.0) + float(of_xi * back)
        north[_TERMS[q, p]] = north.get(_TERMS[q, p], 0.0) + float(of_eta * back)
    return east, north


def _similarity(
    z: np.ndarray, wanted: np.ndarray, weight: np.ndarray
) -> tuple[dict[int, float], dict[int, float]]:
    """Shift, rotation and scale that carry complex `z` to `wanted`."""
    share = weight**2 / (weight**2).sum()
    z0, wanted0 = (share * z).sum(), (share * wanted).sum()
    factor = (share * np.conj(z - z0) * (wanted - wanted0)).sum() / (share * np.abs(z - z0) ** 2).sum()
    shift = wanted0 - factor * z0
    return (
        {0: float(shift.real), 1: float(factor.real), 2: float(-factor.imag)},
        {0: float(shift.imag), 1: float(factor.real), 2: float(factor.imag)},
    )
