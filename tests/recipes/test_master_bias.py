"""The master bias of simulated readouts whose levels, pattern and defects are known."""

import tracemalloc

import numpy as np
import pytest
from astropy.io.fits import Header

from mar.config.bias import Bias
from mar.config.scan import Scan
from mar.errors import BadImage, NotEnoughFrames
from mar.exposure import FrameType
from mar.frame import Frame
from mar.masks import Bit
from mar.recipes.master_bias import master_bias
from mar.recipes.stacking import StackFrame, band_height
from mar.simulate import Effects, simulate_raw
from mar.steps.master_rows import MasterRows
from mar.steps.rows import ArrayRows

EVERYTHING = Effects()


class CountedRows(ArrayRows):
    """Remembers the largest band that was asked for."""

    largest = 0

    def rows(self, y0, y1):
        CountedRows.largest = max(CountedRows.largest, y1 - y0)
        return super().rows(y0, y1)


class BrokenRows(ArrayRows):
    """A file that ends in the middle."""

    def rows(self, y0, y1):
        raise BadImage("bias9 is truncated")


def readout(camera, number, **effects):
    return simulate_raw(
        camera,
        kind=FrameType.BIAS,
        effects=effects.pop("effects", EVERYTHING),
        name=f"bias{number}",
        **effects,
    )


@pytest.fixture(scope="module")
def samples(camera):
    return [readout(camera, number) for number in range(9)]


@pytest.fixture(scope="module")
def frames(samples):
    return [StackFrame(sample.truth.name, ArrayRows(sample.raw.data)) for sample in samples]


@pytest.fixture(scope="module")
def master(frames, camera):
    return master_bias(frames, camera, Scan(), Bias())


def true_pattern(detector, amplifier):
    along_y, along_x = detector.structure(amplifier)
    return along_y @ along_x


def test_it_has_the_pattern_of_the_chip(master, samples, camera):
    for amplifier in camera.amplifiers:
        part = master.frame.data[amplifier.trimmed.slices]
        pattern = true_pattern(samples[0].detector, amplifier)
        good = master.frame.mask[amplifier.trimmed.slices] == 0
        assert (part - pattern)[good].std() < 2.5  # 3.6 ADU / sqrt(9) * 1.25 and what is left of the drift
        # the columns' levels, but for a hot column
        columns = [np.where(good, image, 0).sum(axis=0) / good.sum(axis=0) for image in (part, pattern)]
        columns = [levels[good.mean(axis=0) > 0.9] for levels in columns]
        assert np.corrcoef(*columns)[0, 1] > 0.97


def test_the_level_of_each_amplifier_is_that_of_the_pattern(camera):
    quiet = Effects.only("offsets", "drift", "read_noise")
    frames = [StackFrame(f"b{n}", ArrayRows(readout(camera, n, effects=quiet).raw.data)) for n in range(9)]
    per_row = Scan(fitfunction_x="rows", ovsc_npixels_x=1, use_prescan_x=True)
    made = master_bias(frames, camera, per_row, Bias(method="mean", rejection="none"))
    levels = [made.frame.data[a.trimmed.slices].mean() for a in camera.amplifiers]
    # 9 frames x 577 rows x 7 pixels of 3.6 ADU tell a level within 0.019 ADU rms; 0.05 on all sixteen
    assert np.abs(levels).max() < 0.075
    assert np.std(levels) < 0.05


def test_hot_pixels_and_columns_are_in_the_mask(master, samples, camera):
    detector = samples[0].detector
    true = np.zeros(camera.shape, bool)
    y, x, charge, _ = detector.hot
    true[y[charge > 30], x[charge > 30]] = True
    for column, rows, _, added in detector.bad_columns:
        if added:
            true[rows, column] = True
    found = master.frame.bits(Bit.BAD)
    assert (found & true).sum() > 0.99 * true.sum()
    assert (found & ~true).sum() < 20


def test_cards_name_the_frames_and_the_kind(master):
    header = master.frame.header
    assert header["MASTER_TYPE"] == "BIAS"
    assert header["NCOMBINE"] == 9
    assert header["COMB_1"] == "bias0"
    assert header["EXP_9"] == 0.0
    assert "MAR QC OUT16 NCNOISE" in header
    assert master.used[-1] == "bias8"


def test_few_frames_are_warned_of(master):
    assert master.warnings == ("only 9 usable bias frames; 30 or more are wanted",)


def test_a_frame_that_cannot_be_read_is_dropped_with_the_reason(frames, camera):
    broken = StackFrame("bias9", BrokenRows(np.zeros(camera.raw_shape, "u2")))
    small = StackFrame("bias10", ArrayRows(np.zeros((10, 10), "u2")))
    made = master_bias([*frames[:3], broken, small], camera, Scan(), Bias())
    assert made.used == ("bias0", "bias1", "bias2")
    assert [name for name, _ in made.dropped] == ["bias9", "bias10"]
    assert made.dropped[0].reason == "bias9 is truncated"


def test_too_few_usable_frames_say_why(frames, camera):
    small = StackFrame("bias10", ArrayRows(np.zeros((10, 10), "u2")))
    with pytest.raises(NotEnoughFrames, match="1 usable bias frames of 2, 3 are needed; bias10: bias10 is"):
        master_bias([frames[0], small], camera, Scan(), Bias())


def test_bands_change_nothing_and_stay_small(samples, camera, monkeypatch):
    counted = [StackFrame(s.truth.name, CountedRows(s.raw.data)) for s in samples[:3]]
    whole = master_bias(counted, camera, Scan(), Bias())
    monkeypatch.setattr(CountedRows, "largest", 0)
    banded = master_bias(counted, camera, Scan(), Bias(stack_mb=1))
    assert np.array_equal(banded.frame.data, whole.frame.data)
    assert CountedRows.largest <= 512


@pytest.mark.parametrize("n", [3, 11, 100])
def test_the_bands_in_memory_do_not_grow_with_the_number_of_frames(n):
    rows = band_height((n, 9232, 9216), Bias().stack_mb)
    assert 4 * n * rows * 9216 <= 8 * 2**20
    assert rows >= 1


def test_a_hundred_frames_take_no_more_memory_than_their_bands(samples, camera):
    frames = [StackFrame(f"b{n}", ArrayRows(samples[n % 9].raw.data)) for n in range(100)]
    tracemalloc.start()
    made = master_bias(frames, camera, Scan(), Bias())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.frame.header["NCOMBINE"] == 100
    # three images for the master, its mask and surfaces; the stack alone would be 100 images of float32
    assert peak < 60 * 2**20 < 4 * 100 * made.frame.data.size


def test_it_is_compared_with_the_last_good_one(frames, camera, master):
    moved = Frame(master.frame.data.copy(), Header(), master.frame.mask, label="masterbias_old.fits")
    moved.data[camera.amplifiers[4].trimmed.slices] -= 5
    moved.data[900:950, 300:500] += 100
    made = master_bias(frames[:3], camera, Scan(), Bias(), last=MasterRows.of(moved))
    level, pixels = (warning for warning in made.warnings if "masterbias_old.fits" in warning)
    assert level.startswith("levels differ from masterbias_old.fits by more than 1.00 ADU: OUT5 +")
    header = made.frame.header
    assert header["MAR LAST"] == "masterbias_old.fits"
    assert header["MAR LAST OUT5 DIFF"] == pytest.approx(5, abs=0.3)
    assert header["MAR LAST CHANGED"] == pytest.approx(10_000 / moved.data.size, rel=0.1)
    assert pixels.startswith(f"{100 * header['MAR LAST CHANGED']:.3g} % of the pixels")
    said = "".join(header["COMMENT"])
    assert level.replace(" ", "") in said.replace(" ", "")
    assert made.remarks[0].startswith("against masterbias_old.fits: median difference")


def test_the_like_of_the_last_one_is_no_warning(frames, camera, master):
    made = master_bias(frames[:8], camera, Scan(), Bias(warn_below=0), last=MasterRows.of(master.frame))
    assert made.warnings == ()
    assert made.frame.header["MAR LAST CHANGED"] < 0.001


def test_a_last_master_that_cannot_be_compared_is_a_warning(frames, camera, master):
    small = MasterRows.of(master.frame.replace(data=master.frame.data[:9], mask=None, label="old.fits"))
    made = master_bias(frames[:3], camera, Scan(), Bias(), last=small)
    assert made.warnings[-1].startswith("not compared with the last master old.fits: old.fits is (9, ")


def test_the_frames_are_left_as_they_are(samples, frames, camera):
    before = samples[0].raw.data.copy()
    master_bias(frames[:3], camera, Scan(), Bias())
    assert np.array_equal(samples[0].raw.data, before)
