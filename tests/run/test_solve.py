"""`mar solve` on images of simulated skies, with and without a header that helps."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table
from typer.testing import CliRunner

from mar.cli import app
from mar.errors import BadConfig, BadHeader, NotSolved
from mar.io.fits import read_image, write_image
from mar.refcat.packs import RefCat
from mar.run.solve import Wishes, solve_file, write_solved
from mar.simulate import Effects, simulate_sky_frame
from mar.steps.wcs_header import read_wcs

SHAPE = (700, 640)
BARE = Header([("OBJECT", "somewhere"), ("HIERARCH MAR PHO ZP", 3.0), ("A_ORDER", 2)])


@pytest.fixture(scope="module")
def sky():
    return simulate_sky_frame(SHAPE, seed=5, effects=Effects().without("proper_motion"))


@pytest.fixture(scope="module")
def folder(sky, tmp_path_factory):
    """A pack with the stars of the frame that a survey would know."""
    stars = sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG_R"] < 18.5)]
    table = Table({"RA": stars["RA"], "DEC": stars["DEC"], "MAG": stars["MAG_R"]})
    packs = RefCat(tmp_path_factory.mktemp("packs"))
    packs.add_table(table, "survey", "simulated", 2000.0, 10.0)
    return packs.folder


def errors_mas(wcs, sky, shape=SHAPE):
    """Distances between the solution and the truth over the frame."""
    x, y = np.meshgrid(np.linspace(20, shape[1] - 20, 9), np.linspace(20, shape[0] - 20, 9))
    ra, dec = wcs.all_pix2world(x.ravel(), y.ravel(), 1)
    true_ra, true_dec = sky.truth.wcs.pixel_to_sky(x.ravel() - 1, y.ravel() - 1)
    return 3.6e6 * np.hypot((ra - true_ra) * np.cos(np.radians(true_dec)), dec - true_dec)


def test_a_header_that_tells_the_place(tmp_path, sky, folder):
    write_image(tmp_path / "sky.fits", sky.data, sky.header)
    solved = solve_file(tmp_path / "sky.fits", folder, Wishes())
    assert solved.solution.log10_chance < -20
    write_solved(tmp_path / "sky.fits", solved, tmp_path / "copy.fits", tmp_path / "sky.wcs")
    for name in ("copy.fits", "sky.wcs"):
        assert errors_mas(read_wcs(fits.getheader(tmp_path / name)), sky).max() < 60
    pixels, header = read_image(tmp_path / "copy.fits")
    assert np.array_equal(pixels, read_image(tmp_path / "sky.fits")[0])
    assert header["MAR AST CHANCE"] < -20


@pytest.mark.parametrize("kind", ["TNX", "ZPX"])
def test_the_distortion_of_iraf_is_left_out_replaced_and_said(tmp_path, sky, folder, monkeypatch, kind):
    monkeypatch.setenv("MAR_REFCAT", str(folder))
    header = sky.header.copy()
    for key in [key for key in header if key.startswith("PV")]:
        del header[key]
    header["CTYPE1"], header["CTYPE2"] = f"RA---{kind}", f"DEC--{kind}"
    header["WAT0_001"], header["WAT1_001"] = "system=image", f"wtype={kind.lower()} axtype=ra projp1=1."
    write_image(tmp_path / "iraf.fits", sky.data, header)
    words = ["solve", str(tmp_path / "iraf.fits"), "--write", str(tmp_path / "copy.fits")]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0
    assert f"the distortion of its {kind} header was not used" in said.output
    solved = fits.getheader(tmp_path / "copy.fits")
    assert not [key for key in solved if key.startswith("WAT")]
    assert errors_mas(read_wcs(solved), sky).max() < 60


def turned(data, quarters, mirror):
    image = np.rot90(data, quarters)
    return np.ascontiguousarray(image[:, ::-1] if mirror else image)


@pytest.mark.parametrize(("quarters", "mirror"), [(0, False), (1, False), (3, True)])
def test_any_orientation_without_a_header(tmp_path, sky, folder, quarters, mirror):
    write_image(tmp_path / "bare.fits", turned(sky.data, quarters, mirror), BARE)
    wishes = Wishes(sky.header["CRVAL1"] + 0.03, sky.header["CRVAL2"], 0.56, epoch=2000.0)
    solved = solve_file(tmp_path / "bare.fits", folder, wishes)
    assert "MAR PHO ZP" not in solved.header
    assert "A_ORDER" not in solved.header
    wcs = read_wcs(solved.header)
    # the corner of the file is a corner of the sky frame: the same place there
    ny, nx = turned(sky.data, quarters, mirror).shape
    y, x = (turned(grid, quarters, mirror) for grid in np.indices(SHAPE))
    ra, dec = wcs.all_pix2world([20, nx - 20, 300], [20, 30, ny - 20], 1)
    rows, columns = [19, 29, ny - 21], [19, nx - 21, 299]
    true_ra, true_dec = sky.truth.wcs.pixel_to_sky(
        x[rows, columns].astype(float), y[rows, columns].astype(float)
    )
    assert 3.6e6 * np.hypot((ra - true_ra) * np.cos(np.radians(dec)), dec - true_dec).max() < 60


def test_a_binned_image_is_solved_in_its_own_pixels(tmp_path, sky, folder):
    write_image(tmp_path / "sky.fits", sky.data, sky.header)
    solved = solve_file(tmp_path / "sky.fits", folder, Wishes(bin=2))
    assert errors_mas(read_wcs(solved.header), sky).max() < 120


def test_a_header_that_says_nothing(tmp_path, sky, folder):
    write_image(tmp_path / "bare.fits", sky.data, BARE)
    with pytest.raises(BadHeader, match="--ra, --dec"):
        solve_file(tmp_path / "bare.fits", folder, Wishes())
    with pytest.raises(NotSolved):
        solve_file(tmp_path / "bare.fits", folder, Wishes(*sky.header["CRVAL*"].values(), 1.1))


def test_the_image_itself_is_never_overwritten(tmp_path, sky, folder):
    write_image(tmp_path / "sky.fits", sky.data, sky.header)
    solved = solve_file(tmp_path / "sky.fits", folder, Wishes())
    with pytest.raises(BadConfig, match="never overwritten"):
        write_solved(tmp_path / "sky.fits", solved, tmp_path / "sky.fits", None)
    with pytest.raises(BadConfig, match="end alike"):
        write_solved(tmp_path / "sky.fits", solved, tmp_path / "sky.fits.fz", None)


def test_the_command(tmp_path, sky, folder, monkeypatch):
    monkeypatch.setenv("MAR_REFCAT", str(folder))
    write_image(tmp_path / "sky.fits", sky.data, sky.header)
    said = CliRunner().invoke(app, ["solve", str(tmp_path / "sky.fits"), "--wcs", str(tmp_path / "a.wcs")])
    assert said.exit_code == 0
    for words in ("match survey", "rms", "false-alarm probability 10^-"):
        assert words in said.output
    assert fits.getheader(tmp_path / "a.wcs")["CTYPE1"] == "RA---TPV"
