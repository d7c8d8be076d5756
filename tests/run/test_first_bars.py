"""A reduced night against the truth of its sky: what the survey may expect of every field."""

import numpy as np
import pytest

from benchmarks import truth as judge
from mar.masks import Bit
from mar.simulate import Truth


@pytest.fixture
def sky(night) -> Truth:
    return Truth(night.raw.parent)


def test_no_frame_fails(frames_made):
    for one in frames_made.values():
        assert (one.status, one.error) == (5, "")


@pytest.mark.parametrize(
    ("bit", "recall", "purity"), [(Bit.COSMIC, 0.9, 0.5), (Bit.TRAIL, 0.85, 0.6), (Bit.SATURATED, 0.95, 0.5)]
)
def test_masks_hold_what_is_true(masters_made, frames_made, sky, bit, recall, purity):
    score = judge.mask_score(masters_made.layout.root, sky, frames_made, bit)
    assert score.recall > recall
    assert score.purity > purity


def test_positions_of_the_tile_are_true_within_55_mas(tile_made, sky):
    matched = judge.match_tile(tile_made.catalog, sky, "SPLUS-s25s10", "R")
    found = judge.positions(matched)
    assert found.stars > 100
    assert max(found.rms) < 55
    assert max(np.abs(found.offset)) < 30


def test_magnitudes_scatter_less_than_30_mmag(tile_made, sky):
    matched = judge.match_tile(tile_made.catalog, sky, "SPLUS-s25s10", "R")
    found = judge.magnitudes(matched, "R", tile_made.zeropoint)
    assert found.stars > 50
    assert found.scatter_mag < 0.030


def test_the_noise_of_the_tile_is_within_a_tenth_of_ideal(tile_made, frames_made, sky, camera):
    ideal = judge.ideal_noise(sky, camera, frames_made, tile_made.zeropoint)
    assert judge.tile_noise(tile_made.tile, tile_made.weight) == pytest.approx(ideal, rel=0.10)
