"""FITS images: what is written is what is read, whole or not at all, and damage is named."""

import os

import numpy as np
import pytest
from astropy.io import fits

from mar.camera import load_camera
from mar.errors import BadImage, MarError
from mar.exposure import cards_read, read_exposure
from mar.io.checksum import datasum
from mar.io.fits import (
    atomic,
    open_image,
    read_frame,
    read_header,
    read_image,
    replace_header,
    scratch_rows,
    write_image,
)
from mar.io.headers import PLAIN, find_image, find_image_in


@pytest.fixture
def pixels():
    return np.random.default_rng(1).normal(100, 5, (301, 203)).astype("f4")


def test_the_header_describes_the_observation_and_not_the_storage(tmp_path, pixels):
    header = fits.Header([("OBJECT", "M 5"), ("HIERARCH MAR QC NCMODE", 3.5)])
    write_image(tmp_path / "a.fits", pixels, header)
    back = read_header(tmp_path / "a.fits")
    assert (back["OBJECT"], back["MAR QC NCMODE"], back["NAXIS1"], back["NAXIS2"]) == ("M 5", 3.5, 203, 301)
    assert "BITPIX" not in back


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
@pytest.mark.parametrize("dtype", ["u2", "u1"])
def test_integers_come_back_without_loss(tmp_path, pixels, name, dtype):
    written = pixels.astype(dtype)
    write_image(tmp_path / name, written, fits.Header())
    back, _ = read_image(tmp_path / name)
    assert back.dtype == written.dtype
    np.testing.assert_array_equal(back, written)


def test_plain_floats_come_back_exactly_and_compressed_ones_within_a_40th_of_the_noise(tmp_path, pixels):
    for name, step in (("a.fits", 0), ("a.fits.fz", 5 / 40)):
        write_image(tmp_path / name, pixels, fits.Header())
        back, _ = read_image(tmp_path / name)
        assert back.dtype == np.float32
        assert np.abs(back - pixels).max() <= step
    assert np.std(back - pixels) < 0.01 * 5


@pytest.fixture
def odd(pixels):
    """Rows that compression must treat with care: zeros, NaN, constants, infinities, huge values."""
    pixels[:50] = 0
    pixels[50], pixels[51, :100], pixels[52], pixels[53, ::2] = np.nan, np.nan, 1 / 3, 5.5
    pixels[54, 7], pixels[55, 7], pixels[56, 1:], pixels[57, 9] = 1e30, np.inf, 0, -np.inf
    return pixels


def test_compression_keeps_zeros_and_nan_and_what_has_no_noise(tmp_path, odd):
    write_image(tmp_path / "a.fits.fz", odd, fits.Header())
    back, _ = read_image(tmp_path / "a.fits.fz")
    exact = [*range(51), *range(52, 58)]
    np.testing.assert_array_equal(back[exact], odd[exact])
    np.testing.assert_array_equal(np.isnan(back), np.isnan(odd))
    assert np.nanmax(np.abs(back[[51, *range(58, 301)]] - odd[[51, *range(58, 301)]])) < 5 / 30


def test_compressed_floats_say_how_finely_they_are_quantised(tmp_path, pixels):
    write_image(tmp_path / "a.fits.fz", pixels, fits.Header())
    stored = fits.getheader(tmp_path / "a.fits.fz", 1, disable_image_compression=True)
    assert (stored["MAR FZ LEVEL"], stored["ZQUANTIZ"]) == (40, "SUBTRACTIVE_DITHER_2")
    assert "MAR FZ LEVEL" not in read_header(tmp_path / "a.fits.fz")


@pytest.mark.parametrize("dtype", ["f4", "u2", "u1"])
def test_astropy_reads_the_same(tmp_path, odd, dtype):
    written = np.nan_to_num(odd, posinf=0, neginf=0).clip(0, 255).astype(dtype) if dtype != "f4" else odd
    write_image(tmp_path / "a.fits.fz", written, fits.Header())
    np.testing.assert_array_equal(read_image(tmp_path / "a.fits.fz")[0], fits.getdata(tmp_path / "a.fits.fz"))


@pytest.mark.parametrize("options", [
    {"compression_type": "RICE_1", "quantize_method": 1, "dither_seed": 77},
    {"compression_type": "RICE_1", "quantize_method": -1},
    {"compression_type": "RICE_1", "tile_shape": (16, 50)},
    {"compression_type": "GZIP_1", "quantize_method": 2},
    {"compression_type": "GZIP_2", "quantize_level": 0.0},
    {"compression_type": "HCOMPRESS_1"},
])  # fmt: skip
@pytest.mark.parametrize("dtype", ["f4", "i2", "i4", "u2"])
def test_other_ways_of_compression_are_read(tmp_path, pixels, options, dtype):
    pixels[5, :8] = 0
    stored = fits.CompImageHDU(pixels.astype(dtype), **options)
    stored.writeto(tmp_path / "a.fits.fz")
    with open_image(tmp_path / "a.fits.fz") as image:
        np.testing.assert_array_equal(image.rows(3, 90), fits.getdata(tmp_path / "a.fits.fz")[3:90])


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
@pytest.mark.parametrize("dtype", ["f4", "u2", "u1"])
def test_rows_are_read_into_an_array_that_is_there(tmp_path, pixels, name, dtype):
    write_image(tmp_path / name, pixels.astype(dtype), fits.Header())
    whole, _ = read_image(tmp_path / name)
    with open_image(tmp_path / name) as image:
        for kind in (dtype, "f4"):
            room = np.full((60, 2 * 203), 7, kind)
            given = image.rows(40, 100, room[:, :203])
            assert np.shares_memory(given, room)
            np.testing.assert_array_equal(given, whole[40:100])
            assert (room[:, 203:] == 7).all()
        with pytest.raises(ValueError, match="cannot take"):
            image.rows(40, 100, np.empty((50, 203), dtype))
        with pytest.raises(ValueError, match="cannot take"):
            image.rows(40, 100, np.empty((60, 203), "i4"))


@pytest.fixture
def bytes_read(monkeypatch):
    """How many bytes were read through image readers, one number for each call."""
    read, preadv = [], os.preadv

    def counted(*given):
        read.append(preadv(*given))
        return read[-1]

    monkeypatch.setattr(os, "preadv", counted)
    return read


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
@pytest.mark.parametrize("dtype", ["f4", "u2"])
def test_a_frame_and_its_checksum_are_read_in_one_pass(tmp_path, pixels, bytes_read, name, dtype):
    said = write_image(tmp_path / name, pixels.astype(dtype), fits.Header())
    assert read_frame(tmp_path / name).checksum == said
    assert sum(bytes_read) == find_image(tmp_path / name).size


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
def test_a_band_is_read_without_the_rest_and_the_checksum_reads_only_the_rest(
    tmp_path, rng, bytes_read, name
):
    said = write_image(tmp_path / name, rng.normal(100, 5, (2560, 60)).astype("f4"), fits.Header())
    size = find_image(tmp_path / name).size
    with open_image(tmp_path / name) as image:
        image.rows(1000, 1100)
        assert sum(bytes_read) < 0.045 * size
        assert image.checksum == said
    assert sum(bytes_read) == size


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
@pytest.mark.parametrize("dtype", ["f4", "u2", "u1"])
def test_a_band_of_rows_is_that_part_of_the_whole(tmp_path, pixels, name, dtype):
    write_image(tmp_path / name, pixels.astype(dtype), fits.Header())
    whole, _ = read_image(tmp_path / name)
    with open_image(tmp_path / name) as image:
        assert image.shape == (301, 203)
        np.testing.assert_array_equal(image.rows(17, 130), whole[17:130])


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
@pytest.mark.parametrize("dtype", ["f4", "u2", "u1"])
def test_the_checksum_is_that_of_the_standard(tmp_path, pixels, name, dtype):
    said = write_image(tmp_path / name, pixels.astype(dtype), fits.Header())
    with fits.open(tmp_path / name, checksum=True, disable_image_compression=True) as hdus:
        assert (
            str(hdus[-1].header["DATASUM"]).strip() == said
        )  # checksum=True warns, an error here, if it is wrong
    with open_image(tmp_path / name) as image:
        assert image.checksum == said


def test_the_checksum_of_an_odd_number_of_bytes_is_filled_with_zeros():
    assert datasum(np.array([1, 2, 3], "u1")) == str(0x01020300)


def test_a_changed_pixel_changes_the_checksum(pixels):
    changed = pixels.copy()
    changed[7, 7] += 1
    assert datasum(pixels) != datasum(changed)


def test_a_frame_knows_its_exposure_its_name_and_its_checksum(tmp_path, pixels):
    header = fits.Header(
        [("EXPTIME", 40), ("FILTER", "R"), ("OBJECT", "F 1"), ("DATE-OBS", "2024-03-01T03:04:05")]
    )
    said = write_image(tmp_path / "f.fits.fz", pixels, header)
    frame = read_frame(tmp_path / "f.fits.fz", load_camera("t80cam-mini"))
    assert (frame.exposure.name, frame.exposure.field, frame.label) == ("f", "F-1", "f.fits.fz")
    assert frame.checksum == said


def test_a_zero_point_written_as_text_and_an_extension_card_in_the_primary_header_are_understood(tmp_path):
    cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        "NAXIS1  =                    4",
        "NAXIS2  =                    2",
        "XTENSION= 'BINTABLE'",
        "BZERO   = '32768.0 '",
        "BLANK   =               -32768",
        "END",
    ]
    stored = (np.arange(8, dtype=">i4") * 8000 - 32768).astype(">i2").tobytes()
    text = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    (tmp_path / "odd.fits").write_bytes(text + stored.ljust(2880, b"\0"))
    back, header = read_image(tmp_path / "odd.fits")
    np.testing.assert_array_equal(back.ravel(), np.arange(8) * 8000)
    assert "XTENSION" not in header
    assert "BZERO" not in header


def test_damage_is_named(tmp_path, pixels):
    (tmp_path / "text.fits").write_text("these are not the pixels that you look for")
    (tmp_path / "empty.fits").write_bytes(b"")
    write_image(tmp_path / "whole.fits", pixels, fits.Header())
    write_image(tmp_path / "whole.fits.fz", pixels, fits.Header())
    for name in ("whole.fits", "whole.fits.fz"):
        (tmp_path / f"cut-{name}").write_bytes((tmp_path / name).read_bytes()[:-20000])
    fits.PrimaryHDU().writeto(tmp_path / "bare.fits")
    for name, said in {
        "text.fits": "not a FITS file",
        "empty.fits": "not a FITS file",
        "absent.fits": "cannot be read",
        "cut-whole.fits": "truncated",
        "cut-whole.fits.fz": "truncated",
        "bare.fits": "holds no two-dimensional image",
    }.items():
        with pytest.raises(BadImage, match=f"^{name}: {said}"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["f.fits", "u.fits", "f.fits.fz", "u.fits.fz"])
def test_any_damage_is_a_named_error_or_no_harm(tmp_path, pixels, name):
    rng = np.random.default_rng(3)
    dtype = "f4" if name.startswith("f") else "u2"
    write_image(
        tmp_path / name, pixels[:60, :50].astype(dtype), fits.Header([("EXPTIME", 40.0), ("FILTER", "R")])
    )
    whole = (tmp_path / name).read_bytes()
    reach = len(whole) if name.endswith("fz") else 2880
    camera, refused = load_camera("t80cam-mini"), 0
    for _ in range(150):
        spoilt = bytearray(whole)
        for place in rng.integers(0, reach, 3):
            spoilt[place] = rng.choice(np.frombuffer(b" 0123456789-.'TFXZ/=\x00\xff", np.uint8))
        (tmp_path / name).write_bytes(spoilt)
        try:
            read_header(tmp_path / name)
            read_frame(tmp_path / name, camera)
        except MarError:
            refused += 1
    assert refused > 20


def told(path, camera, only):
    """What a header says of its exposure, or why it is refused."""
    try:
        with path.open("rb") as file:
            unit = find_image_in(file, path, only)
        return unit.shape, unit.offset, unit.size, read_exposure(unit.stored, camera, path.name)
    except MarError as error:
        return str(error)


@pytest.mark.parametrize("name", ["f.fits", "f.fits.fz"])
def test_the_cards_of_an_exposure_alone_tell_what_the_whole_header_tells(tmp_path, pixels, name):
    rng, camera = np.random.default_rng(4), load_camera("t80cam")
    header = fits.Header(
        [("OBJECT", "M 5"), ("DATE-OBS", "2024-03-01T03:04:05"), ("EXPTIME", 40.0), ("FILTER", "R")]
    )
    header.extend([(f"HIERARCH T80S BENCH {n}", n * 1.5, "a number") for n in range(60)] + [("RA", "1:2:3")])
    header.extend([("DEC", -30.5), ("COMMENT", "EXPTIME = 50"), ("IMAGETYP", "ZERO"), ("EXPTIME", 60.0)])
    write_image(tmp_path / name, pixels[:60, :50], header)
    whole, wanted = (tmp_path / name).read_bytes(), cards_read(camera)
    with (tmp_path / name).open("rb") as file:
        assert len(find_image_in(file, tmp_path / name, wanted).stored) < 50 < len(header)
    answers = set()
    for _ in range(400):
        spoilt = bytearray(whole)
        start = 80 * rng.integers(0, 100)
        for place in start + rng.integers(0, 30, 2):
            spoilt[place] = rng.choice(np.frombuffer(b" 0123456789-.'TFXZ/=\x00\xff", np.uint8))
        (tmp_path / name).write_bytes(spoilt)
        answers.add(told(tmp_path / name, camera, wanted))
        assert told(tmp_path / name, camera, wanted) == told(tmp_path / name, camera, None)
    assert len(answers) > 10  # so it was hit


def test_a_damaged_card_that_only_describes_is_left_out(tmp_path, pixels):
    write_image(tmp_path / "a.fits", pixels, fits.Header([("OBJECT", "M 5"), ("SEEING", 1.25)]))
    whole = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(whole.replace(b"1.25", b"1'25", 1))
    back, header = read_image(tmp_path / "a.fits")
    np.testing.assert_array_equal(back, pixels)
    assert (header["OBJECT"], "SEEING" in header) == ("M 5", False)


def test_a_product_that_fails_half_way_leaves_the_old_one_and_no_other_file(tmp_path):
    product = tmp_path / "product.fits"
    product.write_text("old")

    def fail_half_way():
        with atomic(product) as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert product.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["product.fits"]


def test_rows_are_gathered_on_disk_and_forgotten(tmp_path, pixels):
    with scratch_rows(tmp_path, "tile", pixels.shape) as writer:
        for y in range(0, 301, 100):
            writer.write_rows(pixels[y : y + 100])
        np.testing.assert_array_equal(writer.pixels, pixels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.fits", "a.fits.fz"])
def test_another_header_leaves_the_pixels_as_they_are(tmp_path, pixels, name):
    said = write_image(tmp_path / name, pixels, fits.Header([("OBJECT", "M 5"), ("GONE", 1)]))
    before, _ = read_image(tmp_path / name)
    replace_header(tmp_path / name, fits.Header([("OBJECT", "M 6"), *[(f"NEW{n}", n) for n in range(100)]]))
    after, header = read_image(tmp_path / name)
    np.testing.assert_array_equal(after, before)
    assert (header["OBJECT"], header["NEW99"], "GONE" in header) == ("M 6", 99, False)
    with open_image(tmp_path / name) as image:
        assert image.checksum == said
    with fits.open(tmp_path / name, checksum=True) as hdus:
        hdus.verify("exception")


def test_the_same_pixels_give_the_same_file_at_any_time(tmp_path, pixels, monkeypatch):
    pixels[:40] = 0  # rows without noise are stored by gzip, which knows the time
    checksums = set()
    for moment in (1e9, 1.7e9):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        checksums.add(write_image(tmp_path / "a.fits.fz", pixels, fits.Header()))
    assert len(checksums) == 1


def test_a_pipe_of_a_fits_name_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    with pytest.raises(BadImage, match=r"a\.fits: cannot be read: it is a pipe"):
        read_header(tmp_path / "a.fits")


def test_an_open_file_is_read_in_place_of_its_path(tmp_path):
    write_image(tmp_path / "a.fits.fz", np.arange(600, dtype=np.uint16).reshape(20, 30), fits.Header())
    with open_image(tmp_path / "a.fits.fz") as image:
        checksum = image.checksum
    file = (tmp_path / "a.fits.fz").open("rb")
    (tmp_path / "a.fits.fz").rename(tmp_path / "b.fits.fz")
    with open_image(tmp_path / "a.fits.fz", file) as image:
        assert image.rows(0, 20).sum() == 600 * 599 / 2
        assert image.checksum == checksum
    assert file.closed


def test_no_card_that_passes_for_plain_is_damaged(rng):
    good = [
        card.ljust(80).encode()
        for card in (
            "EXPTIME = 30.0 / [s] it's long",
            "OBJECT  = 'SPLUS ''n01''' / field",
            "NAXIS   =                    2",
            "SIMPLE  =                    T",
            "HIERARCH MAR QC OUT1 NCMODE = -1.5E+03 / mode",
            "COMMENT by 'hand'",
        )
    ]
    odd = b"=='' /.+-0129EDT(),&:Az\x00\x7f\n"
    passed = 0
    for _ in range(20_000):
        card = bytearray(good[rng.integers(len(good))])
        for place in rng.integers(0, 80, rng.integers(1, 5)):
            card[place] = odd[rng.integers(len(odd))]
        if PLAIN.fullmatch(card):
            passed += 1
            assert fits.Card.fromstring(bytes(card)).value is not None
    assert passed > 1000
