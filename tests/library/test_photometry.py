"""Zero points, depths and aperture corrections of sources whose magnitudes we know."""

import numpy as np
import pytest
from astropy.table import Table
from scipy.spatial import cKDTree

import naive_sources
from mar.config.photometry import Photometry
from mar.config.reduction import Reduction
from mar.refcat.stars import Stars
from mar.refcat.transformations import TRANSFORMATIONS, magnitudes_in
from mar.simulate import Effects, simulate_sky_frame
from mar.steps import photometry
from mar.steps.background import estimate
from mar.steps.growth import growth_curve
from mar.steps.quality import psf_figures
from mar.steps.sources import APERTURES_PX, detect
from small_skies import moffat

NO_HITS = Effects().without("cosmics", "trails", "proper_motion")

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


class Measured:
    """A simulated frame with its sources on the sky, its growth curve and its reference stars."""

    def __init__(self, band="R", seed=1, density=6.0):
        sky = self.sky = simulate_sky_frame((900, 900), seed, band=band, density=density, effects=NO_HITS)
        gain, config = sky.camera.gain, Reduction()
        self.sources = detect(sky.data, sky.mask, estimate(sky.data, sky.mask), config, gain=gain)
        x, y = (np.asarray(self.sources[name]) - 1 for name in ("XWIN_IMAGE", "YWIN_IMAGE"))
        self.sources["ALPHAWIN_J2000"], self.sources["DELTAWIN_J2000"] = sky.wcs.pixel_to_sky(x, y)
        self.psf = psf_figures(sky.data, self.sources, config, gain, sky.mask)
        self.growth = growth_curve(
            sky.data, sky.mask, self.sources, config, self.psf.fwhm_moffat_px, self.psf.beta
        )
        true = sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG"] < 18.5)]
        ra, dec, magnitude, here = (np.asarray(true[key]) for key in ("RA", "DEC", "MAG", f"MAG_{band}"))
        self.stars = Stars(ra, dec, magnitude, {band: here}, pack="true")
        self.band, self.exptime_s = band, float(sky.truth.exptime_s)

    def zero_point(self, sources=None):
        return photometry.zero_point(
            self.sources if sources is None else sources,
            self.stars,
            self.band,
            self.exptime_s,
            20.0,
            Photometry(),
            growth=self.growth,
            aperture_px=APERTURES_PX[-1],
        )


@pytest.fixture(scope="module")
def measured():
    return Measured()


@pytest.mark.parametrize(("band", "seed", "density"), [("U", 4, 6), ("F660", 7, 3), ("Z", 9, 12)])
def test_the_zero_point_of_a_frame_is_true_within_5_mmag(band, seed, density):
    frame = Measured(band, seed, density)
    assert frame.zero_point().value == pytest.approx(frame.sky.truth.zeropoint, abs=0.005)


def test_the_zero_point_counts_the_light_outside_apertures(measured):
    zero = measured.zero_point()
    assert zero.value == pytest.approx(measured.sky.truth.zeropoint, abs=0.005)
    assert zero.error < 0.003
    assert -0.10 < zero.kron < -0.01
    assert zero.flatness < 0.005
    assert zero.photometric


def test_clouds_and_a_bad_flat_are_told(measured):
    cloudy = measured.sources.copy()
    x = np.asarray(cloudy["XWIN_IMAGE"]) / 900
    cloudy["FLUX_APER"] *= (1 - 0.4 * np.clip(np.sin(6 * x), 0, 1))[:, None].astype("f4")
    zero = measured.zero_point(cloudy)
    assert not zero.photometric
    assert zero.flatness > 0.05
    assert zero.cards()["MAR PHO PHOTOM"][0] is False


def test_the_growth_curve_is_that_of_the_true_profile(measured):
    truth = measured.sky.truth
    star = moffat((201, 201), 100.3, 99.8, 1.0, truth.fwhm_px, truth.beta, 0.0, 0.0)
    for diameter in (7.0, 10.0, 14.0):
        expected = 2.5 * np.log10(naive_sources.circle(star, 100.3, 99.8, diameter / 2)[0])
        assert measured.growth.correction(diameter) == pytest.approx(expected, abs=0.005)
    assert (np.diff(measured.growth.fractions) > 0).all()
    assert 0.95 < measured.growth.fractions[-1] < 1


def test_without_lone_stars_there_is_no_growth_curve(measured):
    data, sources = measured.sky.data, measured.sources
    assert growth_curve(data, None, sources[:0], Reduction(), 3.0, 3.0) is None
    assert growth_curve(data, None, sources, Reduction(), np.nan, np.nan) is None


def test_a_star_at_the_depth_has_five_sigma(measured):
    diameter, zero = 5.5, 23.4
    correction = measured.growth.correction(diameter)
    limit = photometry.depth(measured.sky.noise_adu, zero, 40.0, diameter, aperture_correction_mag=correction)
    whole = 40.0 * 10 ** (-0.4 * (limit - zero))
    area = np.pi * (diameter / 2) ** 2
    assert whole * 10 ** (0.4 * correction) == pytest.approx(5 * measured.sky.noise_adu * np.sqrt(area))


def test_most_stars_brighter_than_the_depth_are_found_and_few_much_fainter(measured):
    diameter = 3.0 / measured.sky.camera.pixel_scale_arcsec
    limit = photometry.depth(
        measured.sky.noise_adu,
        measured.zero_point().value,
        measured.exptime_s,
        diameter,
        aperture_correction_mag=measured.growth.correction(diameter),
    )
    stars = measured.sky.sources[measured.sky.sources["KIND"] == "star"]
    stars = stars[(np.abs(stars["X"] - 450) < 440) & (np.abs(stars["Y"] - 450) < 440)]
    tree = cKDTree(np.c_[measured.sources["X_IMAGE"], measured.sources["Y_IMAGE"]])
    found = tree.query(np.c_[stars["X"] + 1, stars["Y"] + 1])[0] < 2
    magnitude = np.asarray(stars["MAG_R"])
    nearest, which = cKDTree(np.c_[stars["X"], stars["Y"]]).query(np.c_[stars["X"], stars["Y"]], k=2)
    alone = (nearest[:, 1] > 12) | (magnitude[which[:, 1]] > magnitude + 1)
    found, fainter = found[alone], magnitude[alone] - limit

    def recovered(low, high):
        return np.mean(found[(fainter > low) & (fainter < high)])

    # the threshold of detection asks for more than 5 sigma in the aperture
    assert recovered(-1.5, -0.5) > 0.9
    assert 0.1 < recovered(-0.2, 0.2) < 0.9
    assert recovered(0.9, 2.0) < 0.3


def test_a_colour_gives_the_band_that_a_catalogue_lacks(rng):
    n = 2000
    colour = rng.uniform(-0.5, 3.5, n)
    bands = {"GAIA_G": np.full(n, 15.0), "GAIA_BP": 15 + colour / 2, "GAIA_RP": 15 - colour / 2}
    stars = Stars(np.zeros(n), np.zeros(n), np.zeros(n), bands, pack="gaia")
    magnitude, by = magnitudes_in(stars, "R", 625.8)
    assert by in TRANSFORMATIONS
    inside = (colour >= by.limits[0]) & (colour <= by.limits[1])
    assert np.isfinite(magnitude[inside]).all()
    assert np.isnan(magnitude[~inside]).all()
    sun = np.argmin(np.abs(colour - 0.82))
    assert magnitude[sun] - 15 == pytest.approx(-0.01, abs=0.05)  # r - G of the Sun
    assert magnitudes_in(stars, "R", 700.0) is None  # Cousins R is another band
    assert magnitudes_in(stars, "F378", 378.5) is None


@pytest.mark.parametrize("one", TRANSFORMATIONS)
def test_transformations_give_the_colours_of_the_sun(one):
    colour = {"GAIA_BP": 0.82, "TYCHO_BT": 0.73}[one.colour[0]]
    magnitude = {"GAIA_G": -26.90, "TYCHO_VT": -26.69}[one.magnitude]  # Willmer 2018, ApJS 236, 47
    found = magnitude + np.polynomial.polynomial.polyval(colour, one.coefficients)
    sun = {"G": -26.47, "R": -26.93, "I": -27.05, "Z": -27.07}
    assert found == pytest.approx(sun[one.band], abs=0.12)


@pytest.mark.parametrize(
    ("band", "published", "wavelength_nm"),
    [
        ("G", lambda x: 0.2199 - 0.6365 * x - 0.1548 * x**2 + 0.0064 * x**3, 475.1),
        ("R", lambda x: -0.09837 + 0.08592 * x + 0.1907 * x**2 - 0.1701 * x**3 + 0.02263 * x**4, 625.8),
        ("I", lambda x: -0.293 + 0.6404 * x - 0.09609 * x**2 - 0.002104 * x**3, 769.0),
        ("Z", lambda x: -0.4619 + 0.8992 * x - 0.08271 * x**2 + 0.005029 * x**3, 883.1),
    ],
)
def test_gaia_terms_are_the_published_ones(band, published, wavelength_nm):
    """Table 5.9 of the documentation of Gaia DR3, which gives Gaia's G less the band."""
    x = np.linspace(0.5, 2.0, 16)
    bands = {"GAIA_G": np.full(16, 12.0), "GAIA_BP": 12 + x, "GAIA_RP": np.full(16, 12.0)}
    magnitude, _ = magnitudes_in(Stars(x, x, x, bands, pack="gaia"), band, wavelength_nm)
    np.testing.assert_allclose(12 - magnitude, published(x), atol=1e-12)


def test_a_transformed_zero_point_says_so(rng):
    sources, stars = sky(rng)
    bands = {
        "GAIA_G": stars.bands["R"],
        "GAIA_BP": stars.bands["R"] + 0.45,
        "GAIA_RP": stars.bands["R"] - 0.45,
    }
    stars = Stars(stars.ra_deg, stars.dec_deg, stars.magnitude, bands, pack="gaia")
    zero = photometry.zero_point(sources, stars, "R", EXPTIME, 20.0, Photometry(), wavelength_nm=625.8)
    by = next(one for one in TRANSFORMATIONS if one.band == "R")
    expected = TRUE_ZERO + np.polynomial.polynomial.polyval(0.9, by.coefficients)
    assert zero.value == pytest.approx(expected, abs=0.005)
    assert zero.origin == "gaia GAIA_G and colour"
    assert zero.error > by.scatter / np.sqrt(len(sources)) * 0.9
