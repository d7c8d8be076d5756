"""Zero points, depths and aperture corrections of sources whose magnitudes we know."""

import numpy as np
import pytest
from astropy.table import Table

from mar.config.photometry import Photometry
from mar.refcat.stars import Stars
from mar.steps import photometry

TRUE_ZERO, EXPTIME = 23.45, 40.0


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def sky(rng, n=300, noise=0.02):
    ra, dec = rng.uniform(10, 11, n), rng.uniform(-31, -30, n)
    magnitude = rng.uniform(13, 18, n)
    flux = EXPTIME * 10 ** (-0.4 * (magnitude + rng.normal(0, noise, n) - TRUE_ZERO))
    stars = Stars(ra, dec, magnitude + 0.7, {"R": magnitude}, pack="gaia")
    sources = Table({"ALPHAWIN_J2000": ra, "DELTAWIN_J2000": dec + 0.1 / 3600, "FLUX_AUTO": flux})
    sources["SNR_WIN"], sources["FLAGS"] = 100.0, np.zeros(n, "i2")
    return sources, stars


def measure(sources, stars, band="R", exptime_s=EXPTIME):
    return photometry.zero_point(sources, stars, band, exptime_s, 20.0, Photometry())


def test_the_zero_point_is_the_true_one(rng):
    zero = measure(*sky(rng))
    assert zero.value == pytest.approx(TRUE_ZERO, abs=0.005)
    assert zero.stars > 280
    assert zero.scatter == pytest.approx(0.02, rel=0.2)
    assert abs(zero.value - TRUE_ZERO) < 4 * zero.error
    assert zero.origin == "gaia R"


def test_variables_and_wrong_matches_do_not_move_it(rng):
    sources, stars = sky(rng)
    sources["FLUX_AUTO"][:60] *= 3
    assert measure(sources, stars).value == pytest.approx(TRUE_ZERO, abs=0.01)


def test_flagged_and_faint_sources_take_no_part(rng):
    sources, stars = sky(rng)
    sources["FLAGS"][:200] = 4
    sources["SNR_WIN"][200:250] = 5
    sources["FLUX_AUTO"][:250] *= 2
    zero = measure(sources, stars)
    assert zero.stars <= 50
    assert zero.value == pytest.approx(TRUE_ZERO, abs=0.015)


def test_stars_that_are_not_there_do_not_match(rng):
    sources, stars = sky(rng)
    sources["DELTAWIN_J2000"] += 5 / 3600
    zero = measure(sources, stars)
    assert zero.stars == 0
    assert zero.value == 20.0
    assert "camera file" in zero.origin


def test_a_band_that_the_catalogue_lacks_is_said(rng):
    zero = measure(*sky(rng), band="F378")
    assert (zero.value, zero.error, zero.stars) == (20.0, 0.0, 0)
    assert "no F378" in zero.origin


def test_an_image_per_second_has_exposure_one(rng):
    sources, stars = sky(rng)
    sources["FLUX_AUTO"] /= EXPTIME
    assert measure(sources, stars, exptime_s=1.0).value == pytest.approx(TRUE_ZERO, abs=0.005)


def test_the_depth_is_what_noise_in_the_aperture_allows(rng):
    noise, diameter = 5.0, 6.0
    limit = photometry.depth(noise, TRUE_ZERO, EXPTIME, diameter)
    j, i = np.mgrid[:11, :11] - 5
    inside = np.hypot(i, j) <= diameter / 2
    sums = rng.normal(0, noise, (4000, 11, 11))[:, inside].sum(axis=1) * np.sqrt(np.pi * 9 / inside.sum())
    measured = TRUE_ZERO - 2.5 * np.log10(5 * sums.std() / EXPTIME)
    assert limit == pytest.approx(measured, abs=0.05)


def test_the_aperture_correction_is_that_of_a_gaussian(rng):
    fwhm = 3.0
    inside = np.array([1 - 2 ** (-((d / fwhm) ** 2)) for d in (4.0, 15.0)])
    flux = rng.uniform(1e4, 1e6, 200)[:, None] * inside * rng.normal(1, 0.01, (200, 2))
    sources = Table({"FLUX_AUTO": flux[:, 1], "MAG_APER": -2.5 * np.log10(flux)})
    sources["SNR_WIN"], sources["FLAGS"] = 100.0, np.zeros(200, "i2")
    value, error = photometry.aperture_correction(sources, Photometry())
    assert value == pytest.approx(-2.5 * np.log10(inside[1] / inside[0]), abs=0.005)
    assert 0 < error < 0.005


def test_no_star_gives_no_aperture_correction():
    sources = Table({"FLUX_AUTO": [1.0], "MAG_APER": [[99.0, 99.0]], "SNR_WIN": [100.0], "FLAGS": [0]})
    assert photometry.aperture_correction(sources, Photometry()) == (0.0, 0.0)


def test_the_cards_hold_numbers(rng):
    cards = measure(*sky(rng)).cards()
    assert cards["MAR PHO ZP"][0] == pytest.approx(TRUE_ZERO, abs=0.01)
    assert cards["MAR PHO ZPFROM"][0] == "gaia R"
