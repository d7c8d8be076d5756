"""L.A.Cosmic beside astroscrappy with equal parameters: the bar is an intersection over union of 0.98.

What holds is the same mask; the limit leaves room for compilers that round a threshold otherwise.
"""

from dataclasses import replace

import astroscrappy
import numpy as np
import pytest
from scipy import ndimage

from mar.kernels.left_out import LeftOut
from mar.kernels.mesh import Sky
from mar.masks import Bit
from mar.simulate import Conditions, simulate_sky_frame
from mar.steps.background import estimate
from mar.steps.lacosmic import find_hits, rule_of

SKIES = {
    "usual": {},
    "many cosmic rays": {"cosmic_rate": 4.0},
    "crowded": {"density": 60.0},
    "stars sharper than the pixels": {"seeing_arcsec": 0.9, "density": 20.0},
}


def simulated(seed, band="R", **conditions):
    """Camera, image, sky, and pixels left out: saturated ones and what is near them."""
    sky = simulate_sky_frame((577, 601), seed=seed, band=band, conditions=Conditions(**conditions))
    left_out = ndimage.binary_dilation((sky.mask & Bit.SATURATED) != 0, np.ones((7, 7)))
    left_out[200:, 77] = True
    return sky.camera, sky.data, estimate(sky.data, sky.mask, 128).levels, left_out


def both(camera, image, sky, left_out, rounds=4, sigclip=4.5, sigfrac=0.3, objlim=5.0):
    """The masks (theirs, ours)."""
    theirs, _ = astroscrappy.detect_cosmics(
        image,
        inmask=left_out,
        inbkg=sky.drawn(),
        gain=camera.gain,
        readnoise=camera.read_noise_e,
        satlevel=np.inf,
        sigclip=sigclip,
        sigfrac=sigfrac,
        objlim=objlim,
        niter=rounds,
    )
    rule = rule_of(sigclip, sigfrac, objlim, camera.gain, camera.read_noise_e)
    sky, left_out = Sky(sky.knots, sky.rows), LeftOut(left_out.view(np.uint8), 1)
    return theirs, find_hits(image, sky, left_out, rule, rounds)


def overlap(theirs, ours):
    assert np.count_nonzero(theirs) > 50
    return np.count_nonzero(theirs & ours) / np.count_nonzero(theirs | ours)


@pytest.mark.parametrize("band", ["R", "U"])
@pytest.mark.parametrize("conditions", SKIES.values(), ids=SKIES)
def test_both_find_the_same_pixels(conditions, band):
    assert overlap(*both(*simulated(5, band, **conditions))) > 0.998


@pytest.mark.parametrize("rounds", [1, 2, 6])
def test_both_find_the_same_pixels_in_so_many_rounds(rounds):
    assert overlap(*both(*simulated(6, cosmic_rate=4.0), rounds=rounds)) > 0.998


@pytest.mark.parametrize(
    ("sigclip", "sigfrac", "objlim"), [(3.0, 0.5, 2.0), (6.0, 0.1, 5.0), (4.5, 1.0, 1.0)]
)
def test_both_find_the_same_pixels_with_other_limits(sigclip, sigfrac, objlim):
    found = both(*simulated(7, cosmic_rate=1.0), sigclip=sigclip, sigfrac=sigfrac, objlim=objlim)
    assert overlap(*found) > 0.998


def test_both_find_the_same_pixels_without_a_sky():
    camera, image, sky, left_out = simulated(8)
    assert overlap(*both(camera, image, replace(sky, rows=np.zeros_like(sky.rows)), left_out)) > 0.998
