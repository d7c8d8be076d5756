"""Detection and measurement beside source-extractor, on a simulated sky and its own background each.

The bar is 0.02 pixel and 0.01 mag for S/N > 20, for sources that neither calls blended. The pixels between
blended ones are shared out by lot in source-extractor, so they cannot agree as well.
"""

import numpy as np
import pytest
from astropy.table import Table
from scipy.spatial import cKDTree

import programs
from mar.config.reduction import Reduction
from mar.io.fits import write_image
from mar.simulate import Effects, simulate_sky_frame
from mar.steps.background import estimate
from mar.steps.sources import detect
from parts import need

COLUMNS = (
    *("NUMBER", "X_IMAGE", "Y_IMAGE", "XWIN_IMAGE", "YWIN_IMAGE", "FLUX_AUTO", "FLUXERR_AUTO", "MAG_AUTO"),
    *("FLUX_APER(2)", "FLUX_RADIUS", "FLUX_ISO", "KRON_RADIUS", "FWHM_IMAGE", "A_IMAGE", "B_IMAGE", "FLAGS"),
    *("SNR_WIN", "ERRAWIN_IMAGE", "ERRBWIN_IMAGE", "ERRTHETAWIN_IMAGE", "ISOAREA_IMAGE"),
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """(theirs, ours): the same sources of S/N > 20, and how many each found."""
    need("source-extractor")
    folder = tmp_path_factory.mktemp("sex")
    sky = simulate_sky_frame((1024, 1024), seed=3, effects=Effects().without("cosmics", "trails"))
    config = Reduction()
    write_image(folder / "sky.fits", sky.data, sky.header)
    settings = {
        "DETECT_THRESH": config.cat_detect_thresh,
        "ANALYSIS_THRESH": config.cat_detect_thresh,
        "DETECT_MINAREA": config.cat_detect_minarea,
        "BACK_SIZE": config.cat_back_size,
        "BACK_FILTERSIZE": config.cat_back_filtersize,
        "MAG_ZEROPOINT": config.cat_zeropoint,
        "PHOT_APERTURES": "5,10",
        "GAIN": sky.camera.gain,
        "SATUR_LEVEL": 60000,
    }
    catalog = folder / "theirs.fits"
    programs.run(
        programs.source_extractor(folder, folder / "sky.fits", catalog, COLUMNS, **settings, GAIN_KEY="NONE")
    )
    theirs = Table.read(catalog)
    background = estimate(sky.data, None, config.cat_back_size, config.cat_back_filtersize)
    ours = detect(sky.data, None, background, config, gain=sky.camera.gain)
    return matched(theirs, ours), (len(theirs), len(ours))


def matched(theirs, ours, within_px=1.0):
    """Rows of both tables for the same sources, bright ones."""
    tree = cKDTree(np.c_[ours["X_IMAGE"], ours["Y_IMAGE"]])
    distance, index = tree.query(np.c_[theirs["X_IMAGE"], theirs["Y_IMAGE"]])
    bright = theirs["FLUX_AUTO"] > 20 * theirs["FLUXERR_AUTO"]
    same = (distance < within_px) & bright
    assert same.sum() > 0.98 * bright.sum() > 500
    return theirs[same], ours[index[same]]


@pytest.fixture
def alone(pairs):
    """The pairs that neither program calls blended or otherwise doubtful."""
    theirs, ours = pairs[0]
    clean = (theirs["FLAGS"] == 0) & (ours["FLAGS"] == 0)
    assert clean.sum() > 300
    return theirs[clean], ours[clean]


def apart(theirs, ours, x, y):
    """Distances in pixels."""
    return np.hypot(theirs[x] - ours[x], theirs[y] - ours[y])


def test_both_find_the_same_sources(pairs):
    theirs, ours = pairs[1]
    assert abs(ours - theirs) < 0.01 * theirs


def test_windowed_positions_agree(alone):
    distances = apart(*alone, "XWIN_IMAGE", "YWIN_IMAGE")
    assert np.percentile(distances, 99.5) < 0.02
    assert np.median(distances) < 0.001


def test_isophotal_positions_agree(alone):
    distances = apart(*alone, "X_IMAGE", "Y_IMAGE")
    assert np.mean(distances < 0.02) > 0.99
    assert np.median(distances) < 0.001


def test_kron_magnitudes_agree(alone):
    theirs, ours = alone
    differences = np.abs(theirs["MAG_AUTO"] - ours["MAG_AUTO"])
    assert np.mean(differences < 0.01) > 0.985
    assert np.median(differences) < 0.001
    assert abs(np.median(ours["FLUX_AUTO"] / theirs["FLUX_AUTO"]) - 1) < 1e-4


@pytest.mark.parametrize(
    ("column", "median", "most"),
    [
        ("FLUX_ISO", 1e-3, 0.03),
        ("FLUXERR_AUTO", 1e-3, 0.03),
        ("FLUX_RADIUS", 2e-3, 0.03),
        ("KRON_RADIUS", 1e-3, 0.03),
        ("FWHM_IMAGE", 1e-3, 0.01),
        ("A_IMAGE", 1e-3, 0.02),
        ("B_IMAGE", 1e-3, 0.02),
        ("SNR_WIN", 1e-3, 0.01),
        ("ERRAWIN_IMAGE", 1e-3, 0.01),
        ("ISOAREA_IMAGE", 1e-3, 0.1),
    ],
)
def test_other_columns_agree(alone, column, median, most):
    theirs, ours = alone
    differences = np.abs(ours[column] / theirs[column] - 1)
    assert np.median(differences) < median
    assert np.percentile(differences, 97) < most


def test_aperture_fluxes_agree(alone):
    theirs, ours = alone
    ratio = ours["FLUX_APER"][:, 1] / theirs["FLUX_APER"][:, 1]
    assert np.percentile(np.abs(ratio - 1), 98) < 0.001


def test_flags_agree(pairs):
    theirs, ours = pairs[0]
    for flag in (1, 2):  # crowded, blended
        same = (theirs["FLAGS"] & flag) == (ours["FLAGS"] & flag)
        assert np.mean(same) > 0.97


def test_blended_magnitudes_agree_roughly(pairs):
    theirs, ours = pairs[0]
    blended = (theirs["FLAGS"] & 3) != 0
    differences = np.abs(theirs["MAG_AUTO"] - ours["MAG_AUTO"])[blended]
    assert np.median(differences) < 0.01
