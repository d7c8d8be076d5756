"""Combining as ccdproc's Combiner does, with masks, scales and clipping of one round."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mar.steps.combine import Rejection, combine
from parts import missing

try:
    from astropy.nddata import CCDData
    from ccdproc import Combiner
except ImportError:
    Combiner = None

FRAMES, SHAPE = 9, (60, 250)


# Where bottleneck is not installed ccdproc asks numpy, which warns of pixels without any value
pytestmark = [
    pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def _ccdproc():
    if Combiner is None:
        missing("ccdproc is not installed (pip install ccdproc)")


@pytest.fixture
def stack(rng):
    """Noise of a sky, of whose pixels 2 % are hit by something."""
    sky = rng.poisson(1000, (FRAMES, *SHAPE)).astype("f4")
    hits = rng.random(sky.shape) < 0.02
    sky[hits] += rng.uniform(100, 5000, hits.sum()).astype("f4")
    return sky


@pytest.fixture
def masks(rng):
    """A tenth of all values is bad; one pixel is bad everywhere."""
    bad = rng.random((FRAMES, *SHAPE)) < 0.1
    bad[:, 3, 4] = True
    return bad


def combiner(stack, masks):
    frames = [CCDData(frame, unit="adu", mask=bad) for frame, bad in zip(stack, masks, strict=True)]
    return Combiner(frames, dtype="f8")


def about_median(values, axis=None):
    """The standard deviation about the median with n - 1, as imcombine and we take it."""
    off = values - np.expand_dims(np.nanmedian(values, axis=axis), axis)
    return np.sqrt(np.nansum(off**2, axis=axis) / (np.isfinite(values).sum(axis=axis) - 1))


def agrees(ours, theirs):
    """The same values, and none in the same pixels."""
    known = ~np.asarray(theirs.mask)
    assert (np.isfinite(ours.value) == known).all()
    assert_allclose(ours.value[known], np.asarray(theirs.data)[known], atol=0.005)
    return known


@pytest.mark.parametrize("method", ["median", "mean"])
def test_masked_values_are_left_out(stack, masks, method):
    theirs = combiner(stack, masks)
    combined = theirs.median_combine() if method == "median" else theirs.average_combine()
    agrees(combine(stack, method, Rejection("none"), masks=masks), combined)


def test_extremes_are_left_out(stack, masks):
    theirs = combiner(stack, np.zeros_like(masks))
    theirs.clip_extrema(nlow=1, nhigh=2)
    agrees(combine(stack, "mean", Rejection("minmax", nlow=1, nhigh=2)), theirs.average_combine())


@pytest.mark.parametrize("limits", [(2.0, 2.0), (3.0, 1.5)])
def test_one_round_of_sigma_clipping(stack, limits):
    theirs = combiner(stack, np.zeros(stack.shape, bool))
    theirs.sigma_clipping(*limits, func=np.nanmedian, dev_func=about_median)
    rule = Rejection("sigclip", *limits, rounds=1)
    ours = combine(stack, "mean", rule)
    combined = theirs.average_combine()
    agrees(ours, combined)
    assert (ours.count == FRAMES - theirs.data_arr.mask.sum(axis=0)).all()
    assert (ours.count < FRAMES).mean() > 0.05


@pytest.mark.parametrize("method", ["median", "mean"])
def test_frames_are_scaled(stack, masks, rng, method):
    scales = rng.uniform(0.5, 2.0, FRAMES)
    theirs = combiner(stack, masks)
    theirs.scaling = 1 / scales
    combined = theirs.median_combine() if method == "median" else theirs.average_combine()
    agrees(combine(stack, method, Rejection("none"), scales=scales, masks=masks), combined)
