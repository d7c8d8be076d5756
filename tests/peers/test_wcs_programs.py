"""Our header is read alike by astropy, wcslint and SWarp, whatever world coordinates stood there before."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits import Header
from astropy.wcs import WCS

import programs
from mar.frame import Frame
from mar.io.fits import write_image
from mar.steps.astrometry import Solution, with_solution
from mar.steps.projection import to_plane
from mar.steps.tpv import Tpv
from parts import need

SHAPE = (900, 1000)
MAS = 3.6e6  # in a degree

# What other programs leave in headers, each with coordinates that are plainly wrong here
LEFT_OVER = {
    "nothing": {},
    "CDELT and CROTA": {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 5.0, "CRPIX1": 3.0,
        "CRPIX2": 4.0, "CDELT1": -2e-4, "CDELT2": 2e-4, "CROTA1": 30.0, "CROTA2": 30.0,
    },
    "PC and PV of ZPN": {
        "CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "CDELT1": -1e-3, "CDELT2": 1e-3, "PC1_1": 0.8,
        "PC1_2": 0.6, "PC2_1": -0.6, "PC2_2": 0.8, "PV2_0": 0.0, "PV2_1": 1.0, "PV2_3": 40.0,
        "LONPOLE": 150.0,
    },
    "CD and SIP": {
        "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CD1_1": -3e-4, "CD1_2": 1e-5,
        "CD2_1": 1e-5, "CD2_2": 3e-4, "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-4, "B_0_2": 1e-4, "AP_ORDER": 2,
        "AP_2_0": 1e-4,
    },
    "PV of TPV, more than ours": {
        "CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_3": 0.2, "PV1_17": 9.0, "PV2_11": 5.0, "PV2_39": 3.0,
    },
    "text for numbers, another system": {
        "CRVAL1": "10.0", "CRVAL2": "5.0", "CD1_1": "-0.0003", "CD2_2": "0.0003", "EQUINOX": 1950.0,
        "RADECSYS": "FK4", "CUNIT1": "arcsec", "WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1.0,
    },
    "TNX of IRAF": {
        "CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", "WAT0_001": "system=image", "WCSDIM": 2,
        "WAT1_001": 'wtype=tnx axtype=ra lngcor = "3. 4. 4. 2. -0.3 0.3 -0.3 0.3 0.01"',
        "LTV1": -5.0, "LTM1_1": 2.0,
    },
    "a second description": {"CTYPE1A": "LINEAR", "CRVAL1A": 1.0, "CD1_1A": 2.0, "CD2_2A": 2.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def wcs():
    """A solution as of a wide field: turned, at its corners bent by some arcsec."""
    turn = np.radians(2.0)
    cd = 0.55 / 3600 * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    bend = ({0: 1e-6, 1: 1.0003, 2: 2e-4, 4: 4e-3, 5: -2e-3, 6: 1e-3, 7: 0.3, 8: 0.1, 9: -0.2, 10: 0.05},)
    bend += ({0: -2e-6, 1: 0.9996, 2: -1e-4, 4: -3e-3, 5: 1e-3, 6: 2e-3, 7: -0.2, 8: 0.1, 9: 0.3, 10: 0.1},)
    return Tpv((110.25, -24.75), (500.5, 450.5), cd, bend)


def solved(wcs, left_over):
    """The header of a frame with that solution, whose header held something else before."""
    cards = {"OBJECT": "field", "EXPTIME": 40.0, "FILTER": "R", "HIERARCH MAR AST RMS1": 999.0}
    header = Header(list({**cards, **left_over}.items()))
    nothing = np.empty(0)
    solution = Solution(
        wcs, 3, 234, (8.0, 8.1), (5.0, 5.1), 1.02, wcs.crval, (3.0, -4.0), (0.7, 2.0), -200.0, "gaia",
        nothing, nothing, np.empty((0, 2)), nothing,
    )  # fmt: skip
    return with_solution(Frame(np.zeros(SHAPE, "f4"), header=header), solution).header


def lattice():
    x, y = np.meshgrid(np.linspace(1, SHAPE[1], 21), np.linspace(1, SHAPE[0], 19))
    return x.ravel(), y.ravel()


def apart_mas(ra, dec, ra2, dec2):
    return MAS * np.hypot((ra - ra2) * np.cos(np.radians(dec)), dec - dec2)


@pytest.mark.parametrize("left_over", LEFT_OVER.values(), ids=LEFT_OVER.keys())
def test_astropy_reads_what_we_mean(tmp_path, wcs, left_over):
    write_image(tmp_path / "ours.fits", np.zeros(SHAPE, "f4"), solved(wcs, left_over))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing had to be mended or guessed
        read = WCS(fits.getheader(tmp_path / "ours.fits"))
    x, y = lattice()
    assert apart_mas(*read.all_pix2world(x, y, 1), *wcs.sky(x, y)).max() < 0.001
    assert read.wcs.naxis == 2
    assert read.sip is None
    assert read.wcs.radesys == "ICRS"


@pytest.mark.parametrize("left_over", LEFT_OVER.values(), ids=LEFT_OVER.keys())
def test_no_card_of_the_old_coordinates_is_left(wcs, left_over):
    bare, after = solved(wcs, {}), solved(wcs, left_over)
    assert {key: after[key] for key in after} == {key: bare[key] for key in bare}


def test_wcslint_has_nothing_to_say(tmp_path, wcs):
    write_image(tmp_path / "ours.fits", np.zeros(SHAPE, "f4"), solved(wcs, LEFT_OVER["CD and SIP"]))
    wcslint = Path(sys.executable).with_name("wcslint")  # comes with astropy
    said = subprocess.run([wcslint, tmp_path / "ours.fits"], capture_output=True, text=True, check=True)
    assert "No issues." in said.stdout
    assert "Warn" not in said.stdout + said.stderr


@pytest.mark.parametrize("axis", [0, 1], ids=["east", "north"])
def test_swarp_projects_as_we_do(tmp_path, wcs, axis):
    """Each pixel holds its own place: in a tangent plane of SWarp it must stand where SWarp says it does.

    The place is smooth, so that bilinear interpolation keeps it to a hundredth of a mas.
    """
    need("swarp")
    rows, columns = np.indices(SHAPE, dtype=float)
    place = MAS * to_plane(*wcs.sky(columns + 1, rows + 1), *wcs.crval)[axis]
    write_image(tmp_path / "ours.fits", place.astype("f4"), solved(wcs, LEFT_OVER["PC and PV of ZPN"]))
    options = {
        "SUBTRACT_BACK": "N", "PROJECTION_TYPE": "TAN", "PROJECTION_ERR": 0, "RESAMPLING_TYPE": "BILINEAR",
        "FSCALASTRO_TYPE": "NONE", "FSCALE_KEYWORD": "NONE", "NTHREADS": 1,
        "CENTER_TYPE": "MANUAL", "CENTER": f"{wcs.crval[0]},{wcs.crval[1]}", "IMAGE_SIZE": 800,
        "PIXELSCALE_TYPE": "MANUAL", "PIXEL_SCALE": 0.55,
    }  # fmt: skip
    programs.run(programs.swarp(tmp_path, [tmp_path / "ours.fits"], tmp_path / "tan.fits", **options))
    with fits.open(tmp_path / "tan.fits") as hdus:
        found, tangent = hdus[0].data.astype(float), WCS(hdus[0].header)
    rows, columns = np.indices(found.shape, dtype=float)
    true = MAS * to_plane(*tangent.all_pix2world(columns, rows, 0), *wcs.crval)[axis]
    inside = np.s_[60:-60, 60:-60]
    assert np.abs(true[inside]).max() > 1e5  # mas
    assert np.abs(found - true)[inside].max() < 0.5
