"""The colour image of twelve tiles as a process: zoomable, with preview, page of quality and band pairs.

    python sky_colour.py [--root DIR] [--scale 1] ...

The tiles hold noise and stars whose true offset from band to band is 0; they are compressed, as products are.
There is no peer; the limit is what reading the tiles and writing as much as was written takes.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table
from PIL import Image

import scratch
from conventions import Bar, Figures, in_turn, main
from mar.bands import SPLUS_BANDS
from mar.io.catalogs import write_catalog
from mar.io.fits import write_image
from mar.io.names import Layout
from programs import Command

SIDE, STARS, FIELD = 11000, 15000, "BENCH-0001"
SECONDS, MEMORY_GB = 30.0, 3.0
SCALE_DEG, CENTRE = 0.55 / 3600, (150.0, -30.0)
ERROR_PX = 0.02  # of a position, per axis
ONCE = Path(__file__).with_name("colour_once.py")


def make_tiles(layout: Layout, side: int) -> None:
    """Twelve tiles with their catalogues: the same stars in noise, a border without data."""
    rng = np.random.default_rng(1)
    count = max(50, round(STARS * (side / SIDE) ** 2))
    places = rng.uniform(30, side - 30, (count, 2))
    flux = 20 * rng.pareto(1.0, count).clip(0.1, 5000)
    yy, xx = np.mgrid[-12:13, -12:13]
    for number, band in enumerate(SPLUS_BANDS):
        data = rng.standard_normal((side, side), dtype=np.float32)
        for (x, y), light in zip(places, flux * rng.uniform(0.3, 3, count), strict=True):
            x0, y0 = int(x), int(y)
            star = light * (1 + ((xx + x0 - x) ** 2 + (yy + y0 - y) ** 2) / 4) ** -2.5
            data[y0 - 12 : y0 + 13, x0 - 12 : x0 + 13] += star.astype("f4")
        data[:10] = data[-10:] = data[:, :10] = data[:, -10:] = 0
        header = _header(side, number)
        layout.tile(FIELD, band, True).parent.mkdir(parents=True, exist_ok=True)
        write_image(layout.tile(FIELD, band, True), data, header)
        write_catalog(layout.tile_catalog(FIELD, band), _catalogue(places, rng, side), header)


def _header(side: int, number: int) -> Header:
    middle = (side + 1) / 2
    return Header(
        {
            "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": CENTRE[0], "CRVAL2": CENTRE[1],
            "CRPIX1": middle, "CRPIX2": middle, "CD1_1": -SCALE_DEG, "CD1_2": 0.0, "CD2_1": 0.0,
            "CD2_2": SCALE_DEG, "HIERARCH MAR PRO FWHMMEAN": 2.5 + 0.1 * number,
            "HIERARCH MAR PHO DEPTH": 22 - 0.1 * number, "HIERARCH MAR PRO ELLIPMEAN": 0.02,
        }
    )  # fmt: skip


def _catalogue(places: np.ndarray, rng: np.random.Generator, side: int) -> Table:
    seen = places + rng.normal(0, ERROR_PX, places.shape)
    east, north = ((seen - (side - 1) / 2) * SCALE_DEG * [-1, 1]).T
    dec = CENTRE[1] + north
    return Table(
        {
            "ALPHAWIN_J2000": CENTRE[0] + east / np.cos(np.radians(dec)),
            "DELTAWIN_J2000": dec,
            "FLAGS": np.zeros(len(seen), "i2"),
            "SNR_WIN": np.full(len(seen), 100.0, "f4"),
        }
    )


def colour(arguments: argparse.Namespace) -> Figures:
    """Twelve compressed tiles to the colour image, its pyramid and the page of the field."""
    folder = scratch.folder(arguments)
    layout, side = Layout(folder), round(SIDE / arguments.scale)
    tiles = [layout.tile(FIELD, band, True) for band in SPLUS_BANDS]
    if not all(tile.exists() for tile in tiles):
        make_tiles(layout, side)
    words = sys.executable, str(ONCE), str(folder), FIELD
    written = side * side // 8  # bytes; JPEG takes about a bit of a pixel
    runs = in_turn(
        {
            "colour": lambda: Command(words, folder),
            "limit: read and write": lambda: scratch.copy(folder, written, tiles),
        },
        arguments.rounds,
    )
    figures = Figures("colour")
    for name, one in runs.items():
        figures.seconds[name], figures.peak_gb[name] = one.seconds, one.memory.largest_gb
    finest = layout.pyramid(FIELD).with_name(f"{FIELD}_files") / str((side - 1).bit_length())
    last = (side - 1) // 512
    with Image.open(finest / f"{last}_{last}.jpg") as corner:
        reached = 512 * last - bool(last) + corner.width
    figures.bars = [
        Bar("seconds", runs["colour"].seconds, SECONDS, unit="s"),
        Bar("peak", runs["colour"].memory.largest_gb, MEMORY_GB, unit="GB"),
        Bar("pixels missing in the pyramid", float(abs(side - reached)), 1.0),
    ]
    return figures


WORKS = {"colour": colour}


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", metavar="DIR", help="work there, and keep the tiles")


if __name__ == "__main__":
    sys.exit(main(__doc__.partition("\n")[0], WORKS, extra=_more))
