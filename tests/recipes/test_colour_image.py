"""A colour image of twelve small tiles."""

import io

import numpy as np
import pytest
from PIL import Image

from mar.bands import SPLUS_BANDS
from mar.camera import load_camera
from mar.config.colour import Colour
from mar.errors import BadImage, NotEnoughFrames
from mar.recipes.colour_image import colour_image, missing_bands
from mar.steps.colour import response
from mar.steps.picture import png_bytes, write_caption
from small_skies import ArrayRows, moffat

CAMERA = load_camera("t80cam-mini")
RED, BLUE, WHITE = (60, 90), (150, 90), (250, 200)  #: column, row of three stars


def tile(band, seed=0):
    """Noise 0.01 and three stars: one bright in the red channel, one in the blue, one in all."""
    data = np.random.default_rng(seed + len(band)).normal(0, 0.01, (300, 400))
    channel = CAMERA.band(band).channel
    for (x, y), colour in ((RED, "R"), (BLUE, "B"), (WHITE, "RGB")):
        flux = 100 if channel in colour else 4
        data[y - 15 : y + 16, x - 15 : x + 16] += moffat((31, 31), 15, 15, flux)
    data[:, 390:] = 0
    return ArrayRows(data.astype("f4"))


@pytest.fixture(scope="module")
def tiles():
    return {band: tile(band, index) for index, band in enumerate(SPLUS_BANDS)}


def pixel(image, star):
    return image.pixels[299 - star[1], star[0]].astype(int)


def test_channels_hold_the_bands_of_the_survey():
    of = {name: [band.name for band in CAMERA.filters if band.channel == name] for name in "RGB"}
    assert sorted(of["R"]) == sorted(["R", "I", "F861", "Z"])
    assert sorted(of["G"]) == sorted(["G", "F515", "F660"])
    assert sorted(of["B"]) == sorted(["U", "F378", "F395", "F410", "F430"])


def test_stars_have_their_colours_and_north_is_up(tiles):
    image = colour_image(tiles, CAMERA, Colour())
    assert image.pixels.shape == (300, 400, 3)
    assert image.missing == []
    red, blue, white = (pixel(image, star) for star in (RED, BLUE, WHITE))
    assert red[0] > red[1] + 50
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    assert np.ptp(white) < 30
    assert white.min() > 180


def test_the_sky_is_dark_and_what_has_no_data_black(tiles):
    image = colour_image(tiles, CAMERA, Colour())
    assert 10 < np.median(image.pixels[:, :390]) < 60
    assert (image.pixels[:, 390:] == 0).all()


def test_lupton_shows_colours_as_they_are_outside_the_telescope(tiles):
    seen = {
        band: ArrayRows(reader.data * response([CAMERA.band(band)]) / 1e8) for band, reader in tiles.items()
    }
    image = colour_image(seen, CAMERA, Colour(scaling="lupton"))
    red, blue = pixel(image, RED), pixel(image, BLUE)
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    assert np.ptp(pixel(image, WHITE)) < 30
    assert (image.pixels[:, 390:] == 0).all()


def test_preview_is_small(tiles):
    assert colour_image(tiles, CAMERA, Colour(preview_size=100)).preview.shape == (75, 100, 3)


def test_a_caption_fits_into_the_picture():
    pixels = np.zeros((90, 300, 3), np.uint8)
    write_caption(pixels, ["without U, F378, F395, F410, F430, G, F515, F660, I, F861, Z"])
    lit = np.argwhere(pixels.max(axis=2) > 100)
    assert len(lit) > 100
    assert lit[:, 1].max() < 299
    assert lit[:, 0].min() > 60


def test_missing_bands_are_refused_by_name(tiles):
    some = {band: reader for band, reader in tiles.items() if band not in ("U", "F660")}
    assert missing_bands(some, CAMERA) == ["U", "F660"]
    with pytest.raises(NotEnoughFrames, match="U, F660"):
        colour_image(some, CAMERA, Colour())
    with pytest.raises(NotEnoughFrames):
        colour_image({}, CAMERA, Colour(), partial=True)


def test_a_partial_picture_names_what_is_missing(tiles):
    some = {band: reader for band, reader in tiles.items() if band not in ("U", "F660")}
    image = colour_image(some, CAMERA, Colour(), partial=True)
    assert image.missing == ["U", "F660"]
    named = image.pixels[280:, :120].min(axis=2) > 180
    assert named.sum() > 20  # white letters
    assert pixel(image, BLUE)[2] > pixel(image, BLUE)[0] + 50


@pytest.mark.parametrize("present", [["R"], ["U", "Z"], ["G"]])
def test_a_channel_without_bands_takes_its_neighbours(tiles, present):
    image = colour_image({band: tiles[band] for band in present}, CAMERA, Colour(), partial=True)
    assert pixel(image, WHITE).min() > 180


def test_tiles_of_different_grids_are_refused(tiles):
    with pytest.raises(BadImage, match="one grid"):
        colour_image({**tiles, "Z": ArrayRows(np.zeros((10, 10), "f4"))}, CAMERA, Colour())


def test_the_png_is_the_picture(tiles):
    image = colour_image(tiles, CAMERA, Colour())
    assert (np.asarray(Image.open(io.BytesIO(png_bytes(image.pixels, 3)))) == image.pixels).all()


def test_progress_reaches_the_end(tiles):
    seen = []
    colour_image(tiles, CAMERA, Colour(), progress=lambda *step: seen.append(step))
    assert seen[0] == ("levels", 0, 1)
    assert seen[-1] == ("colour", 300, 300)
