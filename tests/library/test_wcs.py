"""Headers of other origin: the positions that other programs give for their pixels.

The headers are those of sample files of the FITS registry and of M. Calabretta, reduced to their coordinates;
the positions were read off with ds9 (listed in the tests of GalSim).
"""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.fits import Header

from mar.errors import BadHeader
from mar.steps.rough import rough_from_header
from mar.steps.tpv import Tpv
from mar.steps.wcs_header import read_wcs

TPV = {
    "NAXIS": 2,
    "NAXIS1": 512,
    "NAXIS2": 512,
    "CTYPE1": "RA---TPV",
    "CTYPE2": "DEC--TPV",
    "CRVAL1": 52.88269780127,
    "CRVAL2": -28.44369999644,
    "CRPIX1": 4370.373388,
    "CRPIX2": 4282.913443,
    "CD1_1": -1.833074903884e-06,
    "CD2_1": 7.239017109944e-05,
    "CD1_2": 7.34840262948e-05,
    "CD2_2": 1.944488720211e-07,
    "PV1_0": 0.0004876332493733,
    "PV1_1": 1.016546354589,
    "PV1_2": -0.02498077749032,
    "PV1_4": 0.005117265809141,
    "PV1_5": -0.04446966863535,
    "PV1_6": -0.134093201046,
    "PV1_7": -0.0984281409096,
    "PV1_8": -0.02018527362798,
    "PV1_9": -0.2049143319401,
    "PV1_10": -0.1576700919109,
    "PV2_0": 0.008817169586696,
    "PV2_1": 1.053187484269,
    "PV2_2": 0.006797154161982,
    "PV2_4": 0.07293553468422,
    "PV2_5": -0.04330047111111,
    "PV2_6": -0.008179626241234,
    "PV2_7": -0.01386138380831,
    "PV2_8": -0.0850396522741,
    "PV2_9": -0.1406374706713,
    "PV2_10": -0.01027555823044,
    "RADECSYS": "ICRS",
}
SIP = {
    "NAXIS": 2,
    "NAXIS1": 256,
    "NAXIS2": 256,
    "CTYPE1": "RA---TAN-SIP",
    "CTYPE2": "DEC--TAN-SIP",
    "CRVAL1": 202.482322805429,
    "CRVAL2": 47.1751189300101,
    "CRPIX1": 128.0,
    "CRPIX2": 128.0,
    "CD1_1": 0.000249756880272355,
    "CD1_2": 0.000230177809743655,
    "CD2_1": 0.000230428519265417,
    "CD2_2": -0.000249965770576587,
    "RADESYS": "ICRS",
    "A_ORDER": 3,
    "A_0_2": 2.9656e-06,
    "A_0_3": 3.7746e-09,
    "A_1_1": 2.1886e-05,
    "A_1_2": -1.6847e-07,
    "A_2_0": -2.3863e-05,
    "A_2_1": -8.561e-09,
    "A_3_0": -1.4172e-07,
    "B_ORDER": 3,
    "B_0_2": 2.31e-05,
    "B_0_3": -1.6168e-07,
    "B_1_1": -2.4386e-05,
    "B_1_2": -5.7813e-09,
    "B_2_0": 2.1197e-06,
    "B_2_1": -1.6583e-07,
    "B_3_0": -2.0249e-08,
}
TAN = {
    "NAXIS": 2,
    "NAXIS1": 192,
    "NAXIS2": 192,
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": -2.680658087122e02,
    "CRPIX2": -5.630437201085e-01,
    "CDELT1": -6.666666666667e-02,
    "CDELT2": 6.666666666667e-02,
    "CRVAL1": 0.0,
    "CRVAL2": -90.0,
    "LONPOLE": 180.0,
    "LATPOLE": -90.0,
    "EQUINOX": 2000.0,
}
PLACES = [
    (TPV, "03:30:09.340034 -28:43:50.811107", 418, 78),
    (TPV, "03:30:15.728999 -28:45:01.488629", 148, 393),
    (SIP, "13:30:01.474154 +47:12:51.794474", 242, 75),
    (SIP, "13:29:43.747626 +47:09:13.879660", 12, 106),
    (TAN, "19:39:30.753119 -63:42:59.217527", 117, 178),
    (TAN, "18:19:18.652839 -63:49:03.833411", 153, 35),
]


def header_of(cards):
    header = Header()
    for key, value in cards.items():
        header[key] = value
    return header


@pytest.mark.parametrize(("cards", "place", "x", "y"), PLACES)
def test_positions_agree_with_other_programs(cards, place, x, y):
    ra, dec = read_wcs(header_of(cards)).all_pix2world(x, y, 1)
    known = SkyCoord(place, unit=("hourangle", "deg"))
    assert known.separation(SkyCoord(float(ra), float(dec), unit="deg")).mas < 1


@pytest.mark.parametrize(("cards", "place", "x", "y"), PLACES[:2])
def test_our_own_tpv_agrees_too(cards, place, x, y):
    pv = tuple(
        {int(key[4:]): value for key, value in cards.items() if key.startswith(f"PV{axis}_")}
        for axis in (1, 2)
    )
    cd = np.array([[cards["CD1_1"], cards["CD1_2"]], [cards["CD2_1"], cards["CD2_2"]]])
    wcs = Tpv((cards["CRVAL1"], cards["CRVAL2"]), (cards["CRPIX1"], cards["CRPIX2"]), cd, pv)
    ra, dec = wcs.sky(np.array(float(x)), np.array(float(y)))
    known = SkyCoord(place, unit=("hourangle", "deg"))
    assert known.separation(SkyCoord(float(ra), float(dec), unit="deg")).mas < 1


def test_pv_cards_under_the_name_of_tan_are_the_same_polynomial():
    old = header_of({**TPV, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"})
    np.testing.assert_allclose(
        read_wcs(old).all_pix2world(148, 393, 1),
        read_wcs(header_of(TPV)).all_pix2world(148, 393, 1),
        rtol=1e-12,
    )


def test_numbers_written_as_text_are_read():
    text = header_of({**SIP, "CRVAL1": "202.482322805429", "CD1_1": " 0.000249756880272355 "})
    np.testing.assert_allclose(
        read_wcs(text).all_pix2world(12, 106, 1),
        read_wcs(header_of(SIP)).all_pix2world(12, 106, 1),
        rtol=1e-12,
    )


def test_text_that_is_no_number_is_refused():
    with pytest.raises(BadHeader, match="CRVAL1"):
        read_wcs(header_of({**SIP, "CRVAL1": "unknown"}))


@pytest.mark.parametrize("kind", ["TNX", "ZPX"])
def test_projections_of_iraf_are_refused_and_not_misread(kind):
    cards = {
        **{
            key: TPV[key]
            for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
        },
        "CTYPE1": f"RA---{kind}",
        "CTYPE2": f"DEC--{kind}",
        "WAT1_001": f'wtype={kind.lower()} axtype=ra lngcor = "1. 4. 4. 2. 0.001 0.305"',
    }
    with pytest.raises(BadHeader, match=f"{kind} cannot be read; convert it"):
        read_wcs(header_of(cards))


def test_an_image_without_celestial_axes_is_refused():
    with pytest.raises(BadHeader, match="no celestial"):
        read_wcs(header_of({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR", "CRVAL1": 1.0}))


@pytest.mark.parametrize("cards", [TPV, SIP])
def test_the_rough_plane_touches_the_header_at_the_middle(cards):
    header = header_of(cards)
    rough = rough_from_header(header, (cards["NAXIS2"], cards["NAXIS1"]))
    x, y = rough.crpix
    near = SkyCoord(*map(float, rough.sky(np.array(x + 2), np.array(y - 2))), unit="deg")
    said = SkyCoord(*map(float, read_wcs(header).all_pix2world(x + 2, y - 2, 1)), unit="deg")
    assert near.separation(said).mas < 5
