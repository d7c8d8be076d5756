"""A new master against the last good one, where what has changed is known."""

import numpy as np
import pytest
from astropy.io.fits import Header

from mar.errors import BadImage
from mar.frame import Frame
from mar.masks import Bit
from mar.steps.master_change import compare_masters
from mar.steps.master_rows import MasterRows


@pytest.fixture(scope="module")
def last(camera):
    pixels = np.random.default_rng(1).normal(0, 1, camera.shape).astype("f4")
    return Frame(pixels, Header(), np.zeros(camera.shape, "u1"), None, "masterbias20240229-20240229.fits")


@pytest.fixture
def new(camera, rng):
    return rng.normal(0, 1, camera.shape).astype("f4")


def compared(new, last, camera, mask=None, sigmas=6.0):
    return compare_masters(new, last.mask if mask is None else mask, MasterRows.of(last), camera, sigmas)


def test_a_master_like_the_last_one_gives_no_warning(new, last, camera):
    change = compared(new, last, camera)
    assert max(map(abs, change.medians.values())) < 0.05
    assert change.changed < 1e-6
    assert change.warnings(1.0, 0.001) == []


def test_a_level_that_moved_is_named_with_its_number(new, last, camera):
    new[camera.amplifiers[4].trimmed.slices] += 5
    change = compared(new, last, camera)
    assert change.medians["OUT5"] == pytest.approx(5, abs=0.05)
    # one median of an amplifier is no change of its pixels
    assert change.changed < 1e-6
    (warning,) = change.warnings(1.0, 0.001)
    assert warning.startswith(
        "levels differ from masterbias20240229-20240229.fits by more than 1.00 ADU: OUT5 +"
    )
    assert change.cards()["MAR LAST OUT5 DIFF"][0] == pytest.approx(5, abs=0.05)


def test_the_part_of_pixels_that_changed_is_measured(new, last, camera):
    new[200:300, 300:400] += 20
    change = compared(new, last, camera)
    assert change.changed == pytest.approx(10_000 / new.size, rel=0.01)
    (warning,) = change.warnings(1.0, 0.001)
    assert warning.startswith(f"{100 * change.changed:.3g} % of the pixels differ")
    assert change.warnings(1.0, 0.1) == []
    assert change.cards()["MAR LAST CHANGED"][0] == pytest.approx(change.changed, rel=1e-3)


def test_pixels_that_are_bad_in_either_mask_take_no_part(new, last, camera):
    new[200:210, 300:400] += 1000
    new[500:510, 300:400] = np.nan
    new[700:710, 300:400] += 1000
    mask, old = np.zeros((2, *camera.shape), "u1")
    mask[200:210, 300:400] = Bit.BAD
    old[700:710, 300:400] = Bit.BAD
    assert compared(new, last.replace(mask=old), camera, mask).changed < 1e-6


def test_the_summary_names_both_numbers(new, last, camera):
    new[camera.amplifiers[4].trimmed.slices] += 5
    said = compared(new, last, camera).summary()
    assert "ADU to +5.0" in said
    assert "% of the pixels changed by more than 6 sigma" in said


def test_flats_are_told_in_percent(new, last, camera):
    change = compare_masters(
        new / 1000 + 1.02, last.mask, MasterRows.of(last.replace(data=last.data / 1000 + 1)), camera, 6.0, ""
    )
    (warning,) = change.warnings(0.01, 0.001)
    assert "more than 1.00 %: OUT1 +2.0" in warning


def test_a_last_master_of_another_camera_is_refused(new, last, camera):
    with pytest.raises(BadImage, match=r"masterbias20240229-20240229\.fits is"):
        compared(new, last.replace(data=last.data[:20], mask=None), camera)
