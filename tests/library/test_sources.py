"""Detection and measurement on images whose stars we know."""

import numpy as np
import pytest
from scipy import ndimage

import naive_sources
from mar.config.reduction import Reduction
from mar.errors import BadImage
from mar.masks import Bit
from mar.steps import sources
from mar.steps.background import Background, Cubics, estimate

SKY, NOISE, FWHM, GAIN = 500.0, 5.0, 3.2, 0.95


def flat_background(shape):
    """The true background: the same everywhere."""
    level, noise = (Cubics.through(np.r_[1.0], np.r_[1.0], np.r_[[[value]]], shape) for value in (SKY, NOISE))
    return Background(level, noise, SKY, NOISE)


def star_field(shape=(400, 500), n=60, seed=1, flux=20000.0):
    """Gaussian stars on a grid with random sub-pixel offsets; zero-based positions."""
    rng = np.random.default_rng(seed)
    step = 45
    grid = [(x, y) for y in range(30, shape[0] - 20, step) for x in range(30, shape[1] - 20, step)][:n]
    x, y = (np.array(grid, float) + rng.uniform(-0.5, 0.5, (len(grid), 2))).T
    stars = np.zeros(shape)
    sigma = FWHM / 2.3548
    for xs, ys in zip(x, y, strict=True):
        cx, cy = int(xs), int(ys)
        j, i = np.mgrid[cy - 15 : cy + 16, cx - 15 : cx + 16]
        profile = np.exp(-0.5 * ((i - xs) ** 2 + (j - ys) ** 2) / sigma**2)
        stars[cy - 15 : cy + 16, cx - 15 : cx + 16] += flux / (2 * np.pi * sigma**2) * profile
    image = (rng.poisson(stars * GAIN) / GAIN + rng.normal(SKY, NOISE, shape)).astype("f4")
    return image, x, y


def detect(image, mask=None, **changes):
    return sources.detect(image, mask, flat_background(image.shape), Reduction(**changes), gain=GAIN)


def nearest(table, x, y, names=("XWIN_IMAGE", "YWIN_IMAGE")):
    return np.array(
        [
            np.argmin(np.hypot(table[names[0]] - 1 - a, table[names[1]] - 1 - b))
            for a, b in zip(x, y, strict=True)
        ]
    )


def test_every_star_is_found_once_and_nothing_else():
    image, x, _ = star_field()
    table = detect(image)
    assert len(table) == len(x)
    assert list(table["NUMBER"]) == list(range(1, len(x) + 1))


def test_windowed_centroids_are_as_good_as_their_errors():
    image, x, y = star_field()
    table = detect(image)[nearest(detect(image), x, y)]
    dx, dy = table["XWIN_IMAGE"] - 1 - x, table["YWIN_IMAGE"] - 1 - y
    scaled = np.hypot(dx, dy) / np.sqrt(table["ERRAWIN_IMAGE"] ** 2 + table["ERRBWIN_IMAGE"] ** 2)
    assert np.sqrt(np.mean(dx**2 + dy**2)) < 0.03
    assert 0.6 < np.sqrt(np.mean(scaled**2)) < 1.6


def test_kron_and_aperture_fluxes_are_the_stars():
    image, *_ = star_field(flux=50000.0)
    table = detect(image)
    assert np.median(table["FLUX_AUTO"]) == pytest.approx(50000, rel=0.015)
    inside = 1 - 2 ** (-((10 / FWHM) ** 2))
    assert np.median(table["FLUX_APER"][:, 1]) == pytest.approx(50000 * inside, rel=0.005)
    assert np.median(table["MAG_AUTO"]) == pytest.approx(20 - 2.5 * np.log10(50000), abs=0.02)


def test_sizes_are_those_of_a_gaussian():
    image, *_ = star_field(flux=50000.0)
    table = detect(image)
    assert np.median(table["FWHM_IMAGE"]) == pytest.approx(FWHM, rel=0.03)
    assert np.median(table["FLUX_RADIUS"]) == pytest.approx(FWHM / 2, rel=0.06)
    assert np.median(table["ELLIPTICITY"]) < 0.05


def test_the_background_beneath_each_source_is_told():
    image, *_ = star_field()
    np.testing.assert_allclose(detect(image)["BACKGROUND"], SKY, atol=1e-3)


def test_a_measured_background_serves():
    image, x, _ = star_field()
    table = sources.detect(image, None, estimate(image, None, 64, 3), Reduction(), gain=GAIN)
    assert len(table) == len(x)


def test_an_empty_sky_gives_an_empty_table():
    image = np.random.default_rng(3).normal(SKY, NOISE, (200, 200)).astype("f4")
    table = detect(image)
    assert len(table) == 0
    assert "XWIN_IMAGE" in table.colnames


def test_masked_pixels_make_no_source():
    image, *_ = star_field()
    image[200, 250] = 60000
    image[201, 250] = 60000
    mask = np.zeros(image.shape, "u1")
    mask[199:203, 248:252] = Bit.COSMIC
    table = detect(image, mask, CAT_DETECT_MINAREA=1)
    assert np.hypot(table["X_IMAGE"] - 251, table["Y_IMAGE"] - 201.5).min() > 2


def test_a_saturated_star_is_flagged_and_others_are_not():
    image, x, y = star_field()
    mask = np.zeros(image.shape, "u1")
    mask[round(y[7]), round(x[7])] = Bit.SATURATED
    table = detect(image, mask)
    star = nearest(table, x[7:8], y[7:8])[0]
    assert table["FLAGS"][star] & sources.FLAG_SATURATED
    assert table["IMAFLAGS_ISO"][star] == Bit.SATURATED
    assert np.count_nonzero(table["FLAGS"] & sources.FLAG_SATURATED) == 1


def test_a_star_at_the_edge_is_flagged():
    image, *_ = star_field()
    image[10:14, :3] += 5000
    table = detect(image)
    assert table["FLAGS"][np.argmin(table["X_IMAGE"])] & sources.FLAG_TRUNCATED


@pytest.mark.parametrize("rows", [1, 37, 1000])
def test_bands_of_rows_give_the_very_same_table(monkeypatch, rows):
    image, _, _ = star_field(flux=5e4)
    image[100:300, 200:203] += 300  # longer than a band
    image += ndimage.gaussian_filter(np.random.default_rng(2).normal(0, 60, image.shape), 2).astype("f4")
    usual = detect(image)
    assert np.count_nonzero(usual["FLAGS"] & sources.FLAG_BLENDED) > 10
    monkeypatch.setattr(sources, "BAND_ROWS", rows)
    monkeypatch.setattr(sources, "AT_ONCE", rows)
    assert str(detect(image).pformat(-1, -1)) == str(usual.pformat(-1, -1))


def test_a_part_of_a_frame_is_measured_as_in_the_whole():
    image, _, y = star_field()
    upper = detect(image[120:])
    whole = detect(image)
    inner = upper["Y_IMAGE"] > 60
    same = nearest(whole, upper["XWIN_IMAGE"][inner] - 1, upper["YWIN_IMAGE"][inner] + 119)
    assert inner.sum() == np.count_nonzero(y > 180)
    np.testing.assert_allclose(whole["FLUX_AUTO"][same], upper["FLUX_AUTO"][inner], rtol=1e-5)


def test_two_stars_that_touch_are_told_apart():
    image, _, _ = star_field(n=1, flux=30000.0)
    shifted = np.roll(image - SKY, 8, axis=1) * 0.6
    table = detect((image + shifted).astype("f4"))
    assert len(table) == 2
    assert (table["FLAGS"] & sources.FLAG_BLENDED == sources.FLAG_BLENDED).all()
    faint, bright = np.sort(table["FLUX_AUTO"])
    assert bright == pytest.approx(30000, rel=0.05)
    assert faint == pytest.approx(18000, rel=0.08)
    assert abs(np.ptp(table["XWIN_IMAGE"]) - 8) < 0.1


def test_the_wings_of_a_bright_star_make_no_sources(monkeypatch):
    rng = np.random.default_rng(5)
    j, i = np.mgrid[:300, :300] - 150.0
    light = 2e5 / (1 + (i**2 + j**2) / 4) ** 1.5
    image = rng.normal(SKY + light, np.sqrt(NOISE**2 + light)).astype("f4")
    assert len(detect(image)) == 1
    monkeypatch.setattr(sources, "_cleaned", lambda segments: segments)
    assert len(detect(image)) > 1


def test_a_neighbour_within_the_aperture_is_replaced_by_the_other_side():
    image, x, y = star_field(n=1, flux=50000.0)
    other = np.roll(image - SKY, 14, axis=1)
    table = detect((image + other).astype("f4"))
    star = table[nearest(table, x, y)[0]]
    assert star["FLUX_AUTO"] == pytest.approx(detect(image)["FLUX_AUTO"][0], rel=0.01)


def test_crowded_and_cut_sources_are_flagged():
    image, _, _ = star_field(n=1, flux=50000.0)
    crowd = sum(np.roll(image - SKY, shift, axis=1) for shift in (10, -10, 20))
    assert (detect((image + crowd).astype("f4"))["FLAGS"] & sources.FLAG_CROWDED).any()
    cut = detect(image[:, 26:].copy())
    assert cut["FLAGS"][0] & sources.FLAG_APERTURE


def test_a_wrong_background_is_refused():
    image = np.full((100, 100), 1000, "f4")
    with pytest.raises(BadImage, match="100 %"):
        detect(image)


def test_noise_of_the_place_finds_what_one_noise_does_not():
    image, x, _ = star_field(flux=900.0)
    level = Cubics.through(np.r_[1.0], np.r_[1.0], np.r_[[[SKY]]], image.shape)
    noise = Cubics.through(np.r_[1.0], np.r_[0.0, 500.0], np.array([[NOISE, 9 * NOISE]]), image.shape)
    background = Background(level, noise, SKY, 9 * NOISE)
    found = [
        sources.detect(image, None, background, Reduction(), gain=GAIN, local_noise=local)
        for local in (False, True)
    ]
    assert len(found[0]) < len(found[1]) < len(x)
    assert found[1]["X_IMAGE"].max() < 420


def test_does_not_change_its_input():
    image, *_ = star_field()
    before = image.copy()
    detect(image)
    np.testing.assert_array_equal(image, before)


@pytest.fixture(scope="module")
def beside():
    """(table, sky-free image) of round and lone stars, each measured by the twins in the test."""
    image, _, _ = star_field(n=6, flux=30000.0, seed=8)
    return detect(image), image.astype(float) - SKY


def test_kron_fluxes_are_those_of_the_twin(beside):
    for row in beside[0]:
        ellipse = (row["A_IMAGE"], row["B_IMAGE"], np.radians(row["THETA_IMAGE"]))
        flux, axes = naive_sources.kron(beside[1], row["X_IMAGE"] - 1, row["Y_IMAGE"] - 1, *ellipse)
        assert row["KRON_RADIUS"] == pytest.approx(axes, rel=1e-5)
        assert row["FLUX_AUTO"] == pytest.approx(flux, rel=1e-5)


def test_aperture_fluxes_are_those_of_the_twin(beside):
    for row in beside[0]:
        for k, diameter in enumerate((5.0, 10.0)):
            flux, area = naive_sources.circle(beside[1], row["X_IMAGE"] - 1, row["Y_IMAGE"] - 1, diameter / 2)
            assert row["FLUX_APER"][k] == pytest.approx(flux, rel=1e-5)
            assert row["FLUXERR_APER"][k] == pytest.approx(np.sqrt(area * NOISE**2 + flux / GAIN), rel=1e-5)


def test_windowed_positions_are_those_of_the_twin(beside):
    for row in beside[0]:
        sigma = row["FLUX_RADIUS"] * 2 / 2.35
        start = row["X_IMAGE"] - 1, row["Y_IMAGE"] - 1
        x, y, snr, error2 = naive_sources.window(beside[1], *start, sigma, NOISE, GAIN)
        assert np.hypot(row["XWIN_IMAGE"] - 1 - x, row["YWIN_IMAGE"] - 1 - y) < 1e-4
        assert row["SNR_WIN"] == pytest.approx(snr, rel=1e-4)
        measured = row["ERRAWIN_IMAGE"] ** 2 + row["ERRBWIN_IMAGE"] ** 2
        assert measured == pytest.approx(error2, rel=1e-4)


def test_the_isophote_is_what_a_plain_labelling_finds():
    image, _, _ = star_field(flux=3000.0)
    table = detect(image)
    pyramid = np.outer([1, 2, 1], [1, 2, 1]) / 16
    above = ndimage.convolve(image - SKY, pyramid, mode="constant") > 1.5 * NOISE
    labels, count = ndimage.label(above, np.ones((3, 3)))
    areas = ndimage.sum_labels(above, labels, np.arange(1, count + 1))
    assert len(table) == np.count_nonzero(areas >= 5)
    light = ndimage.sum_labels(image - SKY, labels, np.flatnonzero(areas >= 5) + 1)
    np.testing.assert_allclose(np.sort(table["FLUX_ISO"]), np.sort(light), rtol=1e-5)
