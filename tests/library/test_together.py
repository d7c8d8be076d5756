"""Frames of a field solved together agree with each other better than each alone, and with the truth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import star_fields

from mar.camera import load_camera
from mar.config.astrometry import Astrometry
from mar.config.reduction import Reduction
from mar.config.scamp import Scamp
from mar.errors import NotSolved
from mar.steps import astrometry
from mar.steps.rough import rough_from_pointing
from mar.steps.together import Member, solve_together

SETTINGS = SimpleNamespace(scamp=Scamp(), reduction=Reduction(), astrometry=Astrometry())


def dithered(seed, bands=3, each=3, stars=250, noise_px=0.05, reference_mas=10.0):
    """Frames of one sky with their own shift, angle and scale; of one band, one distortion."""
    rng = np.random.default_rng(seed)
    first = star_fields.make(seed=seed, stars=stars, spurious=0.0, noise_px=noise_px)
    camera = load_camera("t80cam-mini")
    ny, nx = first.shape
    sky_x, sky_y = rng.uniform(-150, nx + 150, 2 * stars), rng.uniform(-150, ny + 150, 2 * stars)
    ra, dec = first.truth.sky(sky_x, sky_y)
    frames = []
    for band in range(bands):
        cubic = 5e-4 * (1 + 0.3 * band)
        for _ in range(each):
            shift = rng.uniform(-40, 40, 2) / 3600
            truth = star_fields.Truth(
                first.truth.ra + shift[0],
                first.truth.dec + shift[1],
                rng.uniform(0.4, 0.6),
                1 + rng.normal(0, 1e-5),
                (1, 1),
                cubic,
                first.shape,
            )
            x, y = pixels_of(truth, ra, dec)
            seen = (x > 12) & (x < nx - 11) & (y > 12) & (y < ny - 11)
            noise = noise_px * rng.uniform(0.5, 1.5, seen.sum())
            frames.append(
                SimpleNamespace(
                    truth=truth,
                    band=f"{band}",
                    x=x[seen] + rng.normal(0, noise),
                    y=y[seen] + rng.normal(0, noise),
                    error=noise * 550,
                    which=np.flatnonzero(seen),
                )
            )
    known = rng.uniform(size=len(ra)) < 0.5
    noise = rng.normal(0, reference_mas / 3.6e6, (2, known.sum()))
    magnitude = rng.uniform(12, 17, known.sum())
    reference = astrometry.Stars(
        ra[known] + noise[0] / np.cos(np.radians(dec[known])),
        dec[known] + noise[1],
        magnitude,
        error_mas=reference_mas,
    )
    members = [
        Member(
            own_solution(one, reference, camera, first.shape), first.shape, one.x, one.y, one.error, one.band
        )
        for one in frames
    ]
    return frames, members, reference


def pixels_of(truth, ra, dec):
    """Pixels of sky positions, by Newton's method on the truth's own formula."""
    x = np.full(len(ra), truth.shape[1] / 2)
    y = np.full(len(ra), truth.shape[0] / 2)
    for _ in range(8):
        here = np.stack(truth.sky(x, y))
        right, up = np.stack(truth.sky(x + 1, y)) - here, np.stack(truth.sky(x, y + 1)) - here
        miss = np.stack([ra, dec]) - here
        det = right[0] * up[1] - up[0] * right[1]
        x = x + (miss[0] * up[1] - miss[1] * up[0]) / det
        y = y + (right[0] * miss[1] - right[1] * miss[0]) / det
    return x, y


def own_solution(one, reference, camera, shape):
    table = star_fields.make(stars=20, spurious=0.0).sources[:1]
    table = table[np.zeros(len(one.x), int)]
    for axis, values in (("X", one.x), ("Y", one.y)):
        table[f"{axis}WIN_IMAGE"] = table[f"{axis}_IMAGE"] = values
    table["ERRAWIN_IMAGE"] = table["ERRBWIN_IMAGE"] = one.error / 550
    table["FLUX_AUTO"] = np.random.default_rng(1).uniform(1, 2, len(one.x))
    rough = rough_from_pointing(one.truth.ra, one.truth.dec, camera, shape)
    settings = SimpleNamespace(scamp=Scamp(MATCH=False), reduction=Reduction(), astrometry=Astrometry())
    return astrometry.solve(table, reference, rough, shape, settings).wcs


def grid_errors(solutions, frames):
    """(frames, 2, points): east and north errors over each frame, mas."""
    found = []
    for wcs, one in zip(solutions, frames, strict=True):
        x, y = np.meshgrid(np.linspace(15, 1137, 10), np.linspace(15, 1139, 10))
        ra, dec = wcs.sky(x.ravel(), y.ravel())
        true_ra, true_dec = one.truth.sky(x.ravel(), y.ravel())
        found.append(3.6e6 * np.stack([(ra - true_ra) * np.cos(np.radians(true_dec)), dec - true_dec]))
    return np.array(found)


def disagreement(errors):
    """Rms of the frames about their mean, mas: what bands show against each other."""
    return np.sqrt(((errors - errors.mean(axis=0)) ** 2).mean())


@pytest.mark.parametrize("seed", [1, 2])
def test_frames_agree_better_than_each_alone(seed):
    frames, members, reference = dithered(seed)
    alone = grid_errors([one.wcs for one in members], frames)
    joint = solve_together(members, reference, 3)
    together = grid_errors(joint.wcs, frames)
    assert disagreement(together) < 0.6 * disagreement(alone)
    assert np.sqrt((together**2).mean()) < np.sqrt((alone**2).mean())
    assert np.abs(together).max() < 25
    assert joint.stars > 200


def test_the_figures_are_those_of_the_noise():
    frames, members, reference = dithered(4)
    joint = solve_together(members, reference, 3)
    noise = np.sqrt(np.mean(np.concatenate([one.error for one in frames]) ** 2))
    assert joint.internal_mas[0] == pytest.approx(noise, rel=0.15)
    # a mean of nine frames and the catalogue is drawn to the catalogue by half
    assert 4 < joint.reference_mas[0] < 12


def test_without_noise_the_truth_is_met():
    frames, members, reference = dithered(5, bands=2, each=2, noise_px=1e-4, reference_mas=1e-3)
    joint = solve_together(members, reference, 3)
    assert np.abs(grid_errors(joint.wcs, frames)).max() < 0.5


def without(member, row):
    kept = np.arange(len(member.x)) != row
    return replace(member, x=member.x[kept], y=member.y[kept], error_mas=member.error_mas[kept])


def test_a_wild_star_takes_no_part():
    frames, members, reference = dithered(6, bands=1, each=3)
    clean = solve_together([without(members[0], 5), *members[1:]], reference, 3)
    members[0].x[5] += 1.5
    spoiled = solve_together(members, reference, 3)
    difference = grid_errors(spoiled.wcs, frames) - grid_errors(clean.wcs, frames)
    assert np.abs(difference).max() < 0.2


def test_a_frame_elsewhere_is_told():
    _, members, reference = dithered(7, bands=1, each=2)
    _, others, _ = dithered(8, bands=1, each=1)
    with pytest.raises(NotSolved, match="frame 3 shares only"):
        solve_together([*members, *others], reference, 3)
