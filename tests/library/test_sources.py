"""Detection and measurement on images whose stars we know."""

import numpy as np
import pytest
import sep

from mar.config.reduction import Reduction
from mar.errors import BadImage
from mar.kernels import windows
from mar.masks import Bit
from mar.steps import sources
from mar.steps.background import estimate

SKY, NOISE, FWHM, GAIN = 500.0, 5.0, 3.2, 0.95


class FlatBackground:
    """The true background: the same everywhere."""

    def subtracted_from(self, data):
        return (data - np.float32(SKY)).astype("f4")

    def rms(self):
        return np.full(self.shape, NOISE, "f4")

    def __init__(self, shape):
        self.shape = shape


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
    return sources.detect(image, mask, FlatBackground(image.shape), Reduction(**changes), gain=GAIN)


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


def test_bands_of_rows_give_the_table_of_the_whole(monkeypatch):
    image, *_ = star_field()
    whole = detect(image)
    monkeypatch.setattr(sources, "ROWS", 90)
    monkeypatch.setattr(sources, "OVERLAP", 40)
    bands = detect(image)
    assert len(bands) == len(whole)
    order = np.lexsort((np.round(bands["X_IMAGE"]), np.round(bands["Y_IMAGE"])))
    expected = np.lexsort((np.round(whole["X_IMAGE"]), np.round(whole["Y_IMAGE"])))
    for name in ("XWIN_IMAGE", "YWIN_IMAGE", "FLUX_AUTO", "FLUX_RADIUS"):
        np.testing.assert_allclose(bands[name][order], whole[name][expected], rtol=1e-4)


def test_more_bright_pixels_than_the_usual_stack_holds():
    image = np.random.default_rng(3).normal(SKY, NOISE, (1000, 1000)).astype("f4")
    image[100:900, 100:600] += 1000
    assert len(detect(image)) >= 1


def test_a_wrong_background_is_refused():
    image = np.full((100, 100), 1000, "f4")
    with pytest.raises(BadImage, match="100 %"):
        detect(image)


def test_a_limit_of_the_extraction_is_said(monkeypatch):
    image, *_ = star_field()
    usual = sep.get_extract_pixstack()
    sep.set_extract_pixstack(100)
    monkeypatch.setattr(sep, "set_extract_pixstack", lambda pixels: None)
    try:
        with pytest.raises(BadImage, match="rows 1-400 are too crowded"):
            detect(image)
    finally:
        monkeypatch.undo()
        sep.set_extract_pixstack(usual)


def test_does_not_change_its_input():
    image, *_ = star_field()
    before = image.copy()
    detect(image)
    np.testing.assert_array_equal(image, before)


def naive_window(data, rms, x, y, sigma, gain):
    j, i = np.mgrid[: data.shape[0], : data.shape[1]]
    r2 = (i - x) ** 2 + (j - y) ** 2
    weight = np.where(r2 <= 16 * sigma**2, np.exp(-0.5 * r2 / sigma**2), 0)
    variance = weight**2 * (rms**2 + np.maximum(data, 0) / gain)
    signal = (weight * data).sum()
    return (
        signal / np.sqrt(variance.sum()),
        4 * (variance * (i - x) ** 2).sum() / signal**2,
        4 * (variance * (j - y) ** 2).sum() / signal**2,
        4 * (variance * (i - x) * (j - y)).sum() / signal**2,
    )


def test_the_window_kernel_agrees_with_naive():
    image, x, y = star_field(n=5)
    data = (image - SKY).astype("f4")
    rms = np.full(data.shape, NOISE, "f4")
    sigma = np.full(len(x), 1.5)
    figures = np.empty((len(x), windows.FIGURES))
    windows.measure_windows(data, rms, np.zeros(data.shape, "u1"), 0, x, y, sigma, GAIN, figures)
    for k in range(len(x)):
        expected = naive_window(data.astype(float), rms.astype(float), x[k], y[k], 1.5, GAIN)
        np.testing.assert_allclose(figures[k, :4], expected, rtol=1e-5, atol=1e-9)
