"""Combining option for option as IRAF's imcombine does; where it differs, the reason is tested too."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import programs
from mar.steps.combine import Rejection, combine
from parts import need

GAIN, READ_NOISE_E = 0.95, 3.43
CAMERA = {"rdnoise": str(READ_NOISE_E), "gain": str(GAIN)}

CCD = Rejection("ccdclip", read_noise_e=READ_NOISE_E, gain=GAIN)

# ours, and the same in imcombine's words
RULES = [
    (Rejection("none"), {}),
    (Rejection("minmax"), {}),
    (Rejection("minmax", nlow=0, nhigh=3), {"nlow": 0, "nhigh": 3}),
    (Rejection("minmax", nlow=1, nhigh=2), {"nlow": 1, "nhigh": 2}),
    (Rejection("sigclip"), {}),
    (Rejection("sigclip", low_sigma=1.5, high_sigma=2.0), {"lsigma": 1.5, "hsigma": 2.0}),
    (Rejection("avsigclip"), {}),
    (Rejection("avsigclip", low_sigma=1.0, high_sigma=1.5), {"lsigma": 1.0, "hsigma": 1.5}),
    (CCD, CAMERA),
    (CCD._replace(low_sigma=1.5, high_sigma=1.0), {"lsigma": 1.5, "hsigma": 1.0, **CAMERA}),
    (CCD._replace(sensitivity=0.05), {"snoise": "0.05", **CAMERA}),
    (Rejection("pclip"), {}),
    (
        Rejection("pclip", low_sigma=2.0, high_sigma=1.5, pclip=1.0),
        {"lsigma": 2.0, "hsigma": 1.5, "pclip": 1.0},
    ),
    (Rejection("pclip", pclip=-2.0), {"pclip": -2.0}),
    (Rejection("pclip", pclip=0.7), {"pclip": 0.7}),
]
CLIPS = [(Rejection("sigclip"), {}), (Rejection("avsigclip"), {}), (CCD, CAMERA)]
# an average sigma so tight that pixels lose all their values would spoil imcombine's for the rest of the row
GENTLE = (Rejection("avsigclip", low_sigma=2.0, high_sigma=2.5), {"lsigma": 2.0, "hsigma": 2.5})
METHODS = {"median": "median", "mean": "average"}


def named(rule):
    return "-".join([rule[0].kind, *(f"{key}{value}" for key, value in rule[1].items() if rule[1] != CAMERA)])


@pytest.fixture(scope="module", autouse=True)
def _iraf():
    need("iraf")


@pytest.fixture
def imcombine(tmp_path):
    """`imcombine(stack, combine="median", ...)`: what IRAF makes of the frames, float64."""

    def run(stack, **options):
        paths = [tmp_path / f"f{number:02d}.fits" for number in range(len(stack))]
        for path, frame in zip(paths, stack, strict=True):
            fits.writeto(path, frame, overwrite=True)
        output = tmp_path / "out.fits"
        output.unlink(missing_ok=True)
        programs.run(programs.imcombine(tmp_path, paths, output, **options))
        return fits.getdata(output).astype(float)

    return run


def frames(rng, n, level=1000.0):
    """Frames of a sloping sky with Poisson and read noise; 2 % of the pixels are hit by something."""
    sky = np.broadcast_to(level * np.linspace(0.7, 1.3, 250), (n, 60, 250))
    stack = rng.poisson(sky * GAIN) / GAIN + rng.normal(0, READ_NOISE_E / GAIN, sky.shape)
    hits = rng.random(sky.shape) < 0.02
    stack[hits] += rng.uniform(100, 5000, hits.sum())
    return stack.astype("f4")


def agreeing(ours, theirs, tolerance_adu=0.01):
    """Fraction of the pixels on which the two agree."""
    return np.mean(np.abs(ours - theirs) < tolerance_adu)


def save_factors(path: Path, factors) -> str:
    path.write_text("".join(f"{factor!r}\n" for factor in np.asarray(factors).tolist()))
    return f"@{path.name}"


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("rule", RULES, ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_every_pixel_is_imcombines(imcombine, rng, method, rule, n):
    stack = frames(rng, n)
    theirs = imcombine(stack, combine=METHODS[method], reject=rule[0].kind, **rule[1])
    assert agreeing(combine(stack, method, rule[0]).value, theirs) == 1


@pytest.mark.parametrize("rule", [*CLIPS, RULES[5], GENTLE, RULES[9]], ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_clipping_about_the_mean_too(imcombine, rng, method, rule):
    """imcombine takes sums down value by value in float32: on a few pixels its rounding decides."""
    stack = frames(rng, 9)
    theirs = imcombine(stack, combine=METHODS[method], reject=rule[0].kind, mclip=False, **rule[1])
    assert agreeing(combine(stack, method, rule[0]._replace(centre="mean")).value, theirs) > 0.999


@pytest.mark.parametrize("spread", [0.05, 0.4], ids=["alike", "different"])
@pytest.mark.parametrize("rule", RULES, ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_frames_of_other_scale_too(imcombine, rng, tmp_path, method, rule, spread):
    scales = np.r_[1.0, rng.uniform(1 - spread, 1 + spread, 8)]
    stack = frames(rng, 9) * scales[:, None, None].astype("f4")
    # a file of scales is multiplied with, ours divide
    factors = save_factors(tmp_path / "scales", 1 / scales)
    theirs = imcombine(stack, combine=METHODS[method], reject=rule[0].kind, scale=factors, **rule[1])
    assert agreeing(combine(stack, method, rule[0], scales=scales).value, theirs) > 0.999


@pytest.mark.parametrize("amplitude", [0.5, 400])
@pytest.mark.parametrize("rule", CLIPS, ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_frames_of_other_zero_level_too(imcombine, rng, tmp_path, method, rule, amplitude):
    zeros = np.r_[0.0, rng.normal(0, amplitude, 10)]
    stack = frames(rng, 11, level=0.0) + zeros[:, None, None].astype("f4")
    shifts = save_factors(tmp_path / "zeros", -zeros)
    theirs = imcombine(stack, combine=METHODS[method], reject=rule[0].kind, zero=shifts, **rule[1])
    assert agreeing(combine(stack, method, rule[0], zeros=zeros).value, theirs) > 0.999


@pytest.mark.parametrize("nkeep", [4, -3])
@pytest.mark.parametrize("rule", CLIPS, ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_only_pixels_down_to_nkeep_may_differ(imcombine, rng, method, rule, nkeep):
    """There imcombine leaves the median of the round before, and gives back one or two values at a time."""
    stack = frames(rng, 7)
    tight = rule[0]._replace(low_sigma=1.0, high_sigma=1.0)
    options = {**rule[1], "lsigma": 1.0, "hsigma": 1.0, "nkeep": nkeep}
    theirs = imcombine(stack, combine=METHODS[method], reject=rule[0].kind, **options)
    ours = combine(stack, method, tight._replace(nkeep=nkeep)).value
    differ = np.abs(ours - theirs) >= 0.01
    assert (combine(stack, method, tight).count[differ] <= 4).all()
    if method == "mean":
        assert differ.mean() < 0.02
