"""A tile of a few frames whose sky we know."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from mar.camera import load_camera
from mar.config.coadd import Coadd
from mar.config.swarp import Swarp
from mar.errors import BadConfig, NotEnoughFrames
from mar.exposure import Exposure, FrameType
from mar.masks import Bit
from mar.recipes.tile import FrameInput, TileReaders, TileWriters, plan_tile, write_tile
from mar.steps import coadd as step
from mar.steps.grid import Grid
from small_skies import ArrayRows, ArrayWriter, draw_stars, frame_header

SHAPE = (360, 370)
GRID = Grid(150.0, -30.0, 400, 0.55)
CAMERA = load_camera("single")
SWARP = Swarp(second_run_back_size=128)
PLACES = np.random.default_rng(8).permutation(
    np.stack(np.meshgrid(np.arange(70, 340, 50), np.arange(70, 340, 50)), -1).reshape(-1, 2)
)[:20] + np.random.default_rng(9).uniform(-8, 8, (20, 2))


def exposure(number, exptime_s):
    began = datetime(2024, 3, 1, 2, number, tzinfo=UTC)
    return Exposure(
        f"proc_{number}",
        FrameType.PROCESSED,
        "R",
        "FIELD",
        began,
        exptime_s,
        None,
        None,
        1.1,
        date(2024, 2, 29),
    )


def one_frame(number, exptime_s=100.0, transparency=1.0, sky_rate=2.0, cosmics=0, fwhm=3.2, catalogue=True):
    """A frame of the field: Gaussian stars of known rate, sky with Poisson noise, cosmic rays not masked."""
    rng = np.random.default_rng(number)
    shift, turn = rng.uniform(-8, 8, 2), rng.uniform(-1, 1)
    header = frame_header(SHAPE, shift, turn, distorted=True)
    star_rng = np.random.default_rng(1)
    image, stars = draw_stars(header, SHAPE, GRID, star_rng, sky=0.0, on_grid=PLACES, fwhm=fwhm)
    sky = sky_rate * exptime_s
    data = image * exptime_s / 100 * transparency + rng.normal(sky, np.sqrt(sky), SHAPE)
    data.flat[rng.choice(data.size, cosmics, replace=False)] += 5000
    table = Table(
        {
            "ALPHA_J2000": GRID.wcs().wcs_pix2world(PLACES, 0)[:, 0],
            "DELTA_J2000": GRID.wcs().wcs_pix2world(PLACES, 0)[:, 1],
            "FLUX_AUTO": [flux * exptime_s / 100 * transparency for *_, flux in stars],
            "FLUXERR_AUTO": [flux * 0.005 for *_, flux in stars],
            "FWHM_IMAGE": np.full(len(stars), fwhm),
            "FLAGS": np.zeros(len(stars), int),
        }
    )
    frame = FrameInput(
        ArrayRows(data.astype("f4")),
        ArrayRows(np.zeros(SHAPE, "u1")),
        header,
        exposure(number, exptime_s),
        table if catalogue else None,
    )
    return frame, stars


def make(frames, config=None):
    plan = plan_tile(frames, GRID, CAMERA, config or Coadd(), SWARP)
    writers = TileWriters(ArrayWriter(), ArrayWriter(), ArrayWriter())
    figures = write_tile(plan, writers)
    return plan, figures, writers.tile.data, writers.weight.data, writers.count.data


@pytest.fixture(scope="module")
def tile():
    made = [one_frame(number, cosmics=15, transparency=0.8 if number == 2 else 1.0) for number in range(1, 5)]
    return make([frame for frame, _ in made]), made[0][1]


def aperture_sums(data, stars, radius=8):
    yy, xx = np.mgrid[: data.shape[0], : data.shape[1]]
    return np.array([data[np.hypot(xx - x, yy - y) < radius].sum() for x, y, _ in stars])


def test_stars_have_their_flux_per_second(tile):
    (_, _, data, _, _), stars = tile
    ratio = aperture_sums(data, stars) / np.array([flux / 100 for *_, flux in stars])
    assert abs(np.median(ratio) - 1) < 0.005
    assert ratio.std() < 0.02


def test_stars_are_where_they_belong(tile):
    (_, _, data, _, _), stars = tile
    errors = []
    for x, y, flux in stars:
        if flux < 3e4:
            continue
        i, j = round(y), round(x)
        yy, xx = np.mgrid[i - 6 : i + 7, j - 6 : j + 7]
        stamp = data[i - 6 : i + 7, j - 6 : j + 7]
        errors.append(((stamp * xx).sum() / stamp.sum() - x, (stamp * yy).sum() / stamp.sum() - y))
    assert len(errors) >= 5
    assert np.abs(np.median(errors, axis=0)).max() * 550 < 5  # mas


def test_noise_is_within_ten_percent_of_ideal(tile):
    (_, figures, data, weight, count), stars = tile
    yy, xx = np.mgrid[: data.shape[0], : data.shape[1]]
    empty = (count >= 3) & np.all([np.hypot(xx - x, yy - y) > 14 for x, y, _ in stars], axis=0)
    ideal = np.sqrt(200.0) / 100 * (3 + 0.8**2) ** -0.5
    assert abs(np.median(weight[empty & (count == 4)]) ** -0.5 / ideal - 1) < 0.03
    # interpolation correlates neighbours: noise is measured on means of 8 x 8 pixels
    blocks = np.where(empty, data, np.nan)[8:392, 8:392].reshape(48, 8, 48, 8).mean(axis=(1, 3))
    assert abs(np.nanstd(blocks) * 8 / ideal - 1) < 0.1
    assert abs(figures.median_noise / ideal - 1) < 0.1


def test_cosmic_rays_are_gone(tile):
    (_, _, data, weight, count), stars = tile
    yy, xx = np.mgrid[: data.shape[0], : data.shape[1]]
    empty = (count >= 2) & np.all([np.hypot(xx - x, yy - y) > 14 for x, y, _ in stars], axis=0)
    empty &= np.maximum(np.abs(xx - 200), np.abs(yy - 200)) < 150  # where all four frames are
    assert (np.abs(data) * np.sqrt(weight))[empty].max() < 8
    plain = make([one_frame(number, cosmics=15)[0] for number in range(1, 5)], Coadd(method="weighted"))
    assert (np.abs(plain[2]) * np.sqrt(plain[3]))[empty].max() > 30


def test_header_says_what_it_is_made_of(tile):
    (plan, figures, data, _, _), _ = tile
    header = plan.header
    assert header["NCOMBINE"] == figures.ncombine == 4
    assert [header[f"COMB_{n}"] for n in (1, 2, 3, 4)] == ["proc_1", "proc_2", "proc_3", "proc_4"]
    assert header["EXP_3"] == 100
    assert header["BUNIT"] == "adu/s"
    assert header["EXPTIME"] == 400
    assert header["SCALE_2"] == pytest.approx(1.25, rel=0.01)
    assert header["GAIN"] == pytest.approx(CAMERA.gain * (300 + 80), rel=0.01)
    assert header["SATURATE"] == pytest.approx(CAMERA.saturation_adu / 100, rel=0.01)
    assert WCS(header).wcs.ctype[0] == "RA---TAN"
    assert data.shape == GRID.shape
    assert data.dtype == np.float32


def test_exposures_of_different_length_weigh_as_they_should():
    frames = [one_frame(1, exptime_s=100)[0], one_frame(2, exptime_s=25)[0]]
    _, _, _, weight, count = make(frames)
    assert_allclose(np.median(weight[count == 2]), 100**2 / 200 + 25**2 / 50, rtol=0.06)


def test_masked_pixels_do_not_count():
    frame, _ = one_frame(3)
    frame.image.data[100:140, 200:210] = 1e5
    frame.mask.data[100:140, 200:210] = Bit.TRAIL
    _, _, data, weight, count = make([frame])
    assert 300 < (count[60:340, 60:340] == 0).sum() < 500
    assert data[weight > 0].max() < 1e3


def test_a_blurred_frame_is_dropped_with_its_reason():
    frames = [one_frame(number, fwhm=9.0 if number == 2 else 3.2)[0] for number in (1, 2, 3)]
    plan, figures, *_ = make(frames)
    assert [frame.name for frame in plan.used] == ["proc_1", "proc_3"]
    assert figures.dropped[0].name == "proc_2"
    assert "seeing" in figures.dropped[0].reason
    assert plan.header["NCOMBINE"] == 2
    assert "COMB_3" not in plan.header


def test_frames_without_catalogue_are_not_scaled():
    frames = [
        one_frame(number, transparency=0.5 if number == 2 else 1.0, catalogue=False)[0] for number in (1, 2)
    ]
    assert [frame.scale for frame in make(frames)[0].used] == [1.0, 1.0]


def test_no_frame_on_the_tile_is_an_error():
    frame, _ = one_frame(1)
    frame.header["CRVAL2"] = 10.0
    with pytest.raises(NotEnoughFrames, match="proc_1: it lies outside"):
        make([frame])
    with pytest.raises(NotEnoughFrames):
        make([])


def test_frames_without_wcs_or_sky_are_dropped_and_the_rest_goes_on():
    frames = [one_frame(number)[0] for number in (1, 2, 3)]
    del frames[0].header["CTYPE*"]
    frames[2].mask.data[:] = Bit.BAD
    plan, figures, *_ = make(frames)
    assert [frame.name for frame in plan.used] == ["proc_2"]
    reasons = {frame.name: frame.reason for frame in figures.dropped}
    assert "WCS" in reasons["proc_1"]
    assert "sky" in reasons["proc_3"]


def test_a_frame_can_be_added_to_a_tile_of_weighted_means():
    config = Coadd(method="weighted", scale_flux=False)
    frames = [one_frame(number)[0] for number in (1, 2, 3)]
    together = make(frames, config)
    _, _, *old = make(frames[:2], config)
    writers = TileWriters(ArrayWriter(), ArrayWriter(), ArrayWriter())
    base = TileReaders(*(ArrayRows(map_) for map_ in old))
    write_tile(plan_tile(frames[2:], GRID, CAMERA, config, SWARP), writers, base=base)
    for added, whole in zip((writers.tile, writers.weight, writers.count), together[2:], strict=True):
        known = together[3] > 0
        assert_allclose(added.data[known], whole[known], rtol=1e-4, atol=1e-4)


def test_a_clipped_tile_takes_no_further_frame():
    base = TileReaders(*(ArrayRows(np.zeros(GRID.shape, "f4")) for _ in range(3)))
    plan = plan_tile([one_frame(1)[0]], GRID, CAMERA, Coadd(), SWARP)
    with pytest.raises(BadConfig, match="needs all frames"):
        write_tile(plan, TileWriters(ArrayWriter(), ArrayWriter()), base=base)


def test_rows_that_are_read_anew_for_each_band_give_the_same_tile(monkeypatch):
    frames = [one_frame(number)[0] for number in (1, 2, 3, 4)]
    wide = make(frames)
    monkeypatch.setattr(step, "kept", lambda frames, memory_mb: False)
    monkeypatch.setattr(step, "MOST_ROWS", 7)
    narrow = make(frames)
    for one, other in zip(wide[2:], narrow[2:], strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_progress_reaches_the_end():
    seen = []
    plan = plan_tile([one_frame(1)[0]], GRID, CAMERA, Coadd(), SWARP, lambda *step: seen.append(step))
    write_tile(plan, TileWriters(ArrayWriter(), ArrayWriter()), lambda *step: seen.append(step))
    assert seen[0] == ("background", 0, 1)
    assert seen[-1] == ("coadd", 400, 400)
