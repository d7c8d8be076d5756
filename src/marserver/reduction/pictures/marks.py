"""Sources of the catalogue and reference stars that lie on a picture, brightest first."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mar.errors import BadImage, NoReference, ReferenceUnreachable
from mar.io.catalogs import read_catalog
from mar.refcat.packs import RefCat
from mar.refcat.stars import Cone, separation_deg
from marserver.errors import NotFound
from marserver.reduction import site
from marserver.reduction.pictures.files import stamp_of
from marserver.reduction.pictures.picture import Picture
from marserver.reduction.pictures.shared import Shared
from marserver.reduction.pictures.sky import to_pixels, to_sky, wcs_of

MOST = 600
DEFAULT_EPOCH = 2016.0


@dataclass(frozen=True)
class Marks:
    """Places in FITS pixels, and magnitudes (NaN where unknown), brightest first."""

    x: np.ndarray
    y: np.ndarray
    magnitude: np.ndarray


kept: Shared[Marks] = Shared(16)


def sources(path: str | None) -> Marks:
    """The sources of a catalogue; raises NotFound where there is none, BadImage where it cannot be read."""
    stamp = stamp_of(path)
    return kept.get(stamp, partial(_read, stamp.path))


def _read(path: str) -> Marks:
    table = read_catalog(Path(site.absolute(path)))
    if not {"X_IMAGE", "Y_IMAGE"} <= set(table.colnames):
        raise BadImage(f"{path}: a catalogue of sources has the columns X_IMAGE and Y_IMAGE")
    x, y = (np.asarray(table[name], float) for name in ("X_IMAGE", "Y_IMAGE"))
    magnitude = (
        np.asarray(table["MAG_AUTO"], float) if "MAG_AUTO" in table.colnames else np.full(len(x), np.nan)
    )
    return _in_order(x, y, np.where(np.abs(magnitude) < 90, magnitude, np.nan))  # 99: not measured


def reference(image: Picture, epoch: Any) -> Marks:
    """The reference stars on a picture, at the time it was taken; raises NotFound where there are none."""
    return kept.get((image.name, str(epoch)), partial(_stars, image, epoch))


def _stars(image: Picture, epoch: Any) -> Marks:
    wcs = wcs_of(image)
    if wcs is None:
        raise NotFound("no reference stars: the image has no celestial coordinates yet")
    ny, nx = image.shape
    ra, dec = to_sky(wcs, np.array([(nx + 1) / 2, 1, nx, 1, nx]), np.array([(ny + 1) / 2, 1, 1, ny, ny]))
    if not np.isfinite([ra, dec]).all():
        raise NotFound("no reference stars: a corner of the image is not on the sky")
    cone = Cone(float(ra[0]), float(dec[0]), 1.02 * _farthest(ra, dec))
    try:
        stars = RefCat(site.layout().reference).stars_in(cone, epoch or DEFAULT_EPOCH)
    except (NoReference, ReferenceUnreachable) as error:
        raise NotFound(str(error)) from error
    x, y = to_pixels(wcs, stars.ra_deg, stars.dec_deg)
    inside = (x > 0.5) & (x < nx + 0.5) & (y > 0.5) & (y < ny + 0.5)
    return _in_order(x[inside], y[inside], np.asarray(stars.magnitude, float)[inside])


def _farthest(ra: np.ndarray, dec: np.ndarray) -> float:
    """The largest distance from the first place, degrees."""
    return float(separation_deg(Cone(float(ra[0]), float(dec[0]), 0), ra, dec).max())


def within(marks: Marks, x0: float, x1: float, y0: float, y1: float) -> dict[str, Any]:
    """The MOST brightest within some FITS pixels, and how many there are."""
    inside = (marks.x >= x0) & (marks.x <= x1) & (marks.y >= y0) & (marks.y <= y1)
    found = np.flatnonzero(inside)[:MOST]
    return {
        "count": int(inside.sum()),
        "marks": [
            [round(float(marks.x[n]), 2), round(float(marks.y[n]), 2), _known(float(marks.magnitude[n]))]
            for n in found
        ],
    }


def _known(magnitude: float) -> float | None:
    return round(magnitude, 3) if np.isfinite(magnitude) else None


def _in_order(x: np.ndarray, y: np.ndarray, magnitude: np.ndarray) -> Marks:
    """Brightest first, those of unknown magnitude last; those without a place left out."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y, magnitude = x[good], y[good], magnitude[good]
    order = np.argsort(np.where(np.isfinite(magnitude), magnitude, np.inf), kind="stable")
    return Marks(x[order], y[order], magnitude[order])
