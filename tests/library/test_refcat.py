"""Packs of reference stars: made from any table, read by cone, moved to the epoch."""

import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, get_body_barycentric
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table
from astropy.time import Time
from typer.testing import CliRunner

from mar.cli.refcat import app
from mar.errors import BadConfig, BadHeader, BadImage, NoReference, ReferenceUnreachable
from mar.io.catalogs import write_catalog, write_ldac
from mar.refcat.healpix import centres, pixels_of
from mar.refcat.packs import RefCat, julian_year
from mar.refcat.quad_index import read_index
from mar.refcat.stars import Cone, separation_deg, unit_vectors


def sky(n=2000, seed=5):
    rng = np.random.default_rng(seed)
    return Table(
        {
            "RA": (350 + rng.uniform(0, 20, n)) % 360,
            "DEC": rng.uniform(-5, 5, n),
            "MAG_R": rng.uniform(12, 20, n).astype("f4"),
            "MAG_F378": rng.uniform(12, 20, n).astype("f4"),
            "PMRA": rng.normal(0, 50, n),
            "PMDEC": rng.normal(0, 50, n),
        }
    )


@pytest.fixture
def catalogue(tmp_path):
    write_catalog(tmp_path / "sky.fits", sky(), Header([("EPOCH", 2016.0)]))
    made = RefCat(tmp_path / "REFCAT")
    made.add(tmp_path / "sky.fits")
    return made


def test_a_pack_says_what_it_holds(catalogue):
    (pack,) = catalogue.packs()
    assert (pack.name, pack.stars, pack.epoch) == ("sky", 2000, 2016.0)
    assert set(pack.bands) == {"R", "F378"}
    assert pack.proper_motions
    assert catalogue.verify("sky") == []


def test_a_cone_across_the_origin_of_right_ascension(catalogue):
    stars = catalogue.stars_in(Cone(0.1, 1.0, 1.5), 2016.0)
    truth = sky()
    inside = (
        SkyCoord(truth["RA"], truth["DEC"], unit="deg").separation(SkyCoord(0.1, 1.0, unit="deg")).deg <= 1.5
    )
    assert len(stars) == np.count_nonzero(inside)
    np.testing.assert_allclose(np.sort(stars.dec_deg), np.sort(truth["DEC"][inside]))
    np.testing.assert_allclose(np.sort(stars.bands["F378"]), np.sort(truth["MAG_F378"][inside]))


def test_proper_motions_agree_with_astropy(tmp_path):
    table = Table({"ra": [10.0, 200.0, 33.0], "dec": [-30.0, 89.9, 0.0], "phot_g_mean_mag": [10.0, 11, 12]})
    table["pmra"], table["pmdec"] = [3000.0, 500.0, -8000.0], [-2000.0, 800.0, 5000.0]
    table["ref_epoch"] = 2016.0
    write_catalog(tmp_path / "fast.fits", table)
    catalogue = RefCat(tmp_path)
    catalogue.add(tmp_path / "fast.fits", "near")
    moved = SkyCoord(
        np.array(table["ra"]) * u.deg,
        np.array(table["dec"]) * u.deg,
        pm_ra_cosdec=np.array(table["pmra"]) * u.mas / u.yr,
        pm_dec=np.array(table["pmdec"]) * u.mas / u.yr,
        obstime=Time(2016.0, format="jyear"),
        distance=10 * u.pc,
        radial_velocity=0 * u.km / u.s,
    ).apply_space_motion(Time(2026.0, format="jyear"))
    for expected in moved:
        star = catalogue.stars_in(Cone(expected.ra.deg, expected.dec.deg, 0.001), 2026.0, "near")
        found = SkyCoord(star.ra_deg[0], star.dec_deg[0], unit="deg")
        assert found.separation(expected).mas < 2


def test_a_time_is_an_epoch_too():
    assert julian_year(datetime(2000, 1, 1, 12, tzinfo=UTC)) == 2000.0
    expected = Time("2024-03-01T02:00:00").jyear
    assert julian_year(datetime(2024, 3, 1, 2, tzinfo=UTC)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "names", [("ALPHA_J2000", "DELTA_J2000", "MAG"), ("RAJ2000", "DEJ2000", "Gmag"), ("ra", "dec", "mag_r")]
)
def test_columns_are_known_by_many_names(tmp_path, names):
    table = Table([[10.0, 11.0], [1.0, 2.0], [15.0, 16.0]], names=names)
    write_catalog(tmp_path / "odd.fits", table)
    assert RefCat(tmp_path / "R").add(tmp_path / "odd.fits").stars == 2


def test_units_of_the_file_are_honoured(tmp_path):
    table = Table({"RA": [0.5], "DEC": [-0.5], "MAG": [12.0]})
    table["RA"].unit = table["DEC"].unit = "rad"
    write_catalog(tmp_path / "radian.fits", table)
    catalogue = RefCat(tmp_path / "R")
    catalogue.add(tmp_path / "radian.fits")
    star = catalogue.stars_in(Cone(np.degrees(0.5), np.degrees(-0.5), 0.01), 2000.0)
    assert star.ra_deg[0] == pytest.approx(np.degrees(0.5))


def test_ldac_makes_a_pack(tmp_path):
    table = Table({"X_WORLD": [10.0], "Y_WORLD": [1.0], "MAG": [15.0], "OBSDATE": [2015.5]})
    write_ldac(tmp_path / "gaia.cat", table, Header([("OBJECT", "x")]))
    assert RefCat(tmp_path / "R").add(tmp_path / "gaia.cat").epoch == 2015.5


def test_a_table_without_positions_is_refused_with_the_names_understood(tmp_path):
    write_catalog(tmp_path / "bad.fits", Table({"X": [1.0], "MAG": [3.0]}))
    with pytest.raises(BadHeader, match=r"right ascension.*ALPHA_J2000.*there are X, MAG"):
        RefCat(tmp_path / "R").add(tmp_path / "bad.fits")
    assert not (tmp_path / "R").exists()


def test_proper_motions_without_epoch_are_refused(tmp_path):
    write_catalog(tmp_path / "bad.fits", sky(10))
    with pytest.raises(BadHeader, match="--epoch"):
        RefCat(tmp_path / "R").add(tmp_path / "bad.fits")


def test_a_name_that_leaves_the_folder_is_refused(tmp_path):
    with pytest.raises(BadConfig):
        RefCat(tmp_path / "R").add(tmp_path / "bad.fits", "../x")


def test_text_is_no_catalogue(tmp_path):
    (tmp_path / "bad.fits").write_text("ra dec mag")
    with pytest.raises(BadImage, match=r"bad\.fits"):
        RefCat(tmp_path / "R").add(tmp_path / "bad.fits")


def test_a_field_without_a_star(catalogue):
    with pytest.raises(NoReference, match="add a pack"):
        catalogue.stars_in(Cone(180, 0, 1), 2016.0)


def test_no_pack_at_all(tmp_path):
    with pytest.raises(ReferenceUnreachable, match="mar refcat add"):
        RefCat(tmp_path).stars_in(Cone(180, 0, 1), 2016.0)


def test_a_damaged_pack_is_unreachable(catalogue):
    (catalogue.folder / "sky.fits").write_bytes(b"nothing")
    with pytest.raises(ReferenceUnreachable, match="sky"):
        catalogue.stars_in(Cone(0, 0, 1), 2016.0)


def test_verify_sees_a_changed_byte(catalogue):
    path = catalogue.folder / "sky.fits"
    content = bytearray(path.read_bytes())
    content[5 * 2880 + 3] ^= 1
    path.write_bytes(content)
    assert "checksum" in catalogue.verify("sky")[0]


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.delenv("MAR_REFCAT", raising=False)
    write_catalog(tmp_path / "sky.fits", sky(50))
    run = CliRunner().invoke
    refused = run(app, ["add", str(tmp_path / "sky.fits"), "--root", str(tmp_path)])
    assert refused.exit_code == 1
    added = run(
        app, ["add", str(tmp_path / "sky.fits"), "--name", "s", "--epoch", "2016", "--root", str(tmp_path)]
    )
    assert added.exit_code == 0
    assert "50 stars" in added.output
    assert (tmp_path / "REFCAT" / "s.fits").exists()
    assert "F378" in run(app, ["list", "--root", str(tmp_path)]).output
    assert "s: sound" in run(app, ["verify", "--root", str(tmp_path)]).output
    monkeypatch.setenv("MAR_REFCAT", str(tmp_path / "elsewhere"))
    assert run(app, ["verify", "s", "--root", str(tmp_path)]).exit_code == 1


def test_pixels_are_those_of_healpix():
    healpix = pytest.importorskip("astropy_healpix")
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    for order in (0, 3, 6, 11):
        peer = healpix.HEALPix(nside=2**order, order="nested")
        assert np.array_equal(pixels_of(ra, dec, order), peer.lonlat_to_healpix(ra * u.deg, dec * u.deg))
    lon, lat = healpix.HEALPix(nside=16, order="nested").healpix_to_lonlat(np.arange(12 * 256))
    np.testing.assert_allclose(centres(4), unit_vectors(lon.deg, lat.deg), atol=1e-14)


@pytest.mark.parametrize("dec", [-89.9, -42.0, 0.0, 41.8, 90.0])
def test_a_cone_finds_every_star_of_a_whole_sky(tmp_path, dec):
    rng = np.random.default_rng(3)
    n = 40_000
    whole = Table({"RA": rng.uniform(0, 360, n), "DEC": np.degrees(np.arcsin(rng.uniform(-1, 1, n)))})
    whole["MAG"] = 10.0
    catalogue = RefCat(tmp_path)
    catalogue.add_table(whole, "whole", "test", 2000.0, 60.0)
    cone = Cone(44.9, dec, 3.0)
    stars = catalogue.stars_in(cone, 2000.0)
    inside = separation_deg(cone, np.array(whole["RA"]), np.array(whole["DEC"])) <= 3.0
    assert len(stars) == np.count_nonzero(inside) > 10
    assert stars.error_mas == 60.0
    assert catalogue.verify("whole") == []


def test_a_near_star_moves_with_the_earth(tmp_path):
    """Against astropy's own reduction to the Earth's place."""
    table = Table({"RA": [217.39], "DEC": [-62.68], "MAG": [9.0], "PMRA": [0.0], "PMDEC": [0.0]})
    table["PARALLAX"] = 768.0
    table["EPOCH"] = 2016.0
    write_catalog(tmp_path / "near.fits", table)
    catalogue = RefCat(tmp_path / "R")
    catalogue.add(tmp_path / "near.fits")
    time = Time(2016.3, format="jyear", scale="tdb")
    place = SkyCoord(217.39 * u.deg, -62.68 * u.deg, distance=(768 * u.mas).to(u.pc, u.parallax())).cartesian
    seen = SkyCoord(place - get_body_barycentric("earth", time, ephemeris="builtin"))
    star = catalogue.stars_in(Cone(217.39, -62.68, 0.01), 2016.3)
    found = SkyCoord(star.ra_deg[0], star.dec_deg[0], unit="deg")
    assert found.separation(seen).mas < 0.1
    assert found.separation(SkyCoord(217.39, -62.68, unit="deg")).mas > 100


def test_a_damaged_pack_does_not_stop_the_others(catalogue):
    (catalogue.folder / "aaa.fits").write_bytes(b"nothing")
    assert len(catalogue.stars_in(Cone(0, 0, 1), 2016.0)) > 0
    with pytest.raises(ReferenceUnreachable, match="aaa"):
        catalogue.stars_in(Cone(180, 0, 1), 2016.0)


def test_a_pattern_names_packs(catalogue):
    assert len(catalogue.stars_in(Cone(0, 0, 1), 2016.0, "s*")) > 0
    with pytest.raises(ReferenceUnreachable, match="no pack 'gaia"):
        catalogue.stars_in(Cone(0, 0, 1), 2016.0, "gaia*")


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "sky.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadConfig, match="need pyarrow"):
        RefCat(tmp_path / "R").add(tmp_path / "sky.parquet")


def index_file(path, ra, dec, magnitude, endian="04:03:02:01"):
    """As astrometry.net writes it: unit vectors as unsigned integers between -1 and 1."""
    order = "<" if endian == "04:03:02:01" else ">"
    scale = (2**32 - 1) / 2
    packed = np.round((unit_vectors(ra, dec) + 1) * scale).astype(f"{order}u4")
    limits = np.array([-1, -1, -1, 1, 1, 1, scale], f"{order}f8")
    primary = fits.PrimaryHDU()
    primary.header["ENDIAN"] = endian

    def raw(name, rows):
        rows = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
        column = fits.Column(name, f"{rows.shape[1]}B", array=rows)
        return fits.BinTableHDU.from_columns([column])

    tables = [
        raw("kdtree_range_stars", limits[:, None]),
        raw("kdtree_data_stars", packed),
        fits.BinTableHDU.from_columns([fits.Column("MAG_VT", "E", array=magnitude)]),
    ]
    fits.HDUList([primary, *tables]).writeto(path)


@pytest.mark.parametrize("endian", ["04:03:02:01", "01:02:03:04"])
def test_the_stars_of_an_index_of_astrometry_net(tmp_path, endian):
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    magnitude = rng.uniform(2, 12, 300).astype("f4")
    index_file(tmp_path / "index.fits", ra, dec, magnitude, endian)
    table = read_index(tmp_path / "index.fits")
    place = SkyCoord(table["RA"], table["DEC"], unit="deg")
    assert place.separation(SkyCoord(ra, dec, unit="deg")).mas.max() < 0.2
    assert np.array_equal(table["MAG_TYCHO_VT"], magnitude)


def test_another_file_is_no_index(tmp_path):
    write_catalog(tmp_path / "sky.fits", sky(5))
    with pytest.raises(BadImage, match="no index of astrometry"):
        read_index(tmp_path / "sky.fits")


@pytest.fixture
def gaia(monkeypatch):
    """The service's place taken by a function; gives the list of what it was asked."""
    asked = []

    def answer(query, verbose):
        asked.append(query)
        if "CIRCLE(1.0" in query:
            raise ConnectionError("no route to host")
        table = Table({"ra": [10.0, 10.1], "dec": [0.0, 0.1], "pmra": [1.0, np.nan], "pmdec": [1.0, np.nan]})
        table["parallax"] = table["phot_g_mean_mag"] = table["phot_rp_mean_mag"] = [12.0, 13.0]
        table["phot_bp_mean_mag"] = np.ma.masked_invalid([12.5, np.nan])
        return SimpleNamespace(get_results=lambda: table[:0] if "CIRCLE(2.0" in query else table)

    fake = SimpleNamespace(Gaia=SimpleNamespace(launch_job_async=answer))
    monkeypatch.setitem(sys.modules, "astroquery", SimpleNamespace(gaia=fake))
    monkeypatch.setitem(sys.modules, "astroquery.gaia", fake)
    return asked


def test_a_field_of_gaia_is_asked_once(tmp_path, gaia):
    catalogue = RefCat(tmp_path)
    pack, fetched = catalogue.fetch(Cone(10.0, 0.0, 1.0), 18.0)
    assert (pack.stars, pack.epoch, fetched) == (2, 2016.0, True)
    assert set(pack.bands) == {"GAIA_G", "GAIA_BP", "GAIA_RP"}
    assert catalogue.fetch(Cone(10.0, 0.0, 1.0), 18.0) == (pack, False)
    assert len(gaia) == 1
    content = bytearray(pack.path.read_bytes())
    content[content.index(np.array(12.5, ">f4").tobytes())] ^= 1
    pack.path.write_bytes(content)
    assert catalogue.fetch(Cone(10.0, 0.0, 1.0), 18.0)[1]  # damaged: fetched anew
    pack.path.write_bytes(b"nothing")
    assert catalogue.fetch(Cone(10.0, 0.0, 1.0), 18.0)[1]
    assert len(gaia) == 3


def test_unreachable_and_empty_are_not_the_same(tmp_path, gaia):
    with pytest.raises(ReferenceUnreachable, match="no route to host"):
        RefCat(tmp_path).fetch(Cone(1.0, 0.0, 1.0), 18.0)
    with pytest.raises(NoReference, match="no star brighter than 18"):
        RefCat(tmp_path).fetch(Cone(2.0, 0.0, 1.0), 18.0)


def test_without_astroquery_the_way_out_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.gaia", None)
    with pytest.raises(BadConfig, match="pip install"):
        RefCat(tmp_path).fetch(Cone(10.0, 0.0, 1.0), 18.0)


def test_the_commands_for_whole_skies_and_fields(tmp_path, monkeypatch, gaia):
    monkeypatch.delenv("MAR_REFCAT", raising=False)
    index_file(
        tmp_path / "index.fits", np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0], "f4")
    )
    run = CliRunner().invoke
    made = run(app, ["import-astrometry-net", str(tmp_path / "index.fits"), "--root", str(tmp_path)])
    assert "tycho2.fits: 2 stars" in made.output
    assert "2 stars" in run(app, ["fetch", "10", "0", "--root", str(tmp_path)]).output
    assert "was there" in run(app, ["fetch", "10", "0", "--root", str(tmp_path)]).output
