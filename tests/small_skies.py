"""Small skies for the tests of tiles: headers with TPV distortion and stars whose truth is known."""

import numpy as np
from astropy.io.fits import Header

from mar.steps.grid import frame_wcs


class ArrayRows:
    """An image in memory that is read by bands of rows."""

    def __init__(self, data):
        self.data, self.shape, self.rows_read = data, data.shape, 0

    def rows(self, y0, y1):
        self.rows_read += y1 - y0
        return self.data[y0:y1]


class ArrayWriter:
    """Rows written one after another, kept in memory."""

    def __init__(self):
        self.parts = []

    def write_rows(self, rows):
        self.parts.append(rows.copy())

    @property
    def data(self):
        return np.concatenate(self.parts)


def frame_header(
    shape, shift=(0.0, 0.0), rotation_deg=0.0, distorted=False, scale_arcsec=0.55, centre=(150.0, -30.0)
):
    """WCS of a frame of that shape (ny, nx) around `centre`, shifted in pixels, turned, with cubic TPV."""
    turn = np.radians(rotation_deg)
    cosine, sine = np.cos(turn) * scale_arcsec / 3600, np.sin(turn) * scale_arcsec / 3600
    kind = "TPV" if distorted else "TAN"
    cards = {
        "CTYPE1": f"RA---{kind}", "CTYPE2": f"DEC--{kind}", "CUNIT1": "deg", "CUNIT2": "deg",
        "CRVAL1": centre[0], "CRVAL2": centre[1],
        "CRPIX1": (shape[1] + 1) / 2 + shift[0], "CRPIX2": (shape[0] + 1) / 2 + shift[1],
        "CD1_1": -cosine, "CD1_2": sine, "CD2_1": sine, "CD2_2": cosine,
        "RADESYS": "ICRS", "EQUINOX": 2000.0,
    }  # fmt: skip
    if distorted:
        # 30 px at 2000 px from the centre, 0.15 px at 350
        cubic = 30 / 2000**3 / (scale_arcsec / 3600) ** 2
        for axis in (1, 2):
            cards |= {f"PV{axis}_1": 1.0, f"PV{axis}_7": cubic, f"PV{axis}_9": cubic}
    return Header(cards)


def moffat(shape, x, y, flux, fwhm=3.0, beta=3.0, ellipticity=0.0, angle_deg=0.0):
    """A star of that flux at a zero-based position, sampled at the centres of the pixels."""
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    turn = np.radians(angle_deg)
    u = (xx - x) * np.cos(turn) + (yy - y) * np.sin(turn)
    v = -(xx - x) * np.sin(turn) + (yy - y) * np.cos(turn)
    ratio = 1 - ellipticity
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    # fwhm is the geometric mean of both axes
    squared = (u**2 * ratio + v**2 / ratio) / alpha**2
    return flux * (beta - 1) / (np.pi * alpha**2) * (1 + squared) ** -beta


def draw_stars(header, shape, grid, rng, sky=100.0, number=10, fwhm=3.2, at=None, on_grid=None):
    """A noiseless frame with Gaussian stars, and their (column, row, flux) on the grid, zero-based.

    Positions are given in the frame (`at`) or on the grid (`on_grid`), else drawn well apart from each other.
    """
    wcs = frame_wcs(header)
    if on_grid is not None:
        at = np.column_stack(grid.pixels_of(wcs, *np.array(on_grid, dtype=float).T))
    if at is None:
        places = np.stack(np.meshgrid(np.arange(40, shape[1] - 40, 60), np.arange(40, shape[0] - 40, 60)), -1)
        at = rng.permutation(places.reshape(-1, 2))[:number] + rng.uniform(-10, 10, (number, 2))
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    image = np.full(shape, sky, "f8")
    sigma = fwhm / 2.3548
    fluxes = 10 ** rng.uniform(4, 5, len(at))
    for (x, y), flux in zip(at, fluxes, strict=True):
        image += flux / (2 * np.pi * sigma**2) * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * sigma**2))
    on_tile = grid.wcs().wcs_world2pix(np.column_stack(wcs.wcs_pix2world(*np.transpose(at), 0)), 0)
    return image.astype("f4"), [(*place, flux) for place, flux in zip(on_tile, fluxes, strict=True)]
