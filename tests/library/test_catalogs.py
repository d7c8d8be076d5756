"""Catalogues survive the way to disk and back."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table

from mar.errors import BadImage
from mar.io.catalogs import read_catalog, read_ldac, write_catalog, write_ldac


@pytest.fixture
def table():
    made = Table(
        {
            "NUMBER": np.arange(1, 6, dtype="i4"),
            "XWIN_IMAGE": np.linspace(1.5, 99.25, 5),
            "FLUX_APER": np.arange(10, dtype="f4").reshape(5, 2),
            "ALPHA_J2000": np.linspace(10, 11, 5),
        }
    )
    for name, unit in (("XWIN_IMAGE", "pixel"), ("FLUX_APER", "count"), ("ALPHA_J2000", "deg")):
        made[name].unit = unit
    return made


@pytest.fixture
def header():
    made = Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", 64), ("NAXIS2", 32)])
    made["OBJECT"] = ("SPLUS-s24s34", "field")
    made["CRVAL1"] = 10.123456789012
    made["HIERARCH MAR STATUS"] = (5, "ready to coadd")
    return made


def test_a_table_comes_back_with_units_and_cards(tmp_path, table, header):
    write_catalog(tmp_path / "a.fits", table, header)
    back = read_catalog(tmp_path / "a.fits")
    for name in table.colnames:
        np.testing.assert_array_equal(back[name], table[name])
        assert back[name].unit == table[name].unit
        assert back[name].dtype.isnative
    assert back.meta["OBJECT"] == "SPLUS-s24s34"
    assert back.meta["CRVAL1"] == 10.123456789012


def test_the_checksum_on_disk_is_the_one_given(tmp_path, table):
    said = write_catalog(tmp_path / "a.fits", table)
    with fits.open(tmp_path / "a.fits") as hdus:
        assert hdus[1].header["DATASUM"] == said
        assert hdus[1].verify_datasum() == 1


def test_ldac_carries_the_header_of_the_image(tmp_path, table, header):
    write_ldac(tmp_path / "a.cat", table, header)
    back, said = read_ldac(tmp_path / "a.cat")
    np.testing.assert_array_equal(back["XWIN_IMAGE"], table["XWIN_IMAGE"])
    assert said["NAXIS1"] == 64
    assert said["CRVAL1"] == 10.123456789012
    assert said["MAR STATUS"] == 5


def test_ldac_has_the_shape_that_astromatic_programs_expect(tmp_path, table, header):
    write_ldac(tmp_path / "a.cat", table, header)
    with fits.open(tmp_path / "a.cat") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["LDAC_IMHEAD", "LDAC_OBJECTS"]
        cards = hdus[1].header["TDIM1"].strip("()").split(",")
        assert int(cards[0]) == 80
        assert hdus[1].header["TFORM1"] == f"{80 * int(cards[1])}A"


def test_read_catalog_takes_the_objects_of_an_ldac_file(tmp_path, table, header):
    write_ldac(tmp_path / "a.cat", table, header)
    assert read_catalog(tmp_path / "a.cat").colnames == table.colnames


def test_an_empty_table_is_a_catalogue_too(tmp_path, table):
    write_catalog(tmp_path / "a.fits", table[:0])
    assert len(read_catalog(tmp_path / "a.fits")) == 0


@pytest.mark.parametrize("content", [b"", b"hello", b"SIMPLE  =                    T" + b" " * 100])
def test_what_is_no_table_is_refused_by_name(tmp_path, content):
    (tmp_path / "no.fits").write_bytes(content)
    with pytest.raises(BadImage, match=r"no\.fits"):
        read_catalog(tmp_path / "no.fits")


def test_a_truncated_table_is_refused(tmp_path, table):
    write_catalog(tmp_path / "a.fits", table)
    whole = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(whole[: len(whole) - 2880])
    with pytest.raises(BadImage):
        read_catalog(tmp_path / "a.fits")


def test_an_image_is_not_a_catalogue(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3), "f4")).writeto(tmp_path / "a.fits")
    with pytest.raises(BadImage, match="no table"):
        read_catalog(tmp_path / "a.fits")


def test_a_failed_write_leaves_nothing(tmp_path, table):
    table["BAD"] = [object() for _ in range(5)]
    with pytest.raises((TypeError, ValueError)):
        write_catalog(tmp_path / "a.fits", table)
    assert list(tmp_path.iterdir()) == []
