"""The colour image of a field as files: whole pyramid, preview, page of quality, pairs of bands."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image

from mar import run
from mar.camera import load_camera
from mar.config import Config
from mar.errors import BadImage
from mar.io.catalogs import write_catalog
from mar.io.fits import write_image
from mar.io.names import Layout
from mar.run.pyramid import write_pyramid
from mar.run.tile_figures import TileFigures
from mar.run.tile_page import write_tile_page
from mar.steps.grid import Grid
from mar.steps.quality import PsfFigures
from mar.steps.residuals import Residuals

FIELD, SIDE, BANDS = "F1", 700, ("G", "R", "Z")
GRID = Grid(150.0, -30.0, SIDE, 0.55)
MAS = 1 / 3_600_000
NAN = float("nan")


@pytest.fixture
def layout(tmp_path):
    """Three tiles of a field with their catalogues; R lies 30 mas to the north, Z has no catalogue."""
    layout, rng = Layout(tmp_path), np.random.default_rng(4)
    places = rng.uniform(-0.04, 0.04, (300, 2))
    for band in BANDS:
        header = GRID.header()
        header["HIERARCH MAR PRO FWHMMEAN"], header["HIERARCH MAR PHO DEPTH"] = 2.5, 21.5
        path = layout.tile(FIELD, band, True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, rng.normal(0, 1, GRID.shape).astype("f4"), header)
        dec = GRID.dec_deg + places[:, 1] + (30 * MAS if band == "R" else 0)
        ra = GRID.ra_deg + places[:, 0] / np.cos(np.radians(dec))
        stars = Table(
            {"ALPHAWIN_J2000": ra, "DELTAWIN_J2000": dec, "FLAGS": [0] * 300, "SNR_WIN": [99.0] * 300}
        )
        if band != "Z":
            write_catalog(layout.tile_catalog(FIELD, band), stars)
    return layout


def colour_image(layout):
    tiles = {band: layout.tile(FIELD, band, True) for band in BANDS}
    return run.colour_image(tiles, FIELD, layout, load_camera("t80cam-mini"), Config(), True)


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def assembled(dzi, number, size):
    """A level put together from its tiles, as the .dzi says that they lie (Deep Zoom format)."""
    image = ElementTree.parse(dzi).getroot()
    tile, overlap = int(image.get("TileSize")), int(image.get("Overlap"))
    whole = np.zeros((size[1], size[0], 3), np.uint8)
    for row in range(-(-size[1] // tile)):
        for column in range(-(-size[0] // tile)):
            name = f"{column}_{row}.{image.get('Format')}"
            part = pixels_of(dzi.with_name(f"{dzi.stem}_files") / str(number) / name)
            top, left = max(0, row * tile - overlap), max(0, column * tile - overlap)
            assert part.shape[0] == min(size[1], (row + 1) * tile + overlap) - top
            assert part.shape[1] == min(size[0], (column + 1) * tile + overlap) - left
            whole[top : top + len(part), left : left + part.shape[1]] = part
    return whole


def test_the_levels_of_the_pyramid_are_the_picture_ever_smaller(tmp_path):
    y, x = np.mgrid[:600, :1300]
    pixels = np.stack([x % 256, (x + y) // 8 % 256, y // 3 % 256], -1).astype("u1")
    pixels[..., 0] = x // 6
    dzi = tmp_path / "F1.dzi"
    write_pyramid(dzi, pixels, 95)
    size = ElementTree.parse(dzi).getroot()[0]
    assert (size.get("Width"), size.get("Height")) == ("1300", "600")
    assert sorted(int(level.name) for level in (tmp_path / "F1_files").iterdir()) == list(range(12))
    for number, shrink in ((11, 1), (10, 2), (8, 8)):
        expected = np.asarray(Image.fromarray(pixels).reduce(shrink))
        level = assembled(dzi, number, expected.shape[1::-1])
        assert np.abs(level.astype(int) - expected).mean() < 2
    assert assembled(dzi, 0, (1, 1)).shape == (1, 1, 3)


def test_the_files_of_a_colour_image(layout):
    made = colour_image(layout)
    assert made.image == layout.root / "TILES/F1/F1.png"
    assert pixels_of(made.image).shape == (SIDE, SIDE, 3)
    assert max(pixels_of(made.preview).shape) <= 400
    finest = assembled(made.pyramid, 10, (SIDE, SIDE))
    # JPEG changes the noise, not the levels
    alike = [Image.fromarray(one).reduce(20) for one in (finest, pixels_of(made.image))]
    assert np.abs(np.subtract(*(np.asarray(one).astype(int) for one in alike))).max() <= 3
    assert pixels_of(made.page).shape[1] > 1000
    assert not list(layout.root.rglob(".*"))


def test_the_bands_of_a_field_are_compared(layout):
    [pair] = colour_image(layout).pairs
    assert (pair.first, pair.second, pair.stars) == ("G", "R", 300)
    assert pair.north_mas == pytest.approx(30, abs=0.1)
    assert pair.east_mas == pytest.approx(0, abs=0.1)


def test_a_pyramid_made_again_replaces_the_one_before(tmp_path):
    dzi = tmp_path / "F1.dzi"
    write_pyramid(dzi, np.zeros((1200, 600, 3), np.uint8), 90)
    write_pyramid(dzi, np.full((40, 30, 3), 200, np.uint8), 90)
    assert [path.name for path in sorted((tmp_path / "F1_files/6").iterdir())] == ["0_0.jpg"]
    assert not (tmp_path / "F1_files/11").exists()
    assert assembled(dzi, 6, (30, 40)).min() > 195


def test_a_pyramid_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    dzi = tmp_path / "F1.dzi"
    write_pyramid(dzi, np.full((40, 30, 3), 200, np.uint8), 90)

    def stop(step, done, total):
        if done == 3:
            raise BadImage("cancelled")

    with pytest.raises(BadImage):
        write_pyramid(dzi, np.zeros((1200, 600, 3), np.uint8), 90, stop)
    assert assembled(dzi, 6, (30, 40)).min() > 195
    assert sorted(path.name for path in tmp_path.iterdir()) == ["F1.dzi", "F1_files"]


def test_a_tile_of_which_nothing_is_known_has_its_page_too(tmp_path):
    psf = PsfFigures(NAN, NAN, NAN, NAN, 0, NAN)
    nothing = Residuals(np.empty(0), np.empty(0))
    figures = TileFigures(Table(), {}, None, None, None, None, None, psf, nothing)
    page = write_tile_page(tmp_path / "page.png", "F1 R", figures, GRID)
    assert pixels_of(page).shape[:2] == (800, 960)
