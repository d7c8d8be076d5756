"""Stars of astrometry.net's index files (Lang et al. 2010, AJ 139, 1782), as Debian packages them."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from mar.errors import BadImage

_BRIGHT_FIRST = ("MAG_VT", "MAG", "MAG_G", "PHOT_G_MEAN_MAG", "J_MAG")


def read_index(path: Path) -> Table:
    """RA, DEC (degrees, of the epoch of the catalogue behind it) and magnitudes of an index file.

    The table `kdtree_data_stars` holds a unit vector of three unsigned integers for each star, counted in
    steps of 1/scale from the least value; `kdtree_range_stars` holds three least values, three greatest and
    the scale. Both are in the order of bytes of the machine that wrote them, which ENDIAN tells. Magnitudes
    stand in tables of their own, in the same order of stars. Raises BadImage.
    """
    try:
        with fits.open(path, memmap=True) as hdus:
            little = str(hdus[0].header.get("ENDIAN", "04:03:02:01")) == "04:03:02:01"
            raw = _bytes_of(hdus, "kdtree_data_stars", path)
            limits = _bytes_of(hdus, "kdtree_range_stars", path).ravel().view("<f8" if little else ">f8")
            magnitudes = {
                name: np.array(hdu.data[name], dtype="f4")
                for hdu in hdus[1:]
                if isinstance(hdu, fits.BinTableHDU)
                for name in hdu.columns.names
                if "MAG" in name.upper() and hdu.header["NAXIS2"] == len(raw)
            }
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadImage(f"{path.name}: not a readable index of astrometry.net: {error}") from error
    x, y, z = _unit_vectors(raw, limits, little).T
    ra, dec = np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return Table({"RA": ra, "DEC": dec, **_named(magnitudes, len(ra))})


def _bytes_of(hdus: fits.HDUList, name: str, path: Path) -> np.ndarray:
    """The bytes (rows, width) of the table whose only column is called `name`."""
    for hdu in hdus[1:]:
        if isinstance(hdu, fits.BinTableHDU) and name in hdu.columns.names:
            rows, width = hdu.header["NAXIS2"], hdu.header["NAXIS1"]
            start = hdu.fileinfo()["datLoc"]
            return np.fromfile(path, np.uint8, rows * width, offset=start).reshape(rows, width)
    raise BadImage(f"{path.name}: has no table {name}, so it is no index of astrometry.net")


def _unit_vectors(raw: np.ndarray, limits: np.ndarray, little: bool) -> np.ndarray:
    """Directions (n, 3) of packed stars: integers of two or four bytes, or numbers of eight."""
    width, order = raw.shape[1] // 3, "<" if little else ">"
    if width == 8:
        return raw.view(f"{order}f8").astype(float)
    if len(limits) != 7 or width not in (2, 4):
        raise BadImage("positions of an index of astrometry.net are not packed as they should be")
    vectors = limits[:3] + raw.view(f"{order}u{width}").astype(float) / limits[6]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _named(magnitudes: dict[str, np.ndarray], stars: int) -> dict[str, np.ndarray]:
    """MAG, the magnitude that the index is sorted by, and MAG_<band>; Tycho's VT is TYCHO_VT here."""
    first = next((name for name in _BRIGHT_FIRST if name in magnitudes), next(iter(magnitudes), ""))
    known = {"MAG": magnitudes[first] if first else np.full(stars, np.nan, "f4")}
    return known | ({"MAG_TYCHO_VT": magnitudes["MAG_VT"]} if "MAG_VT" in magnitudes else {})
