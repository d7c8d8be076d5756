"""Compressed images are exchanged with fpack and funpack both ways, and fitsverify finds nothing to say."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits import Header
from numpy.testing import assert_array_equal

import programs
from mar.io.fits import open_image, read_image, replace_header, write_image
from parts import need

NOISE = 8.0


@pytest.fixture
def header():
    return Header([("OBJECT", "SPLUS-s25s10", "field"), ("EXPTIME", 40.0, "s"), ("GAIN", 0.95, "e-/ADU")])


@pytest.fixture
def sky(rng):
    """A float32 image with a border of exact zeros, NaN, constants and values too large to be quantised."""
    image = rng.normal(500, NOISE, (300, 421)).astype("f4")
    image[:10], image[10:13, 5:300], image[13], image[14], image[15, 7] = 0, np.nan, np.nan, 1 / 3, 1e30
    image[16, :300], image[17, 50:] = 7, 0
    return image


@pytest.fixture
def counts(rng):
    """Raw counts over the whole range of uint16."""
    image = rng.poisson(1000, (300, 421)).astype("u2")
    image[0, :3] = 0, 32768, 65535
    return image


@pytest.fixture
def mask(rng):
    return rng.choice(np.array([0, 0, 0, 1, 2, 4, 96], dtype="u1"), (300, 421))


def funpacked(path):
    """The pixels and the header of a .fz file as funpack sees them."""
    need("funpack")
    output = path.with_name("plain.fits")
    programs.run(programs.funpack(path.parent, path, output))
    with fits.open(output) as hdus:
        assert len(hdus) == 1  # the image is the primary unit
        return np.array(hdus[0].data), hdus[0].header


def fpacked(path, *options):
    """The path of the .fz file that fpack makes."""
    need("fpack")
    programs.run(programs.fpack(path.parent, path, *options))
    return path.with_name(f"{path.name}.fz")


@pytest.mark.parametrize("kind", ["counts", "mask"])
def test_funpack_reads_our_integers_exactly(request, tmp_path, header, kind):
    pixels = request.getfixturevalue(kind)
    write_image(tmp_path / "ours.fits.fz", pixels, header)
    theirs, cards = funpacked(tmp_path / "ours.fits.fz")
    assert_array_equal(theirs, pixels)
    assert cards["OBJECT"] == "SPLUS-s25s10"


def test_funpack_reads_the_same_floats_as_we_do(tmp_path, header, sky):
    write_image(tmp_path / "ours.fits.fz", sky, header)
    theirs, _ = funpacked(tmp_path / "ours.fits.fz")
    assert_array_equal(theirs, read_image(tmp_path / "ours.fits.fz")[0])
    assert_array_equal(np.isnan(theirs), np.isnan(sky))
    assert_array_equal(theirs == 0, sky == 0)
    assert_array_equal(theirs[13:18], sky[13:18])
    assert np.std(theirs[18:] - sky[18:]) < 0.01 * NOISE


@pytest.mark.parametrize("kind", ["sky", "counts", "mask"])
@pytest.mark.parametrize("name", ["ours.fits", "ours.fits.fz"])
def test_fitsverify_has_nothing_to_say(request, tmp_path, header, kind, name):
    need("fitsverify")
    header["HIERARCH MAR QC OUT1 NCMODE"] = 3.5
    write_image(tmp_path / name, request.getfixturevalue(kind), header)
    said = programs.run(programs.fitsverify(tmp_path, tmp_path / name))
    assert "found 0 warning(s) and 0 error(s)" in said


def test_funpack_of_an_image_whose_header_was_replaced_is_still_a_primary_one(tmp_path, header, counts):
    write_image(tmp_path / "ours.fits.fz", counts, Header())
    replace_header(tmp_path / "ours.fits.fz", header)
    theirs, cards = funpacked(tmp_path / "ours.fits.fz")
    assert_array_equal(theirs, counts)
    assert cards["OBJECT"] == "SPLUS-s25s10"


def test_we_read_integers_of_fpack_exactly(tmp_path, header, counts):
    write_image(tmp_path / "raw.fits", counts, header)
    pixels, cards = read_image(fpacked(tmp_path / "raw.fits"))
    assert_array_equal(pixels, counts)
    assert pixels.dtype == np.uint16
    assert cards["EXPTIME"] == 40.0


def test_we_read_floats_of_fpack_by_bands_of_rows(tmp_path, header, sky):
    write_image(tmp_path / "sky.fits", sky, header)
    packed = fpacked(tmp_path / "sky.fits", "-qz", "16")
    theirs, _ = funpacked(packed)
    with open_image(packed) as image:
        assert image.shape == sky.shape
        assert_array_equal(image.rows(37, 201), theirs[37:201])
    assert np.std(theirs[18:] - sky[18:]) < NOISE / 10


def test_we_read_gzip_tiles_of_fpack(tmp_path, header, sky):
    write_image(tmp_path / "sky.fits", sky, header)
    assert_array_equal(read_image(fpacked(tmp_path / "sky.fits", "-g", "-q", "0"))[0], sky)
