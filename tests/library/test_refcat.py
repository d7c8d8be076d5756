"""Packs of reference stars: made from any table, read by cone, moved to the epoch."""

from datetime import UTC, datetime

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io.fits import Header
from astropy.table import Table
from astropy.time import Time
from typer.testing import CliRunner

from mar.cli.refcat import app
from mar.errors import BadConfig, BadHeader, BadImage, NoReference, ReferenceUnreachable
from mar.io.catalogs import write_catalog, write_ldac
from mar.refcat.packs import RefCat, julian_year
from mar.refcat.stars import Cone


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
