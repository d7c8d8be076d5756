"""World coordinates in headers: read them, remove them."""

import re
import warnings

from astropy.io.fits import Header
from astropy.wcs import WCS, FITSFixedWarning, InvalidTransformError, WcsError

from mar.errors import BadHeader

_UNREADABLE = ("TNX", "ZPX")
_MEASURED = ("MAR AST ", "MAR PHO ", "MAR PRO ", "ASTROMETRY")
_WCS_CARD = re.compile(
    r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CRDER|CSYER|CNAME)[1-9][A-Z]?"
    r"|(CD|PC)[1-9]_[1-9][A-Z]?|(CD|PC)00[1-9]00[1-9]|P[VS][1-9]_\d+[A-Z]?"
    r"|(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)|PROJP\d+|(LONPOLE|LATPOLE|RADESYS|EQUINOX|WCSAXES|WCSNAME)[A-Z]?"
    r"|RADECSYS|WCSDIM|WAT[0-9]_\d+|LT[MV][1-9](_[1-9])?|CPDIS[12]|CPERR[12]|DP[12].*|CQDIS[12]|DQ[12].*"
)


def without_wcs(header: Header) -> Header:
    """A copy of a header without any card of a world coordinate system, distortions included."""
    bare = header.copy()
    for key in {card.keyword for card in header.cards if _WCS_CARD.fullmatch(card.keyword)}:
        bare.remove(key, remove_all=True)
    return bare


def without_astrometry(header: Header) -> Header:
    """A copy without world coordinates, and without what was measured by means of them."""
    bare = without_wcs(header)
    for key in [card.keyword for card in bare.cards if card.keyword.startswith(_MEASURED)]:
        bare.remove(key, ignore_missing=True, remove_all=True)
    return bare


def iraf_projection(header: Header) -> str:
    """TNX or ZPX where the world coordinates are of IRAF's own projections; else empty."""
    kind = str(header.get("CTYPE1", ""))
    return kind[-3:] if kind.endswith(_UNREADABLE) else ""


def without_iraf(header: Header) -> Header:
    """A copy in which the projections of IRAF are a plain tangent plane, their distortion left out."""
    plain = header.copy()
    if iraf_projection(header):
        for key in [card.keyword for card in header.cards if card.keyword.startswith("WAT")]:
            plain.remove(key, ignore_missing=True, remove_all=True)
    for axis in (1, 2):
        kind = str(header.get(f"CTYPE{axis}", ""))
        if kind.endswith(_UNREADABLE):
            plain[f"CTYPE{axis}"] = f"{kind[:-3]}TAN"
    return plain


def wcs_cards(header: Header) -> Header:
    """The cards of the world coordinate system alone, numbers written as text made numbers.

    Raises BadHeader where a card that must be a number is none.
    """
    cards = Header()
    for card in header.cards:
        if card.keyword in ("NAXIS1", "NAXIS2") or _WCS_CARD.fullmatch(card.keyword):
            cards[card.keyword] = _number(card.keyword, card.value)
    return cards


def _number(key: str, value: object) -> object:
    if not isinstance(value, str) or re.match(
        r"CTYPE|CUNIT|CNAME|RADE|WCSNAME|WAT|CPDIS|CQDIS|D[PQ]|PS", key
    ):
        return value
    try:
        return float(value)
    except ValueError as error:
        raise BadHeader(f"{key} = {value!r} is not a number") from error


def read_wcs(header: Header) -> WCS:
    """The celestial coordinates of an image: TAN, SIP, TPV (also where old programs call it TAN) and others.

    Raises BadHeader where there are none, and for IRAF's TNX and ZPX, whose distortion would be lost.
    """
    cards = wcs_cards(header)
    types = [str(cards.get(f"CTYPE{axis}", "")) for axis in (1, 2)]
    for kind in _UNREADABLE:
        if any(word.endswith(kind) for word in types):
            raise BadHeader(f"CTYPE {types[0]!r}: IRAF's {kind} cannot be read; convert it to TPV or SIP")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = WCS(cards)
    except (WcsError, InvalidTransformError, ValueError, KeyError, TypeError) as error:
        raise BadHeader(f"world coordinates cannot be read: {error}") from error
    if not wcs.has_celestial:
        raise BadHeader(f"CTYPE1 = {types[0]!r}, CTYPE2 = {types[1]!r}: no celestial coordinates")
    return wcs
