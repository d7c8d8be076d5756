"""Overscan: every option against raw frames whose level is known."""

import itertools

import numpy as np
import pytest
from astropy.io.fits import Header
from numpy.testing import assert_allclose, assert_array_equal

from mar.camera import Section, load_camera
from mar.config.scan import Scan
from mar.errors import BadConfig, BadImage
from mar.frame import Frame
from mar.simulate import simulate_raw
from mar.steps.overscan import measure_overscan, subtract_overscan, summary, warnings_of
from mar.steps.rows import ArrayRows

SKY = 500.0


@pytest.fixture(scope="module")
def mini(camera):
    return camera


def raw_frame(camera, noise=0.0, slope=0.0, wave=0.0, column_slope=0.0, sky=SKY, seed=3):
    """1000 ADU and 10 more per amplifier, a drift along rows and columns, sky on the science sections."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: camera.raw_shape[0], : camera.raw_shape[1]].astype("f8")
    raw = slope * y + wave * np.sin(y / 60.0) + column_slope * x
    for index, amplifier in enumerate(camera.amplifiers):
        sections = [
            amplifier.science,
            amplifier.prescan_x,
            amplifier.overscan_x,
            amplifier.prescan_y,
            amplifier.overscan_y,
        ]
        for section in filter(None, sections):
            raw[section.slices] += 1000 + 10 * index
        raw[amplifier.science.slices] += sky
    raw += rng.normal(0, noise, raw.shape) if noise else 0
    return Frame(data=raw.astype("f4"), header=Header(), label="raw1")


FUNCTIONS = ["polynomial", "spline", "running", "rows", "none"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("strip", ["overscan", "prescan"])
def test_a_level_per_amplifier_is_removed(mini, function, strip):
    use = {"use_overscan_x": strip == "overscan", "use_prescan_x": strip == "prescan"}
    frame = subtract_overscan(raw_frame(mini, noise=3.6), mini, Scan(fitfunction_x=function, **use))
    assert frame.data.shape == mini.shape
    assert frame.data.dtype == np.float32
    for amplifier in mini.amplifiers:
        # 577 rows of 3 or 4 pixels tell the level within 3.6 / sqrt(577 * 3) = 0.09 ADU rms
        assert abs(frame.data[amplifier.trimmed.slices].mean() - SKY) < 0.4


@pytest.mark.parametrize("function", ["polynomial", "spline", "rows"])
def test_a_slope_along_rows_is_removed(mini, function):
    raw = raw_frame(mini, slope=0.02)
    frame = subtract_overscan(raw, mini, Scan(fitfunction_x=function))
    assert_allclose(frame.data, SKY, atol=0.1)


def test_per_row_model_follows_any_drift_within_a_twentieth_of_an_adu(mini):
    raw = raw_frame(mini, wave=5.0)
    per_row = subtract_overscan(raw, mini, Scan(fitfunction_x="rows", ovsc_npixels_x=1))
    for amplifier in mini.amplifiers:
        part = per_row.data[amplifier.trimmed.slices]
        assert abs(part.mean() - SKY) < 0.05
        assert np.ptp(part) < 0.05


def test_a_drift_that_a_line_cannot_follow_is_reported(mini):
    raw = raw_frame(mini, wave=5.0, noise=3.6)
    line = subtract_overscan(raw, mini, Scan()).header["MAR OVSC OUT1 DRIFT"]
    spline = subtract_overscan(raw, mini, Scan(fitfunction_x="spline")).header["MAR OVSC OUT1 DRIFT"]
    assert 2.5 < line < 4.5
    assert spline < 0.7


def test_overscan_rows_take_off_what_columns_cannot(mini):
    raw = raw_frame(mini, slope=0.01, column_slope=0.02)
    both = subtract_overscan(raw, mini, Scan(use_overscan_y=True))
    assert_allclose(both.data, SKY, atol=0.1)
    assert np.ptp(subtract_overscan(raw, mini, Scan()).data) > 2


def test_rows_first_gives_the_same_sky(mini):
    raw = raw_frame(mini, slope=0.01, column_slope=0.02)
    frame = subtract_overscan(raw, mini, Scan(use_overscan_y=True, direction="y"))
    assert_allclose(frame.data, SKY, atol=0.1)


def test_overscan_rows_alone_remove_the_level(mini):
    frame = subtract_overscan(
        raw_frame(mini, column_slope=0.02), mini, Scan(use_overscan_x=False, use_overscan_y=True)
    )
    assert_allclose(frame.data, SKY, atol=0.1)


@pytest.mark.parametrize("method", ["median", "mean", "linear"])
def test_a_bad_overscan_column_does_no_harm(mini, method):
    raw = raw_frame(mini, noise=1.0)
    strip = mini.amplifiers[2].overscan_x
    raw.data[strip.y0 : strip.y1, strip.x0 + 1] += 300
    good = subtract_overscan(raw, mini, Scan(overscan_interpolation_method_x=method))
    part = mini.amplifiers[2].trimmed.slices
    assert abs(good.data[part].mean() - SKY) < 0.2
    left = Scan(overscan_fix_bad_pixels_columns_x=False, overscan_correct_ind_pixels_x=False)
    assert abs(subtract_overscan(raw, mini, left).data[part].mean() - SKY) > 50


def test_three_pixel_strips_survive_a_bad_column(mini):
    raw = raw_frame(mini, noise=1.0)
    strip = mini.amplifiers[5].prescan_x
    raw.data[strip.y0 : strip.y1, strip.x0] -= 200
    frame = subtract_overscan(raw, mini, Scan(use_overscan_x=False, use_prescan_x=True))
    assert abs(frame.data[mini.amplifiers[5].trimmed.slices].mean() - SKY) < 0.2


def test_cosmic_rays_in_the_overscan_do_no_harm(mini):
    raw = raw_frame(mini, noise=2.0)
    strip = mini.amplifiers[0].overscan_x
    raw.data[strip.y0 + 100 : strip.y0 + 104, strip.x0 : strip.x0 + 2] = 60000
    frame = subtract_overscan(raw, mini, Scan())
    assert abs(frame.data[mini.amplifiers[0].trimmed.slices].mean() - SKY) < 0.25


@pytest.fixture(scope="module")
def tiny():
    """One amplifier of 40 columns with strips of three pixels on all four sides."""
    single = load_camera("single")
    output = single.outputs[0].model_copy(
        update={
            "science": Section(3, 43, 3, 63),
            "prescan_x": Section(0, 3, 3, 63),
            "overscan_x": Section(43, 46, 3, 63),
            "prescan_y": Section(3, 43, 0, 3),
            "overscan_y": Section(3, 43, 63, 66),
        }
    )
    return single.model_copy(update={"raw_columns": 46, "raw_rows": 66, "outputs": (output,)})


def test_every_combination_of_options_works_on_strips_of_three_pixels(tiny):
    reader = ArrayRows(raw_frame(tiny, noise=1.0).data)
    switches = itertools.product(["x", "y"], [True, False], [True, False], [1, 8])
    for function, (direction, columns, pixels, size) in itertools.product(FUNCTIONS, switches):
        config = Scan(
            use_prescan_x=True,
            use_overscan_y=True,
            use_prescan_y=True,
            fitfunction_x=function,
            fitfunction_y=function,
            direction=direction,
            overscan_fix_bad_pixels_columns_x=columns,
            overscan_fix_bad_pixels_columns_y=columns,
            overscan_correct_ind_pixels_x=pixels,
            overscan_correct_ind_pixels_y=pixels,
            ovsc_npixels_x=size,
            ovsc_npixels_y=size,
        )
        # the second direction leans on the first one's end, with one-pixel superpixels on 6 pixels
        assert measure_overscan(reader, tiny, config).levels[0].mean == pytest.approx(1000, abs=1.0)


@pytest.mark.parametrize("config", [Scan(cor=False), Scan(use_overscan=False), Scan(xcorrect=False)])
def test_turned_off_it_only_trims(mini, config):
    raw = raw_frame(mini)
    frame = subtract_overscan(raw, mini, config)
    assert frame.header["OVERSCAN"] == "trimmed only"
    for amplifier in mini.amplifiers:
        assert_array_equal(frame.data[amplifier.trimmed.slices], raw.data[amplifier.science.slices])


def test_the_other_strip_can_be_named(mini):
    raw = raw_frame(mini)
    swapped = subtract_overscan(raw, mini, Scan(ovsc_iden_x="PRSCX"))
    assert swapped.header["OVERSCAN"] == "PRSCX polynomial 1"


def test_bands_of_rows_equal_the_whole(mini):
    raw = raw_frame(mini, noise=3.0, slope=0.01)
    whole = subtract_overscan(raw, mini, Scan())
    reader = ArrayRows(raw.data)
    model = measure_overscan(reader, mini, Scan())
    parts = [model.rows(reader, y0, min(y0 + 100, mini.shape[0])) for y0 in range(0, mini.shape[0], 100)]
    assert_array_equal(np.concatenate(parts), whole.data)


def test_the_mask_is_trimmed_with_the_pixels(mini):
    raw = raw_frame(mini)
    mask = np.zeros(mini.raw_shape, dtype="u1")
    upper = mini.amplifiers[12]
    mask[upper.science.y0 + 5, upper.science.x0 + 7] = 2
    frame = subtract_overscan(raw.replace(mask=mask), mini, Scan())
    assert frame.mask[upper.trimmed.y0 + 5, upper.trimmed.x0 + 7] == 2
    assert frame.mask.sum() == 2


def test_integer_counts_below_the_overscan_become_negative(mini):
    raw = raw_frame(mini, sky=-20)
    counts = raw.replace(data=np.round(raw.data).astype("u2"))
    assert_allclose(subtract_overscan(counts, mini, Scan()).data, -20, atol=0.01)


def test_overscan_does_not_change_its_input(mini):
    raw = raw_frame(mini, noise=2.0)
    before, cards = raw.data.copy(), raw.header.copy()
    subtract_overscan(raw, mini, Scan())
    assert_array_equal(raw.data, before)
    assert raw.header == cards


def test_the_header_says_what_was_done_and_the_levels(mini):
    header = subtract_overscan(raw_frame(mini), mini, Scan()).header
    assert header["OVERSCAN"] == "OVSCX polynomial 1"
    assert header["MAR OVSC OUT3 LEVEL"] == pytest.approx(1020, abs=0.01)


def test_a_frame_of_another_size_is_refused(mini):
    small = Frame(data=np.zeros((10, 10), "u2"), header=Header(), label="small1")
    with pytest.raises(BadImage, match="small1 is \\(10, 10\\)"):
        subtract_overscan(small, mini, Scan())


def test_a_strip_that_the_camera_lacks_is_named(mini):
    with pytest.raises(BadConfig, match="OUT1 has no strip PRSCY"):
        subtract_overscan(raw_frame(mini), mini, Scan(use_prescan_y=True))


def test_a_camera_with_one_amplifier():
    single = load_camera("single")
    frame = subtract_overscan(raw_frame(single, slope=0.01), single, Scan())
    assert_allclose(frame.data, SKY, atol=0.1)


@pytest.fixture(scope="module")
def tall():
    """One amplifier with the overscan strip of the full camera, 27 columns of 4616 rows, and little else."""
    single = load_camera("single")
    output = single.outputs[0].model_copy(
        update={
            "science": Section(0, 16, 0, 4616),
            "overscan_x": Section(16, 43, 0, 4616),
            "prescan_x": Section(43, 70, 0, 4616),
        }
    )
    return single.model_copy(
        update={"raw_columns": 70, "raw_rows": 4616, "outputs": (output,), "read_noise_e": 5.0}
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_level_is_true_within_a_twentieth_of_an_adu_under_drift(tall, function):
    config = Scan(fitfunction_x=function)
    for seed in (1, 2, 3):
        sample = simulate_raw(tall, 500, seed, drift=True, shot_noise=False)
        (level,) = measure_overscan(ArrayRows(sample.raw.data), tall, config).levels
        # 4616 rows of 27 pixels of 3.6 ADU: 0.010 ADU rms
        assert level.mean == pytest.approx(sample.truth.bias_adu["A"], abs=0.05)


@pytest.mark.parametrize("function", ["polynomial", "spline", "running", "none"])
def test_rows_that_are_hit_from_side_to_side_do_no_harm(tall, function):
    sample = simulate_raw(tall, 500, 1, drift=True)
    raw = sample.raw.data.copy()
    raw[2000:2030, 16:43] += 3000  # charge that a saturated star leaves behind
    (level,) = measure_overscan(ArrayRows(raw), tall, Scan(fitfunction_x=function)).levels
    assert level.mean == pytest.approx(sample.truth.bias_adu["A"], abs=0.1)


def test_what_the_model_leaves_is_reported(tall):
    raw = simulate_raw(tall, 500, 2, drift=True).raw
    line, spline = (
        subtract_overscan(raw, tall, Scan(fitfunction_x=f)).header for f in ("polynomial", "spline")
    )
    # the noise of 5 e- at 1.4 e-/ADU, and rounding to whole numbers
    assert spline["MAR OVSC A RESID"] == pytest.approx(np.hypot(5 / 1.4, 12**-0.5), rel=0.02)
    assert line["MAR OVSC A DRIFT"] > 0.15 > 0.05 > spline["MAR OVSC A DRIFT"]
    assert "OVSCX polynomial 1; rms of its pixels 3." in summary(line, tall)
    assert warnings_of(line, tall, Scan()) == []
    (warning,) = warnings_of(line, tall, Scan(warn_drift=0.1))
    assert f"A {line['MAR OVSC A DRIFT']:.2f} ADU rms" in warning


def test_bad_columns_are_counted(mini):
    raw = raw_frame(mini, noise=1.0)
    strip = mini.amplifiers[2].overscan_x
    raw.data[strip.y0 : strip.y1, strip.x0 + 1] += 300
    header = subtract_overscan(raw, mini, Scan()).header
    assert header["MAR OVSC OUT3 BADCOL"] == 1
    assert "MAR OVSC OUT4 BADCOL" not in header


def changed_output(number, **changes):
    """The mini camera with another output OUT<number>."""
    camera = load_camera("t80cam-mini")
    outputs = [
        output.model_copy(update=changes) if output.id == f"OUT{number}" else output
        for output in camera.outputs
    ]
    return camera.model_copy(update={"outputs": tuple(outputs)})


def test_a_missing_strip_is_refused_by_default(mini):
    lacking = changed_output(3, overscan_x=None)
    with pytest.raises(BadConfig, match=r"OUT3 has no strip OVSCX; .* MISSING_STRIP"):
        subtract_overscan(raw_frame(mini), lacking, Scan())


def test_the_strip_that_is_there_is_used_where_the_other_is_missing(mini):
    lacking = changed_output(3, overscan_x=None)
    frame = subtract_overscan(raw_frame(mini, noise=1.0), lacking, Scan(missing_strip="useone"))
    assert abs(frame.data[lacking.amplifiers[2].trimmed.slices].mean() - SKY) < 0.15
    assert frame.header["OVERSCAN"] == "OVSCX+PRSCX polynomial 1"
    assert frame.header["MAR OVSC OUT3 MISSING"] == "OVSCX"
    assert "MAR OVSC OUT2 MISSING" not in frame.header


def test_one_strip_at_least_must_be_there(mini):
    lacking, config = changed_output(3, overscan_y=None), Scan(use_overscan_y=True, missing_strip="useone")
    with pytest.raises(BadConfig, match=r"OUT3 has no strip OVSCY; .* allownotuse"):
        subtract_overscan(raw_frame(mini), lacking, config)


def test_without_the_strip_it_goes_on_where_that_is_allowed_and_says_so(mini):
    lacking, config = changed_output(3, overscan_x=None), Scan(missing_strip="allownotuse")
    raw = raw_frame(mini)
    frame = subtract_overscan(raw, lacking, config)
    amplifier = lacking.amplifiers[2]
    assert_array_equal(frame.data[amplifier.trimmed.slices], raw.data[amplifier.science.slices])
    assert frame.header["MAR OVSC OUT3 MISSING"] == "OVSCX"
    assert warnings_of(frame.header, lacking, config) == ["overscan: OUT3 has no OVSCX"]


def test_amplifiers_are_brought_to_one_gain_where_that_is_asked_for(mini):
    uneven = changed_output(5, gain=2 * mini.gain)
    raw = raw_frame(mini)
    frame = subtract_overscan(raw, uneven, Scan(amplifier_gain=True))
    assert_allclose(frame.data[uneven.amplifiers[4].trimmed.slices], 2 * SKY, atol=0.1)
    assert_allclose(frame.data[uneven.amplifiers[3].trimmed.slices], SKY, atol=0.1)
    assert frame.header["OVERSCAN"] == "OVSCX polynomial 1, even gain"
    assert frame.header["MAR OVSC OUT5 GAIN"] == 2
    assert_allclose(subtract_overscan(raw, uneven, Scan()).data, SKY, atol=0.1)


def test_a_simulated_drift_is_reported_by_the_line_that_leaves_it(camera):
    quiet = simulate_raw(camera, 500, 1)
    drifting = simulate_raw(camera, 500, 1, drift=True)
    drifts = [
        np.mean(
            [level.left.drift for level in measure_overscan(ArrayRows(s.raw.data), camera, Scan()).levels]
        )
        for s in (quiet, drifting)
    ]
    assert drifts[0] < 0.15
    assert drifts[1] > 0.25
