"""The fringe frame of fields of stars with a known pattern on their sky."""

import numpy as np
import pytest

from mar.config.fringe import Fringe
from mar.config.fringeframe import FringeFrame
from mar.errors import NotEnoughFrames
from mar.frame import Frame
from mar.masks import Bit
from mar.recipes.pointings import pointings
from mar.recipes.stacking import StackFrame
from mar.recipes.superflat import superflat
from mar.simulate import Effects, simulate_sky_frame
from mar.simulate.fringes import fringe_pattern
from mar.steps.fringe import fringe_amplitude, subtract_fringe
from mar.steps.rows import ArrayRows

SHAPE = (400, 400)
SMOOTH = Fringe(smoothsize=7)


@pytest.fixture(scope="module")
def pattern():
    """Fringes that no polynomial of second degree takes for sky."""
    pattern = fringe_pattern(SHAPE, seed=3)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] / 200 - 1
    sky = np.stack([np.ones(SHAPE), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    fitted = sky @ np.linalg.lstsq(sky, pattern.ravel(), rcond=None)[0]
    return (pattern - fitted.reshape(SHAPE)).astype("f4")


@pytest.fixture(scope="module")
def skies(pattern):
    """Different fields in Z; the fringes are 5 % of the sky, which differs from frame to frame."""
    plain = Effects().without("fringes")
    frames = []
    for number in range(9):
        sky = simulate_sky_frame(
            SHAPE, seed=20 + number, band="Z", density=3.0, effects=plain, exptime_s=56.0 * (1 + number % 3)
        )
        data = sky.data + np.float32(0.05 * sky.sky_adu) * pattern
        frames.append(Frame(data, sky.header, sky.mask, label=f"proc{number}.fits"))
    return frames


def stack(frames):
    return [
        StackFrame(
            f.label.removesuffix(".fits"), ArrayRows(f.data), 56.0, ArrayRows(f.mask), (10.0 + n, -30.0)
        )
        for n, f in enumerate(frames)
    ]


@pytest.fixture(scope="module")
def made(skies):
    return superflat(stack(skies[:8]), "Z", SMOOTH, FringeFrame())


def test_it_is_the_pattern_with_mean_zero_and_rms_one(made, pattern):
    assert np.corrcoef(made.frame.data.ravel(), pattern.ravel())[0, 1] > 0.94
    assert made.frame.data.mean() == pytest.approx(0, abs=0.05)
    assert made.frame.data.std() == pytest.approx(1, abs=0.05)


def test_it_takes_the_fringes_off_another_frame(made, skies, pattern):
    left = subtract_fringe(skies[8], made.frame, SMOOTH)
    truth = Frame(pattern, skies[8].header)
    before = fringe_amplitude(skies[8], truth, SMOOTH).value
    assert abs(fringe_amplitude(left, truth, SMOOTH).value) < 0.05 * before


def test_cards_say_what_it_is(made):
    header = made.frame.header
    assert (header["MASTER_TYPE"], header["BAND"], header["NCOMBINE"]) == ("FRINGE", "Z", 8)
    assert header["COMB_1"] == "proc0"
    assert 0 < header["MAR FRINGE NOISE"] < 0.3
    assert made.warnings == ("only 8 usable processed frames of Z; 10 or more are wanted",)


def test_little_of_its_noise_is_left(made, pattern):
    unit = pattern / pattern.std()
    assert (made.frame.data - unit).std() < 0.3
    assert 0.05 < made.frame.header["MAR FRINGE NOISE"] < (made.frame.data - unit).std()


def test_frames_of_one_pointing_are_no_different_pointings(skies):
    """Three frames 5 arcsec apart show their stars at the same pixels."""
    frames = stack(skies[:5])
    same = [f._replace(pointing=(10.0, -30.0 + n * 5 / 3600)) for n, f in enumerate(frames[:2])]
    with pytest.raises(NotEnoughFrames, match="2 processed frames of Z show 1 different pointings"):
        superflat(same, "Z", SMOOTH, FringeFrame(min_frames=2))
    of_one = [f._replace(pointing=(20.0, -30.0)) if n > 1 else f for n, f in enumerate(frames)]
    made = superflat(of_one, "Z", SMOOTH, FringeFrame(warn_below=4))
    assert made.warnings == (
        "only 3 usable pointings in 5 processed frames of Z; 4 or more are wanted",
        "3 of 5 processed frames of Z show the same pointing: its stars may be left",
    )


def test_frames_that_do_not_tell_where_they_point_are_told(skies):
    frames = [f._replace(pointing=None) for f in stack(skies[:3])]
    made = superflat(frames, "Z", SMOOTH, FringeFrame(warn_below=0))
    assert made.warnings == ("3 of 3 processed frames of Z do not tell where they point",)


def test_pointings_are_counted_across_the_pole_and_the_zero_of_right_ascension():
    def at(*places):
        return [StackFrame("x", ArrayRows(np.zeros((1, 1))), pointing=place) for place in places]

    assert pointings(at((0.0005, 0.0), (359.9995, 0.0), (0.1, 0.0)), 10.0) == [2, 1]
    assert pointings(at((0.0, 89.9995), (180.0, 89.9995), (0.0, 80.0), None), 10.0) == [2, 1, 1]


def test_a_sky_without_fringes_gives_a_pattern_that_is_never_used(skies, pattern):
    plain = [f.replace(data=f.data - np.float32(0.05 * np.median(f.data)) * pattern) for f in skies[:6]]
    made = superflat(stack(plain), "Z", SMOOTH, FringeFrame())
    left = subtract_fringe(plain[5].replace(label="other.fits"), made.frame, SMOOTH)
    assert np.array_equal(left.data, plain[5].data)


def test_where_no_frame_has_sky_there_is_a_hole(skies):
    frames = []
    for frame in skies[:3]:
        mask = frame.mask.copy()
        mask[50:60, 50:60] = Bit.BAD
        frames.append(frame.replace(mask=mask))
    made = superflat(stack(frames), "Z", SMOOTH, FringeFrame())
    assert (made.frame.mask[50:60, 50:60] == Bit.HOLE).all()
    assert np.isfinite(made.frame.data).all()


def test_frames_without_sky_are_dropped_with_the_reason(skies):
    dark = skies[0].replace(data=np.zeros(SHAPE, "f4"), label="dark.fits")
    blank = skies[0].replace(data=np.full(SHAPE, np.nan, "f4"), label="blank.fits")
    made = superflat(stack([*skies[:3], dark, blank]), "Z", SMOOTH, FringeFrame())
    reasons = dict(made.dropped)
    assert reasons["dark"] == "sky of 0 ADU, less than 50"
    assert reasons["blank"] == "only 0 of 256 boxes show sky"


def test_too_few_frames_are_an_error(skies):
    with pytest.raises(NotEnoughFrames, match="2 usable processed frames of Z of 2, 3 are needed"):
        superflat(stack(skies[:2]), "Z", SMOOTH, FringeFrame())


def test_bands_change_nothing(skies):
    whole = superflat(stack(skies[:4]), "Z", SMOOTH, FringeFrame())
    banded = superflat(stack(skies[:4]), "Z", SMOOTH, FringeFrame(stack_mb=1))
    assert np.allclose(banded.frame.data, whole.frame.data, atol=1e-5)
