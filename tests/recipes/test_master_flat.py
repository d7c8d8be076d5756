"""The master flat of simulated twilights whose response is known."""

import numpy as np
import pytest

from mar.config.bias import Bias
from mar.config.flat import Flat
from mar.config.scan import Scan
from mar.errors import NotEnoughFrames
from mar.exposure import FrameType
from mar.masks import Bit
from mar.recipes.master_bias import master_bias
from mar.recipes.master_flat import master_flat
from mar.recipes.stacking import StackFrame
from mar.simulate import Effects, simulate_raw
from mar.steps.master_rows import MasterRows
from mar.steps.rows import ArrayRows

EVERYTHING = Effects()


def twilight(camera, number, level):
    sample = simulate_raw(
        camera,
        level,
        kind=FrameType.FLAT,
        effects=EVERYTHING,
        band="R",
        name=f"skyflat{number}",
        exptime_s=5.0,
    )
    return sample, StackFrame(sample.truth.name, ArrayRows(sample.raw.data), 5.0)


@pytest.fixture(scope="module")
def bias(camera):
    frames = []
    for number in range(7):
        sample = simulate_raw(camera, kind=FrameType.BIAS, effects=EVERYTHING, name=f"bias{number}")
        frames.append(StackFrame(sample.truth.name, ArrayRows(sample.raw.data)))
    return master_bias(frames, camera, Scan(), Bias()).frame


@pytest.fixture(scope="module")
def flats(camera):
    return [
        twilight(camera, number, level) for number, level in enumerate([16000, 20000, 24000, 28000, 31000])
    ]


@pytest.fixture(scope="module")
def master(flats, bias, camera):
    return master_flat(
        [frame for _, frame in flats],
        "R",
        ArrayRows(bias.data),
        camera,
        Scan(),
        Flat(),
        bias_mask=bias.mask,
        bias_name="masterbias.fits 7",
    )


def test_it_is_the_response_of_the_chip(master, flats, camera):
    response = flats[0][0].detector.response(camera.band("R"))
    good = master.frame.mask == 0
    ratio = (master.frame.data / response)[good]
    # 5 frames of 24,000 ADU: photon noise 1.25 * 0.0066 / sqrt(5) = 0.0037
    assert np.median(ratio) == pytest.approx(1, abs=0.002)
    assert ratio.std() < 0.0045
    for amplifier in camera.amplifiers:
        area = amplifier.trimmed.slices
        assert np.median((master.frame.data / response)[area]) == pytest.approx(1, abs=0.001)


def test_its_median_is_one(master):
    assert np.median(master.frame.data) == pytest.approx(1, abs=0.001)


def test_cold_pixels_columns_and_the_hot_ones_of_the_bias_are_in_the_mask(master, flats, bias):
    defects = flats[0][0].detector.defects() != 0
    response = flats[0][0].detector.response()
    dark = defects & (response < 0.9 * np.median(response))
    found = master.frame.bits(Bit.BAD)
    assert (found & dark).sum() > 0.99 * dark.sum()
    assert found[bias.mask != 0].all()
    assert (found & ~defects).sum() < 0.001 * found.size


def test_cards_name_frames_band_and_bias(master):
    header = master.frame.header
    assert (header["MASTER_TYPE"], header["BAND"], header["NCOMBINE"]) == ("FLAT", "R", 5)
    assert header["MAR BIAS"] == "masterbias.fits 7"
    assert header["EXP_1"] == 5.0
    assert master.warnings == ("only 5 usable flats of R; 10 or more are wanted",)


def test_faint_and_bright_flats_are_dropped_with_their_level(flats, bias, camera):
    faint, bright = twilight(camera, 8, 300)[1], twilight(camera, 9, 55000)[1]
    frames = [frame for _, frame in flats[:3]]
    made = master_flat([faint, *frames, bright], "R", ArrayRows(bias.data), camera, Scan(), Flat())
    reasons = dict(made.dropped)
    assert reasons["skyflat8"].startswith("too faint: ")
    assert reasons["skyflat9"].startswith("too bright: ")
    assert made.used == ("skyflat0", "skyflat1", "skyflat2")


def test_flats_of_another_level_than_the_rest_are_dropped(flats, bias, camera):
    faint = twilight(camera, 11, 1500)[1]
    frames = [*[frame for _, frame in flats[:3]], faint]
    made = master_flat(frames, "R", ArrayRows(bias.data), camera, Scan(), Flat())
    assert dict(made.dropped)["skyflat11"].startswith("too faint: 14")
    taken = master_flat(frames, "R", ArrayRows(bias.data), camera, Scan(), Flat(level_ratio=20))
    assert taken.dropped == ()


def test_it_is_compared_with_the_last_good_one(flats, bias, camera, master):
    old = master.frame.replace(data=master.frame.data.copy(), label="masterflat_old.fits")
    old.data[camera.amplifiers[1].trimmed.slices] *= 1.03
    frames = [frame for _, frame in flats]
    made = master_flat(
        frames, "R", ArrayRows(bias.data), camera, Scan(), Flat(warn_below=0), last=MasterRows.of(old)
    )
    (warning,) = made.warnings
    assert warning.startswith("levels differ from masterflat_old.fits by more than 1.00 %: OUT2 -")
    assert made.frame.header["MAR LAST OUT2 DIFF"] == pytest.approx(-0.03, abs=0.003)


def test_defects_are_in_one_mask_or_the_other(master, flats):
    detector = flats[0][0].detector
    found, real = master.frame.bits(Bit.BAD), detector.defects() != 0
    assert (found & real).sum() >= 0.99 * real.sum()


def test_saturated_flats_are_dropped(flats, bias, camera):
    frames = [frame for _, frame in flats[:3]]
    full = twilight(camera, 10, 66000)[1]
    made = master_flat([*frames, full], "R", ArrayRows(bias.data), camera, Scan(), Flat(highest_level=70000))
    assert dict(made.dropped)["skyflat10"].startswith("saturated: ")


def test_none_usable_is_an_error_with_the_reasons(bias, camera):
    faint = [twilight(camera, number, 300)[1] for number in (8, 9)]
    with pytest.raises(NotEnoughFrames, match="0 usable flats of R of 2, 3 are needed; skyflat8: too faint"):
        master_flat(faint, "R", ArrayRows(bias.data), camera, Scan(), Flat())


def test_a_cosmic_ray_in_one_flat_leaves_no_trace(flats, bias, camera):
    hit = flats[0][0].raw.data.copy()
    science = camera.amplifiers[0].science
    hit[science.y0 + 100, science.x0 + 70] = 65000
    frames = [StackFrame("hit", ArrayRows(hit)), *[frame for _, frame in flats[1:]]]
    made = master_flat(frames, "R", ArrayRows(bias.data), camera, Scan(), Flat(method="mean"))
    assert made.frame.data[100, 70] < 1.05


def test_unscaled_flats_keep_their_noise_model(flats, bias, camera):
    frames = [frame for _, frame in flats]
    made = master_flat(frames, "R", ArrayRows(bias.data), camera, Scan(), Flat(scale="none"))
    assert np.median(made.frame.data) == pytest.approx(1, abs=0.01)
