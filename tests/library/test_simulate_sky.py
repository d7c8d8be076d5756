"""The simulated sky: light where the truth says, as much as the zero point says."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mar.exposure import FrameType
from mar.masks import Bit
from mar.simulate import Conditions, Effects, SkyField, plain_camera, simulate_sky_frame
from mar.simulate.fringes import fringe_pattern
from mar.simulate.profiles import moffat_gaussians, sersic_gaussians
from mar.simulate.records import Shot
from mar.simulate.scene import Psf, paint_sources
from mar.simulate.simulator import Simulator
from mar.simulate.sky import make_sources
from mar.simulate.spectra import colours, dark_sky_mag

QUIET = Effects().without("cosmics", "trails", "galaxies", "moon", "fringes", "bleeding")
SPARSE = {"density": 1.0, "conditions": Conditions(faintest_mag=17.0)}


def well_inside(frame, margin=30):
    x, y = frame.sources["X"], frame.sources["Y"]
    ny, nx = frame.data.shape
    return (x > margin) & (x < nx - margin) & (y > margin) & (y < ny - margin)


def isolated(frame):
    """Bright unsaturated stars without a neighbour within 30 pixels."""
    x, y = frame.sources["X"].data, frame.sources["Y"].data
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 1e3 * np.eye(x.size)
    light = (frame.sources["FLUX"] > 2e4) & (frame.sources["FLUX"] < 3e5)
    return np.flatnonzero(well_inside(frame) & light & (distance.min(axis=1) > 30))


def cut(frame, star, half=15):
    x, y = round(float(frame.sources["X"][star])), round(float(frame.sources["Y"][star]))
    rows, columns = slice(y - half, y + half + 1), slice(x - half, x + half + 1)
    grid_y, grid_x = np.mgrid[rows, columns]
    return frame.data[rows, columns] - frame.sky_adu, grid_x, grid_y


def test_stars_have_the_flux_of_their_magnitude():
    frame = simulate_sky_frame(effects=QUIET, **SPARSE)
    stars = isolated(frame)
    assert len(stars) >= 5
    ratios = [cut(frame, star)[0].sum() / frame.sources["FLUX"][star] for star in stars]
    assert np.median(ratios) == pytest.approx(1, abs=0.01)


def test_the_zero_point_is_that_of_the_band():
    effects = QUIET.without("transparency")
    frame = simulate_sky_frame(effects=effects, exptime_s=40.0, **SPARSE)
    expected = 40 * 10 ** (0.4 * (23.45 - frame.sources["MAG_R"]))
    np.testing.assert_allclose(frame.sources["FLUX"], expected, rtol=1e-6)


def test_thin_clouds_dim_all_stars_of_a_frame_alike():
    cloudy = simulate_sky_frame(effects=QUIET, **SPARSE)
    clear = simulate_sky_frame(effects=QUIET.without("transparency"), **SPARSE)
    ratio = cloudy.sources["FLUX"] / clear.sources["FLUX"]
    assert 0.8 < ratio[0] < 1
    assert np.ptp(ratio) < 1e-6


def test_stars_stand_where_the_true_wcs_puts_them():
    frame = simulate_sky_frame(effects=QUIET, **SPARSE)
    offsets = []
    for star in isolated(frame):
        light, x, y = cut(frame, star, half=6)
        offsets.append(
            [(light * x).sum() / light.sum() - frame.sources["X"][star],
             (light * y).sum() / light.sum() - frame.sources["Y"][star]]
        )  # fmt: skip
    assert len(offsets) >= 5
    assert np.abs(np.median(offsets, axis=0)).max() < 0.05
    _, dec = frame.wcs.pixel_to_sky(frame.sources["X"], frame.sources["Y"])
    assert np.abs(dec - frame.sources["DEC"]).max() * 3600 < 1.5  # the motion of eight years


@pytest.mark.parametrize("switch", ["distortion", "rotation", "pointing_error", "proper_motion"])
def test_what_moves_the_stars_can_be_switched_off(switch):
    moved = simulate_sky_frame((200, 200), effects=QUIET)
    still = simulate_sky_frame((200, 200), effects=QUIET.without(switch))
    shift = np.hypot(moved.sources["X"] - still.sources["X"], moved.sources["Y"] - still.sources["Y"])
    assert np.median(shift) > 0.01
    assert (moved.data != still.data).any()


def test_dithers_move_the_field_and_can_be_switched_off():
    first, second = (simulate_sky_frame((200, 200), effects=QUIET, exposure=n) for n in (0, 1))
    assert np.hypot(first.sources["X"][0] - second.sources["X"][0], 0) > 20
    fixed = simulate_sky_frame((200, 200), effects=QUIET.without("dither", "pointing_error"), exposure=1)
    start = simulate_sky_frame((200, 200), effects=QUIET.without("dither", "pointing_error"), exposure=0)
    assert fixed.wcs == start.wcs


@pytest.mark.parametrize("switch", ["seeing", "ellipticity"])
def test_the_shape_of_stars_can_be_held(switch):
    base = simulate_sky_frame((200, 200), effects=QUIET)
    held = simulate_sky_frame((200, 200), effects=QUIET.without(switch))
    if switch == "seeing":
        assert held.truth.fwhm_px == pytest.approx(1.5 / 0.55)
        assert base.truth.fwhm_px != held.truth.fwhm_px
    else:
        assert held.truth.ellipticity == 0
        assert base.truth.ellipticity > 0


def test_a_star_has_the_width_that_the_truth_tells():
    image = np.zeros((61, 61), dtype="f4")
    paint_sources(
        image, {"KIND": np.array(["star"])}, np.array([30.0]), np.array([30.0]), np.array([1e5]),
        Psf(4.0, 3.0, 0.0, 0.0),
    )  # fmt: skip
    assert image.sum() == pytest.approx(1e5, rel=2e-3)
    assert image[30, 32] == pytest.approx(image[30, 30] / 2, rel=0.01)


@pytest.mark.parametrize("index", [1.0, 4.0])
def test_galaxy_profiles_hold_half_the_light_in_their_radius(index):
    weight, variance = sersic_gaussians(index)
    assert weight.sum() == pytest.approx(1)
    within = (weight * (1 - np.exp(-0.5 / variance))).sum()
    assert within == pytest.approx(0.5, abs=0.04)


def test_the_moffat_of_galaxies_is_that_of_stars():
    weight, variance = moffat_gaussians(3.0)
    radius = np.linspace(0, 4, 30)
    mixture = (weight / (2 * np.pi * variance) * np.exp(-0.5 * radius[:, None] ** 2 / variance)).sum(axis=1)
    exact = 2 / np.pi * (1 + radius**2) ** -3
    assert np.abs(mixture - exact).max() < 0.02 * exact[0]


def test_galaxies_are_extended_and_can_be_switched_off():
    effects = Effects().without("cosmics", "trails", "shot_noise", "read_noise", "stars")
    seen = simulate_sky_frame((400, 400), effects=effects)
    empty = simulate_sky_frame((400, 400), effects=effects.without("galaxies"))
    light = (seen.data.astype(float) - empty.data).sum()
    inside = well_inside(seen, 60) & (seen.sources["KIND"] == "galaxy")
    assert light > 0.7 * seen.sources["FLUX"][inside].sum() > 1e4
    assert (seen.sources["AXIS_RATIO"][seen.sources["KIND"] == "galaxy"] < 0.25).any()  # edge-on
    assert len(empty.sources) == 0


def test_stars_can_be_switched_off():
    effects = Effects.only("sky", "galaxies")
    frame = simulate_sky_frame((200, 200), effects=effects)
    assert (frame.sources["KIND"] == "galaxy").all()


def test_star_counts_grow_as_in_the_sky():
    mag = simulate_sky_frame((1200, 1200), effects=Effects.only("stars"), density=20.0).sources["MAG"]
    growth = np.log10((mag < 17).sum() / (mag < 14).sum()) / 3
    assert growth == pytest.approx(0.28, abs=0.05)


def test_cool_stars_are_red_and_the_sun_is_as_it_is():
    temperature = np.array([4000.0, 5772.0, 10000.0])
    u_minus_r = colours(temperature, 353.6)
    assert (np.diff(u_minus_r) < 0).all()
    assert u_minus_r[1] == pytest.approx(1.9, abs=0.4)
    assert colours(temperature, 625.8) == pytest.approx(0)


def test_the_sky_has_its_brightness_and_can_be_switched_off():
    effects = Effects.only("sky", "shot_noise")
    frame = simulate_sky_frame((300, 300), effects=effects)
    mag = 23.45 - 2.5 * np.log10(frame.sky_adu / 40 / 0.55**2)
    assert mag == pytest.approx(dark_sky_mag(625.8), abs=0.01)
    assert frame.data.mean() == pytest.approx(frame.sky_adu, rel=0.01)
    assert simulate_sky_frame((300, 300), effects=effects.without("sky")).data.mean() == 0


def test_moonlight_brightens_the_sky_with_a_gradient():
    camera, full_moon = plain_camera((300, 300)), datetime(2024, 2, 24, 4, 0, tzinfo=UTC)
    means, planes = [], []
    for effects in (Effects.only("sky", "moon"), Effects.only("sky")):
        simulator = Simulator(camera, effects=effects)
        none = make_sources(
            SkyField("SPLUS-s25s10", 130.0, -25.0), (0.1, 0.1), camera.filters, Conditions(), effects, 1
        )
        shot = Shot("moonlit", FrameType.SCI, "G", "SPLUS-s25s10", full_moon, 33.0, 130.0, -25.0, 0)
        exposed = simulator.science(shot, none)
        light = exposed.raw.astype(float) - 1000
        means.append(exposed.truth.sky_adu)
        planes.append(np.ptp(light[::50, ::50]))
        later = simulator.moon(shot._replace(began=full_moon + timedelta(days=14)))
    assert means[0] > 2 * means[1]
    assert planes[0] > 0.04 * means[0] > planes[1]
    assert later is None


def test_fringes_are_a_fixed_share_of_the_sky_in_fringed_bands_only():
    effects = Effects.only("sky", "fringes")
    rippled, plain = (
        simulate_sky_frame((400, 400), band="Z", effects=e, exptime_s=400.0)
        for e in (effects, Effects.only("sky"))
    )
    share = (rippled.data - plain.data) / rippled.sky_adu
    pattern = fringe_pattern((400, 400), 1)
    assert share == pytest.approx(0.02 * pattern, abs=0.001)
    assert rippled.truth.fringe_amplitude == 0.02
    assert pattern.std() > 0.3
    for frame in (simulate_sky_frame((64, 64), band="R", effects=e) for e in (effects, Effects.only("sky"))):
        assert frame.truth.fringe_amplitude == 0
        assert np.ptp(frame.data) <= 1


def test_a_trail_crosses_from_edge_to_edge():
    effects = Effects.only("sky", "trails")
    crossed = simulate_sky_frame((300, 300), effects=effects, exposure=1)
    clean = simulate_sky_frame((300, 300), effects=effects.without("trails"), exposure=1)
    trail = crossed.mask & np.uint8(Bit.TRAIL) > 0
    light = crossed.data - clean.data
    edges = sum(bool(edge.any()) for edge in (trail[0], trail[-1], trail[:, 0], trail[:, -1]))
    assert edges >= 2
    assert light[trail].min() > 0.5 * crossed.noise_adu
    assert light[~trail].max() <= crossed.noise_adu + 1
    assert clean.mask.max() == 0


def test_noise_of_plain_sky_is_as_told():
    frame = simulate_sky_frame((300, 300), effects=Effects.only("sky", "shot_noise", "read_noise"))
    assert frame.data.std() == pytest.approx(frame.noise_adu, rel=0.02)
