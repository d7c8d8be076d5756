"""PSF figures of stars that we drew ourselves."""

import numpy as np
import pytest
from astropy.table import Table, vstack

from mar.config.reduction import Reduction
from mar.masks import Bit
from mar.steps.moffat import fit_moffats
from mar.steps.psf_stars import psf_stars
from mar.steps.quality import psf_figures
from small_skies import moffat


@pytest.fixture
def rng():
    return np.random.default_rng(23)


def field(rng, fwhm=3.1, beta=3.2, ellipticity=0.0, angle_deg=30.0, noise=5.0, number=64):
    """An image (ADU, gain 1) of stars well apart, some galaxies among them, and the catalogue."""
    step, side = 60, int(np.sqrt(number))
    image = np.zeros((side * step, side * step))
    rows = []
    for index in range(number):
        galaxy = index % 8 == 0
        x, y = (
            (index % side + 0.5) * step + rng.uniform(-5, 5),
            (index // side + 0.5) * step + rng.uniform(-5, 5),
        )
        x0, y0 = int(x) - 25, int(y) - 25
        flux, width = 10 ** rng.uniform(3.8, 5), fwhm * (2.2 if galaxy else 1)
        stamp = moffat((51, 51), x - x0, y - y0, flux, width, beta, 0.3 if galaxy else ellipticity, angle_deg)
        image[y0 : y0 + 51, x0 : x0 + 51] += stamp
        sextractor = width * rng.normal(1.03, 0.01)
        rows.append((x + 1, y + 1, flux, np.sqrt(flux + 2500 * noise / 5), sextractor, 0.05, 0, 100))
    names = [
        "X_IMAGE",
        "Y_IMAGE",
        "FLUX_AUTO",
        "FLUXERR_AUTO",
        "FWHM_IMAGE",
        "ELLIPTICITY",
        "FLAGS",
        "ISOAREA_IMAGE",
    ]
    noisy = image + 40 + rng.normal(0, 1, image.shape) * np.sqrt(noise**2 + image)
    return noisy.astype("f4"), Table(rows=rows, names=names)


@pytest.mark.parametrize(("fwhm", "beta"), [(2.2, 3.0), (3.1, 2.5), (4.5, 4.0)])
def test_moffat_of_known_width_and_wings_is_found(rng, fwhm, beta):
    image, table = field(rng, fwhm, beta)
    figures = psf_figures(image, table, Reduction(), gain=1.0)
    assert figures.fwhm_moffat_px == pytest.approx(fwhm, rel=0.01)
    assert figures.beta == pytest.approx(beta, rel=0.05)
    assert figures.ellipticity < 0.015
    assert figures.fwhm_sextractor_px == pytest.approx(1.03 * fwhm, rel=0.01)
    assert figures.fwhm_rms_px == pytest.approx(0.01 * fwhm, rel=0.5)
    assert 40 <= figures.n_stars <= 56  # no galaxy among them


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 135.0])
def test_ellipticity_is_found_at_any_angle(rng, angle_deg):
    image, table = field(rng, ellipticity=0.1, angle_deg=angle_deg)
    figures = psf_figures(image, table, Reduction())
    assert figures.ellipticity == pytest.approx(0.1 / 1.9, abs=0.005)
    assert figures.fwhm_moffat_px == pytest.approx(3.1, rel=0.01)


def test_noiseless_star_is_fitted_exactly():
    star = moffat((33, 33), 16.3, 15.6, 1e5, 3.0, 2.8, 0.2, 50.0)[None] + 7
    fits = fit_moffats(star, np.ones(star.shape, bool), 4.0, 1.0)
    assert fits.fwhm_px[0] == pytest.approx(3.0, rel=1e-3)
    assert fits.beta[0] == pytest.approx(2.8, rel=5e-3)
    assert fits.ellipticity[0] == pytest.approx(0.2 / 1.8, rel=1e-2)


def test_stars_hit_in_the_core_are_left_out(rng):
    image, table = field(rng)
    mask = np.zeros(image.shape, "u1")
    before = psf_figures(image, table, Reduction(), mask=mask)
    for x, y in zip(table["X_IMAGE"][:20], table["Y_IMAGE"][:20], strict=True):
        mask[round(y) - 1, round(x) - 1] = Bit.COSMIC
        image[round(y) - 1, round(x) - 1] = 60000
    figures = psf_figures(image, table, Reduction(), mask=mask)
    assert 10 <= before.n_stars - figures.n_stars <= 20
    assert figures.fwhm_moffat_px == pytest.approx(3.1, rel=0.01)


def test_selection_keeps_to_the_configured_limits(rng):
    _, table = field(rng)
    table["ELLIPTICITY"][1] = 0.25
    table["ISOAREA_IMAGE"][2] = 39
    table["FLUXERR_AUTO"][3] = table["FLUX_AUTO"][3] / 29
    table["FLAGS"][4] = 1
    table["FLUXERR_AUTO"][5] = table["FLUX_AUTO"][5] / 2000
    table["NUMBER"] = np.arange(len(table))
    stars = psf_stars(table, Reduction())
    assert not {1, 2, 3, 4, 5} & set(stars["NUMBER"])
    assert not {0, 8, 16, 24} & set(stars["NUMBER"])  # the galaxies
    snr = stars["FLUX_AUTO"] / stars["FLUXERR_AUTO"]
    assert (np.diff(snr) <= 0).all()
    assert len(psf_stars(table, Reduction(fwhm_nobjects=7))) == 7
    assert len(psf_stars(table, Reduction(), isolation_px=200)) == 0


def test_a_field_without_stars_has_no_figures(rng):
    image, table = field(rng)
    figures = psf_figures(image, table[:0], Reduction())
    assert figures.n_stars == 0
    assert np.isnan(figures.fwhm_moffat_px)
    assert figures.cards(0.55) == {"MAR PRO FWHMNSTARS": (0, "stars used")}


def test_cards_have_the_names_of_the_contract(rng):
    cards = psf_figures(*field(rng), Reduction()).cards(0.55)
    names = ["FWHMSEXT", "FWHMSRMS", "FWHMMEAN", "FWHMBETA", "FWHMNSTARS", "ELLIPMEAN"]
    names += ["FWHMLOW", "FWHMHIGH"]
    assert list(cards) == [f"MAR PRO {name}" for name in names]
    assert cards["MAR PRO FWHMMEAN"][1].startswith("[pixel] 1.7")


def test_the_map_follows_the_psf_over_the_chip(rng):
    sharp, left = field(rng, fwhm=2.85, number=144)
    blurred, right = field(rng, fwhm=3.0, ellipticity=0.1, angle_deg=90.0, number=144)
    half = sharp.shape[1] // 3
    image = np.concatenate([sharp[:, :half], blurred[:, half:]], axis=1)
    table = vstack([left[left["X_IMAGE"] < half - 20], right[right["X_IMAGE"] > half + 20]])
    chip = psf_figures(image, table, Reduction(fwhm_ellipmax=0.5)).map
    np.testing.assert_allclose(chip.fwhm_px[:, 0], 2.85, rtol=0.01)
    np.testing.assert_allclose(chip.fwhm_px[:, 2], 3.0, rtol=0.01)
    np.testing.assert_allclose(chip.e1[:, 2], -0.1 / 1.9, atol=0.02)  # along y
    np.testing.assert_allclose(chip.e2[:, 2], 0, atol=0.02)


def test_round_stars_of_much_noise_stay_round(rng):
    image, table = field(rng, noise=40.0)
    assert psf_figures(image, table, Reduction()).ellipticity < 0.01
