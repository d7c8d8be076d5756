"""scamp and psfex read our FITS_LDAC catalogues, SWarp our TPV headers: others can go on from there."""

import warnings
from datetime import UTC, date, datetime

import numpy as np
import pytest
from astropy.io import fits, votable
from astropy.io.fits import Header
from astropy.table import Table
from astropy.wcs import WCS, FITSFixedWarning
from scipy.spatial import cKDTree

import programs
from mar.camera import load_camera
from mar.config import Config
from mar.config.coadd import Coadd
from mar.config.reduction import Reduction
from mar.config.swarp import Swarp
from mar.exposure import Exposure, FrameType
from mar.io.catalogs import write_ldac
from mar.io.fits import write_image
from mar.io.vignets import extraction_header, with_vignets
from mar.recipes.tile import FrameInput, TileWriters, plan_tile, write_tile
from mar.refcat.stars import Stars
from mar.simulate import Effects, simulate_sky_frame
from mar.steps.astrometry import solve
from mar.steps.background import estimate
from mar.steps.grid import Grid
from mar.steps.quality import psf_figures
from mar.steps.rough import rough_from_header
from mar.steps.sources import detect
from parts import need
from small_skies import ArrayRows, ArrayWriter

GAIN_E = 0.95
NIGHT = date(2024, 2, 29)
STILL = Effects().without("cosmics", "trails", "proper_motion", "galaxies")


@pytest.fixture(scope="module")
def sky():
    return simulate_sky_frame((1000, 1000), seed=3, effects=STILL)


@pytest.fixture(scope="module")
def sources(sky):
    return measured(sky.data)


@pytest.fixture(scope="module")
def stars(sky):
    """The true stars that a survey would know."""
    return sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG_R"] < 18)]


def measured(data):
    return detect(data, None, estimate(data, None), Reduction(), gain=GAIN_E)


def image_header(sky):
    """The header of the frame as a FITS image has it."""
    ny, nx = sky.data.shape
    cards = [("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", nx), ("NAXIS2", ny)]
    return Header([*cards, *sky.header.cards])


def reference_catalog(path, stars):
    """A reference catalogue for scamp, positions good to 0.1 mas."""
    n = len(stars)
    table = Table({"X_WORLD": stars["RA"], "Y_WORLD": stars["DEC"], "MAG": stars["MAG_R"]})
    for name, value in (("ERRA", 3e-8), ("ERRB", 3e-8), ("ERRTHETA", 0.0)):
        table[f"{name}_WORLD"] = np.full(n, value)
    table["MAGERR"], table["OBSDATE"], table["FLAGS"] = (
        np.full(n, 0.01),
        np.full(n, 2016.0),
        np.zeros(n, "i2"),
    )
    hdu = fits.table_to_hdu(table)
    hdu.name = "LDAC_OBJECTS"
    cards = fits.Column("Field Header Card", "80A", array=np.array(["END" + 77 * " "]))
    head = fits.BinTableHDU.from_columns([cards], name="LDAC_IMHEAD")
    fits.HDUList([fits.PrimaryHDU(), head, hdu]).writeto(path)


def separations_mas(wcs, stars, sources):
    """Distances between true stars and the sources that the coordinates put nearest to them, S/N > 50."""
    bright = sources[(sources["SNR_WIN"] > 50) & (sources["FLAGS"] == 0)]
    ra, dec = wcs.all_pix2world(bright["XWIN_IMAGE"], bright["YWIN_IMAGE"], 1)
    scale = np.cos(np.radians(-25.0))
    tree = cKDTree(np.c_[stars["RA"] * scale, stars["DEC"]])
    distance, _ = tree.query(np.c_[ra * scale, dec])
    near = distance < 2 / 3600
    assert near.sum() > 50
    return distance[near] * 3.6e6


def read_wcs(header):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header)


def test_scamp_solves_our_catalogue(tmp_path, sky, sources, stars):
    need("scamp")
    write_ldac(tmp_path / "ours.cat", sources, image_header(sky))
    reference_catalog(tmp_path / "reference.cat", stars[stars["MAG_R"] < 16.5])  # quicker
    settings = {
        "ASTREF_CATALOG": "FILE",
        "ASTREFCAT_NAME": "reference.cat",
        "ASTREFCENT_KEYS": "X_WORLD,Y_WORLD",
        "ASTREFERR_KEYS": "ERRA_WORLD,ERRB_WORLD,ERRTHETA_WORLD",
        "ASTREFMAG_KEY": "MAG",
        "ASTREFMAGERR_KEY": "MAGERR",
        "CENTROID_KEYS": "XWIN_IMAGE,YWIN_IMAGE",
        "CENTROIDERR_KEYS": "ERRAWIN_IMAGE,ERRBWIN_IMAGE,ERRTHETAWIN_IMAGE",
        "CROSSID_RADIUS": 5,
        "POSITION_MAXERR": 2,
        "SOLVE_PHOTOM": "N",
    }
    said = programs.run(programs.scamp(tmp_path, [tmp_path / "ours.cat"], **settings))
    assert f"{sky.truth.band}" in said
    solved = Header.fromstring((tmp_path / "ours.head").read_bytes().decode("ascii", "ignore"), sep="\n")
    assert np.median(separations_mas(read_wcs(solved), stars, sources)) < 30


def test_swarp_follows_our_distortion(tmp_path, sky, sources, stars):
    need("swarp")
    reference = Stars(*(np.asarray(stars[key], float) for key in ("RA", "DEC", "MAG_R")))
    rough = rough_from_header(sky.header, sky.data.shape)
    solution = solve(sources, reference, rough, sky.data.shape, Config(), "R")
    header = Header([("EXPTIME", 40.0), ("GAIN", GAIN_E)])
    for key, card in solution.wcs.cards().items():
        header[key] = card
    write_image(tmp_path / "ours.fits", sky.data, header)
    options = {"SUBTRACT_BACK": "N", "PROJECTION_TYPE": "TAN", "NTHREADS": 1}
    programs.run(programs.swarp(tmp_path, [tmp_path / "ours.fits"], tmp_path / "tan.fits", **options))
    with fits.open(tmp_path / "tan.fits") as hdus:
        resampled = hdus[0].data.astype(np.float32)
        tangent = read_wcs(hdus[0].header)
    assert "TAN" in tangent.wcs.ctype[0]
    inside = np.ascontiguousarray(resampled[100:900, 100:900])
    found = measured(inside)
    found["XWIN_IMAGE"] += 100
    found["YWIN_IMAGE"] += 100
    assert np.median(separations_mas(tangent, stars, found)) < 30


@pytest.fixture(scope="module")
def psfex(tmp_path_factory, sky, sources):
    """What psfex finds on our catalogue: a row of its table of figures."""
    need("psfex")
    folder = tmp_path_factory.mktemp("psfex")
    background = estimate(sky.data, None)
    residual = background.subtracted_from(sky.data)
    header = extraction_header(image_header(sky), background.level_adu, background.rms_adu, GAIN_E)
    # a table of all columns of its own size: psfex picks those that it knows
    stars = sources[np.asarray(sources["SNR_WIN"]) > 30]
    stars["FLUX_APER"], stars["FLUXERR_APER"] = stars["FLUX_APER"][:, 1], stars["FLUXERR_APER"][:, 1]
    write_ldac(folder / "ours.cat", with_vignets(stars, residual, None), header)
    settings = {"BASIS_TYPE": "PIXEL", "PSF_SIZE": "25,25", "PSFVAR_DEGREES": 1, "PSFVAR_NSNAP": 3}
    settings |= {"SAMPLE_MINSN": 60, "SAMPLE_MAXELLIP": 0.2, "NTHREADS": 1}
    said = programs.run(programs.psfex(folder, [folder / "ours.cat"], **settings), timeout_s=120)
    assert "error" not in said.lower()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return votable.parse(folder / "psfex.xml").get_first_table().to_table()[0]


def test_psfex_reads_our_catalogue(psfex, sources):
    assert psfex["NStars_Loaded_Total"] > 50
    assert psfex["NStars_Accepted_Total"] > 0.5 * psfex["NStars_Loaded_Total"]


def test_psf_figures_are_those_of_psfex(psfex, sky, sources):
    ours = psf_figures(sky.data, sources, Reduction(), GAIN_E)
    assert ours.fwhm_moffat_px == pytest.approx(float(psfex["FWHM_Mean"]), rel=0.01)
    assert ours.beta == pytest.approx(float(psfex["MoffatBeta_Mean"]), rel=0.05)
    assert ours.ellipticity == pytest.approx(float(psfex["Ellipticity_Mean"]), abs=0.005)


def test_swarp_makes_the_same_tile_of_the_same_frame(tmp_path, sky):
    need("swarp")
    camera = load_camera("single")
    write_image(tmp_path / "frame.fits", sky.data, image_header(sky))
    centre = rough_from_header(sky.header, sky.data.shape).crval
    grid = Grid(*centre, 900, 0.55)
    exposure = Exposure(
        "frame", FrameType.PROCESSED, "R", "F", datetime(2024, 3, 1, tzinfo=UTC), 1.0, None, None, 1.0, NIGHT
    )
    frame = FrameInput(ArrayRows(sky.data), None, sky.header, exposure)
    config = Coadd(resampling="lanczos3")
    plan = plan_tile([frame], grid, camera, config, Swarp(first_run_subtract_back=False))
    ours = ArrayWriter()
    write_tile(plan, TileWriters(ours, ArrayWriter()))
    options = {
        "SUBTRACT_BACK": "N", "PROJECTION_TYPE": "TAN", "CENTER_TYPE": "MANUAL",
        "CENTER": f"{centre[0]},{centre[1]}", "PIXELSCALE_TYPE": "MANUAL", "PIXEL_SCALE": 0.55,
        "IMAGE_SIZE": 900, "NTHREADS": 1, "COMBINE_TYPE": "WEIGHTED", "FSCALE_KEYWORD": "NONE",
    }  # fmt: skip
    programs.run(programs.swarp(tmp_path, [tmp_path / "frame.fits"], tmp_path / "theirs.fits", **options))
    theirs = fits.getdata(tmp_path / "theirs.fits").astype(np.float32)
    inside = slice(60, 840)
    a, b = (measured(np.ascontiguousarray(data[inside, inside])) for data in (ours.data, theirs))
    a, b = (table[(table["SNR_WIN"] > 100) & (table["FLAGS"] == 0)] for table in (a, b))
    tree = cKDTree(np.c_[b["XWIN_IMAGE"], b["YWIN_IMAGE"]])
    distance, index = tree.query(np.c_[a["XWIN_IMAGE"], a["YWIN_IMAGE"]], distance_upper_bound=0.5)
    near = np.isfinite(distance)
    assert near.sum() > 30
    for axis in ("XWIN_IMAGE", "YWIN_IMAGE"):
        assert abs(np.median(a[axis][near] - b[axis][index[near]])) * 550 < 1  # mas
    assert abs(np.median(a["FLUX_AUTO"][near] / b["FLUX_AUTO"][index[near]]) - 1) < 0.002
