"""The pattern match finds the right stars, or says that it found none."""

import numpy as np
import pytest

from mar.errors import NotSolved
from mar.steps.matching import Limits, match, pairs_within
from mar.steps.star_choice import evenly

LIMITS = Limits(
    offset_arcsec=300,
    scale=1.2,
    angle_rad=np.radians(5),
    flips=False,
    radius_arcsec=10,
    least_stars=8,
    log10_chance=-8,
)


def pattern(seed, stars=80, spurious=30, angle=3.0, scale=1.02, shift=(90.0, -60.0), mirror=(1, 1)):
    """Sources 600 arcsec wide, stars 1200 wide, brightest first, and which star each source is."""
    rng = np.random.default_rng(seed)
    n = 4 * stars
    sky = rng.uniform(-600, 600, (n, 2))
    inside = np.flatnonzero(np.all(np.abs(sky - shift) < 300, axis=1))
    cos, sin = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    seen = (sky[inside] - shift) @ np.linalg.inv(turn).T * mirror + rng.normal(0, 0.03, (len(inside), 2))
    ranked = np.argsort(inside + rng.normal(0, n / 20, len(inside)))
    sources = np.concatenate([seen[ranked], rng.uniform(-300, 300, (spurious, 2))])
    which = np.concatenate([inside[ranked], np.full(spurious, -1)])
    order = np.argsort(np.argsort(rng.uniform(size=len(sources))) // 20, kind="stable")
    return sources[order], sky, which[order]


@pytest.mark.parametrize("seed", range(5))
def test_each_pair_is_the_true_one(seed):
    sources, stars, which = pattern(seed)
    found = match(sources, stars, LIMITS)
    assert np.mean(which[found.sources] == found.stars) > 0.97
    assert len(found.sources) > 0.9 * np.count_nonzero(which >= 0)


@pytest.mark.parametrize("mirror", [(-1, 1), (1, -1), (-1, -1)])
def test_mirrored_images_match_where_allowed(mirror):
    sources, stars, which = pattern(3, mirror=mirror)
    found = match(sources, stars, Limits(**{**LIMITS.__dict__, "flips": True}))
    assert np.mean(which[found.sources] == found.stars) > 0.97
    moved = found.apply(sources)[found.sources]
    assert np.median(np.linalg.norm(moved - stars[found.stars], axis=1)) < 0.2
    with pytest.raises(NotSolved):
        match(sources, stars, LIMITS)


@pytest.mark.parametrize("seed", range(3))
def test_another_part_of_the_sky_does_not_match(seed):
    sources, *_ = pattern(seed)
    _, stars, _ = pattern(seed + 100)
    with pytest.raises(NotSolved, match="beyond chance"):
        match(sources, stars, Limits(**{**LIMITS.__dict__, "flips": True}))


def test_beyond_the_limits_there_is_no_match():
    sources, stars, _ = pattern(1, angle=12.0)
    with pytest.raises(NotSolved):
        match(sources, stars, LIMITS)


def test_too_few_stars_are_named():
    sources, stars, _ = pattern(1)
    with pytest.raises(NotSolved, match="5 usable sources"):
        match(sources[:5], stars, LIMITS)


def test_pairs_are_each_others_nearest():
    stars = np.array([[0.0, 0], [10, 0]])
    moved = np.array([[0.4, 0], [0.1, 0], [9, 0], [30, 0]])
    source, star = pairs_within(moved, stars, 2.0)
    assert sorted(zip(source, star, strict=True)) == [(1, 0), (2, 1)]


def test_stars_are_drawn_evenly():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(1, 20, 500), rng.uniform(1, 100, 100)])
    y = np.concatenate([rng.uniform(1, 20, 500), rng.uniform(1, 100, 100)])
    chosen = evenly(x, y, (100, 100), 5, 3)
    assert np.all(np.diff(chosen) > 0)
    cells = (
        np.clip((x[chosen] - 0.5) / 20, 0, 4).astype(int),
        np.clip((y[chosen] - 0.5) / 20, 0, 4).astype(int),
    )
    assert np.bincount(cells[0] * 5 + cells[1]).max() == 3
    assert chosen[0] == 0
