"""The solution of star fields whose true positions are known, computed elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest
import star_fields
from astropy.io.fits import Header
from astropy.table import vstack
from astropy.wcs import WCS

from mar.camera import load_camera
from mar.config import Config
from mar.config.astrometry import Astrometry
from mar.config.reduction import Reduction
from mar.config.scamp import Scamp
from mar.errors import BadHeader, NotSolved
from mar.frame import Frame, set_cards
from mar.io.fits import read_frame
from mar.refcat.packs import RefCat
from mar.refcat.stars import separation_deg
from mar.simulate import Effects, simulate_night
from mar.steps import astrometry
from mar.steps.background import estimate
from mar.steps.distortion import Fit, Points, measured_floor
from mar.steps.overscan import subtract_overscan
from mar.steps.photometry import zero_point
from mar.steps.rough import rough_from_header, rough_from_pointing, rough_wcs
from mar.steps.saturation import mark_saturated
from mar.steps.sources import detect
from mar.steps.tpv import tangent


@pytest.fixture(scope="module")
def camera():
    return load_camera("t80cam-mini")


def settings(**scamp):
    return SimpleNamespace(scamp=Scamp(**scamp), reduction=Reduction(), astrometry=Astrometry())


def solve(field, camera, **scamp):
    rough = rough_from_pointing(*field.pointing, camera, field.shape)
    return astrometry.solve(field.sources, field.reference, rough, field.shape, settings(**scamp))


def errors_mas(wcs, field, inset=15):
    """East and north errors of a solution over the frame."""
    x, y = np.meshgrid(*(np.linspace(inset, n - inset, 12) for n in field.shape[::-1]))
    ra, dec = wcs.sky(x.ravel(), y.ravel())
    true_ra, true_dec = field.truth.sky(x.ravel(), y.ravel())
    east = ((ra - true_ra + 180) % 360 - 180) * np.cos(np.radians(true_dec))
    return 3.6e6 * np.stack([east, dec - true_dec])


def assert_within_the_bar(solution, field):
    error = errors_mas(solution.wcs, field)
    assert np.sqrt((error**2).mean(axis=1)).max() < 55
    assert np.abs(error.mean(axis=1)).max() < 30


@pytest.mark.parametrize("seed", range(4))
def test_a_usual_field(camera, seed):
    field = star_fields.make(seed=seed)
    solution = solve(field, camera)
    assert_within_the_bar(solution, field)
    assert solution.degree == 3
    assert max(solution.rms_mas) < 55


@pytest.mark.parametrize("seed", range(6))
def test_a_disturbed_field(camera, seed):
    rng = np.random.default_rng(seed)
    mirror = (int(rng.choice([-1, 1])), int(rng.choice([-1, 1])))
    field = star_fields.make(
        seed=seed,
        stars=(20, 60, 300, 1000)[seed % 4],
        offset_arcmin=2.0,
        angle=float(rng.uniform(-4.8, 4.8)),
        scale=float(rng.uniform(0.98, 1.02)),
        mirror=mirror,
        cubic=1e-3,
        dec=float(rng.uniform(-85, 85)),
    )
    solution = solve(field, camera, MATCH_FLIPPED=True)
    assert np.abs(errors_mas(solution.wcs, field)).max() < 500
    assert np.hypot(*solution.offset_arcsec) == pytest.approx(120, abs=0.5)


def test_the_distortion_is_needed_to_meet_the_truth(camera):
    field = star_fields.make(cubic=2e-3, noise_px=0.01)
    straight = solve(field, camera, DISTORT_DEGREES=1)
    bent = solve(field, camera, DISTORT_DEGREES=3)
    assert np.abs(errors_mas(straight.wcs, field)).max() > 200
    assert np.abs(errors_mas(bent.wcs, field)).max() < 20


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_every_degree_agrees_with_astropy(camera, degree):
    field = star_fields.make(stars=600, cubic=1e-3)
    solution = solve(field, camera, DISTORT_DEGREES=degree)
    assert solution.degree == degree
    header = Header()
    for key, (value, _) in solution.wcs.cards().items():
        header[key] = value
    x, y = np.meshgrid([1.0, 500.5, 1152.0], [1.0, 700.25, 1154.0])
    ra, dec = WCS(header).all_pix2world(x.ravel(), y.ravel(), 1)
    ours_ra, ours_dec = solution.wcs.sky(x.ravel(), y.ravel())
    np.testing.assert_allclose(ours_ra, ra, atol=1e-4 / 3.6e6, rtol=0)
    np.testing.assert_allclose(ours_dec, dec, atol=1e-4 / 3.6e6, rtol=0)
    back = solution.wcs.pixel(ours_ra, ours_dec)
    np.testing.assert_allclose(back[0], x.ravel(), atol=1e-5)
    np.testing.assert_allclose(back[1], y.ravel(), atol=1e-5)


def test_few_stars_lower_the_degree(camera):
    field = star_fields.make(seed=2, stars=25, spurious=0.1)
    assert solve(field, camera).degree < 3


@pytest.mark.parametrize("seed", range(4))
def test_the_wrong_part_of_the_sky_is_not_solved(camera, seed):
    field, other = star_fields.make(seed=seed), star_fields.make(seed=seed + 50)
    rough = rough_from_pointing(*other.pointing, camera, field.shape)
    with pytest.raises(NotSolved):
        astrometry.solve(field.sources, other.reference, rough, field.shape, settings(MATCH_FLIPPED=True))


def test_noise_alone_is_not_solved(camera):
    field = star_fields.make(stars=200)
    rng = np.random.default_rng(1)
    for axis, size in (("X", field.shape[1]), ("Y", field.shape[0])):
        field.sources[f"{axis}WIN_IMAGE"] = rng.uniform(12, size - 12, len(field.sources))
    with pytest.raises(NotSolved):
        solve(field, camera)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_too_few_sources_are_said(camera, left):
    field = star_fields.make()
    field.sources = field.sources[:left]
    with pytest.raises(NotSolved, match=f"{left} usable sources"):
        solve(field, camera)


def sparse(stars, seed, spurious, **more):
    """A field of so few sources, the brightest of their part of the sky, and as many stars around as that."""
    field = star_fields.make(seed=seed, stars=150, spurious=0.0, noise_px=0.05, complete=1.0, **more)
    magnitude = -2.5 * np.log10(np.array(field.sources["FLUX_AUTO"]))
    bright = np.argsort(magnitude)[:stars]
    limit = np.sort(field.reference.magnitude)[6 * stars]
    junk = field.sources[np.argsort(magnitude)[-spurious:]] if spurious else field.sources[:0]
    rng = np.random.default_rng(seed)
    for axis, size in (("X", field.shape[1]), ("Y", field.shape[0])):
        junk[f"{axis}WIN_IMAGE"] = rng.uniform(12, size - 12, len(junk))
    field.sources = vstack([field.sources[bright], junk])
    field.reference = field.reference[field.reference.magnitude < limit]
    return field


@pytest.mark.parametrize(("stars", "spurious"), [(3, 0), (4, 1), (5, 2), (7, 3)])
def test_a_handful_of_stars(camera, stars, spurious):
    """Either the truth or the word that it cannot be told; mostly the truth."""
    solved = 0
    for seed in range(8):
        field = sparse(stars, seed, spurious)
        try:
            solution = solve(field, camera, POSITION_MAXERR=2.0, PIXSCALE_MAXERR=1.02)
        except NotSolved:
            continue
        solved += 1
        assert np.abs(errors_mas(solution.wcs, field)).max() < 1500
        assert solution.degree <= 1
    assert solved >= 4


def test_a_few_random_sources_are_never_solved(camera):
    for seed in range(20):
        field, other = sparse(4, seed, 2), sparse(4, seed + 40, 0)
        rough = rough_from_pointing(*other.pointing, camera, field.shape)
        with pytest.raises(NotSolved):
            astrometry.solve(field.sources, other.reference, rough, field.shape, settings())


def test_a_crowded_field_as_in_the_plane(camera):
    field = star_fields.make(
        seed=3, stars=20_000, shape=(2600, 2600), offset_arcmin=2.0, angle=4.0, spurious=0.0
    )
    solution = solve(field, camera)
    assert solution.stars > 8_000
    assert np.abs(errors_mas(solution.wcs, field)).max() < 5
    assert solution.log10_chance < -100


@pytest.mark.parametrize("seed", range(3))
def test_the_formal_error_is_that_of_the_truth(camera, seed):
    field = star_fields.make(seed=seed, stars=400, spurious=0.0, noise_px=0.1)
    solution = solve(field, camera)
    rms = np.sqrt((errors_mas(solution.wcs, field) ** 2).mean())
    assert 0.4 < rms / solution.error_mas[0] < 2.0
    assert solution.error_mas[0] < solution.error_mas[1]


def test_a_mirrored_frame_of_a_few_stars(camera):
    field = sparse(5, 5, 0, mirror=(-1, 1))
    solution = solve(field, camera, MATCH_FLIPPED=True, POSITION_MAXERR=2.0, PIXSCALE_MAXERR=1.02)
    assert solution.degree == 0
    assert np.abs(errors_mas(solution.wcs, field)).max() < 1500


def test_spoiled_sources_take_no_part(camera):
    field = star_fields.make(stars=150, spurious=0.0)
    half = np.arange(len(field.sources)) % 2 == 0
    field.sources["FLAGS"][half] = 4
    field.sources["XWIN_IMAGE"][half] += 1.0
    assert_within_the_bar(solve(field, camera), field)
    assert solve(field, camera).stars < 0.6 * len(field.sources)


def test_without_matching_the_rough_position_is_trusted(camera):
    field = star_fields.make(offset_arcmin=0.02, angle=0.0)
    assert_within_the_bar(solve(field, camera, MATCH=False), field)
    far = star_fields.make(offset_arcmin=2.0, spurious=0.0)
    with pytest.raises(NotSolved):
        solve(far, camera, MATCH=False)


def frame_of(field, header, ra=None, dec=None):
    exposure = SimpleNamespace(ra_deg=ra, dec_deg=dec)
    return Frame(np.zeros(field.shape, "f4"), header, exposure=exposure, label="f.fits")


OLD_CARDS = {
    "CTYPE1": "RA---TAN-SIP",
    "CTYPE2": "DEC--TAN-SIP",
    "CRVAL1": "12.5",
    "CRVAL2": -30.0,
    "CRPIX1": 604.0,
    "CRPIX2": 585.0,
    "CDELT1": 1.0,
    "CROTA2": 3.0,
    "PC1_1": 1.0,
    "PV1_5": 0.1,
    "A_ORDER": 2,
    "A_0_2": 1e-6,
    "PROJP1": 1.0,
    "LONPOLE": 180.0,
    "RADECSYS": "FK5",
    "CD001001": 1.0,
    "WAT1_001": "wtype=tnx",
}


def test_the_solution_replaces_every_old_card(camera):
    field = star_fields.make()
    header = Header([*OLD_CARDS.items(), ("OBJECT", "x"), ("PVALUE", 3), ("A_NOTE", 1)])
    frame = frame_of(field, header)
    solved = astrometry.with_solution(frame, solve(field, camera))
    for key in (
        "CDELT1",
        "CROTA2",
        "PC1_1",
        "A_ORDER",
        "A_0_2",
        "PROJP1",
        "LONPOLE",
        "CD001001",
        "WAT1_001",
        "RADECSYS",
    ):
        assert key not in solved.header
    assert solved.header["CTYPE1"] == "RA---TPV"
    assert isinstance(solved.header["CRVAL1"], float)
    assert solved.header["ASTROMETRY"] == "SUCCESS"
    assert {"OBJECT", "PVALUE", "A_NOTE"} <= set(solved.header)
    assert frame.header["CTYPE1"] == "RA---TAN-SIP"


def test_a_failed_frame_says_so_and_keeps_no_position(camera):
    field = star_fields.make()
    old = Header(list(OLD_CARDS.items()))
    set_cards(old, {"MAR AST RMS1": 7.0, "MAR PHO ZP": 20.0, "MAR PRO FWHMMEAN": 3.0, "MAR QC NCMODE": 9.0})
    failed = astrometry.without_solution(frame_of(field, old))
    assert failed.header["ASTROMETRY"] == "FAILED"
    assert not {"CTYPE1", "CRVAL1", "CD1_1", "PV1_5"} & set(failed.header)
    assert [key for key in failed.header if key.startswith("MAR")] == ["MAR QC NCMODE"]


def test_the_solution_survives_the_header(camera):
    field = star_fields.make()
    solution = solve(field, camera)
    solved = astrometry.with_solution(frame_of(field, Header()), solution)
    again = rough_from_header(solved.header, field.shape)
    middle = (field.shape[1] + 1) / 2, (field.shape[0] + 1) / 2
    np.testing.assert_allclose(again.crval, solution.wcs.sky(*map(np.array, middle)), atol=1e-9)


def test_the_pointing_is_at_the_middle_of_the_trimmed_frame(camera):
    field = star_fields.make()
    header = Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRPIX1", 4608.5), ("CRVAL1", 1.0)])
    rough = rough_wcs(frame_of(field, header, *field.pointing), camera)
    assert rough.crpix == (576.5, 577.5)
    assert rough.crval == field.pointing
    assert rough.cd[0, 0] < 0 < rough.cd[1, 1]


def test_world_coordinates_serve_where_no_pointing_is_given(camera):
    field = star_fields.make(offset_arcmin=0)
    header = Header()
    scale = star_fields.SCALE / 3600
    cards = {
        "CTYPE1": "RA---TAN-SIP",
        "CTYPE2": "DEC--TAN-SIP",
        "CRVAL1": field.truth.ra,
        "CRVAL2": f"{field.truth.dec}",
        "CRPIX1": 600.0,
        "CRPIX2": 560.0,
        "CD1_1": -scale,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": scale,
        "A_ORDER": 2,
        "B_ORDER": 2,
        "A_2_0": 1e-7,
        "B_0_2": 1e-7,
    }
    header.update(cards)
    rough = rough_wcs(frame_of(field, header), camera)
    solution = astrometry.solve(field.sources, field.reference, rough, field.shape, settings())
    assert_within_the_bar(solution, field)


def test_a_frame_that_says_nothing_about_its_position(camera):
    with pytest.raises(BadHeader, match=r"f\.fits"):
        rough_wcs(frame_of(star_fields.make(), Header()), camera)


def test_the_cone_holds_every_star_that_the_frame_may_show(camera):
    field = star_fields.make(offset_arcmin=5.0)
    rough = rough_from_pointing(*field.pointing, camera, field.shape)
    cone = astrometry.search_cone(rough, field.shape, Scamp())
    corners = field.truth.sky(np.array([1, 1, 1152, 1152]), np.array([1, 1154, 1, 1154]))
    assert separation_deg(cone, *corners).max() < cone.radius_deg


def test_positions_are_added_to_the_sources(camera):
    field = star_fields.make(noise_px=0.001, spurious=0.0)
    placed = astrometry.add_positions(field.sources, solve(field, camera).wcs)
    _, dec = field.truth.sky(np.array(field.sources["X_IMAGE"]), np.array(field.sources["Y_IMAGE"]))
    np.testing.assert_allclose(placed["DELTA_J2000"], dec, atol=30 / 3.6e6)
    assert str(placed["ALPHAWIN_J2000"].unit) == "deg"
    assert "ALPHA_J2000" not in field.sources.colnames


@pytest.fixture(scope="module")
def observed(camera, tmp_path_factory):
    """One frame each of a red and a blue band, detector signature removed by its truth, and the reference."""
    root = tmp_path_factory.mktemp("sky")
    effects = Effects().without("structure", "trails", "cosmics", "fringes")
    night = simulate_night(
        root, camera, fields=1, exposures=1, bands=["R", "F395"], biases=0, flats=0, effects=effects
    )
    packs = RefCat(root / "REFCAT")
    packs.add(night.reference)
    frames = {}
    for (_, band), (path,) in night.science.items():
        raw = mark_saturated(read_frame(path, camera), camera, Config().saturation)
        frame = subtract_overscan(raw, camera, Config().scan)
        data = (frame.data / night.truth.response(band)).astype("f4")
        mask = frame.own_mask() | night.truth.defects()
        frames[band] = frame.replace(data=data, mask=mask), night.truth.frame(path.name)
    return frames, packs


@pytest.fixture(scope="module", params=["R", "F395"])
def reduced(request, camera, observed):
    """Sources and solution of one simulated frame, with its truth."""
    frames, packs = observed
    frame, truth = frames[request.param]
    config = Config()
    background = estimate(frame.data, frame.mask)
    sources = detect(frame.data, frame.mask, background, config.reduction, gain=camera.gain)
    rough = rough_wcs(frame, camera)
    stars = packs.stars_in(
        astrometry.search_cone(rough, frame.data.shape, config.scamp), frame.exposure.date_obs
    )
    solution = astrometry.solve(sources, stars, rough, frame.data.shape, config, request.param)
    return SimpleNamespace(
        frame=frame, truth=truth, config=config, sources=sources, rough=rough, stars=stars, solution=solution
    )


def simulated_errors_mas(wcs, truth, shape):
    x, y = np.meshgrid(np.linspace(15, shape[1] - 15, 12), np.linspace(15, shape[0] - 15, 12))
    ra, dec = wcs.sky(x + 1, y + 1)
    true_ra, true_dec = truth.wcs.pixel_to_sky(x, y)
    east = ((ra - true_ra + 180) % 360 - 180) * np.cos(np.radians(true_dec))
    return 3.6e6 * np.stack([east, dec - true_dec]).reshape(2, -1)


def test_a_simulated_frame_meets_the_bar_and_its_pointing_does_not(reduced):
    error = simulated_errors_mas(reduced.solution.wcs, reduced.truth, reduced.frame.data.shape)
    assert np.sqrt((error**2).mean(axis=1)).max() < 20
    assert np.abs(error.mean(axis=1)).max() < 10
    rough = simulated_errors_mas(reduced.rough, reduced.truth, reduced.frame.data.shape)
    assert np.abs(rough.mean(axis=1)).max() > 300


def test_the_zero_point_of_a_simulated_frame(reduced, camera):
    placed = astrometry.add_positions(reduced.sources, reduced.solution.wcs)
    exposure = reduced.frame.exposure
    zero = zero_point(
        placed, reduced.stars, exposure.band, exposure.exptime_s, 0.0, reduced.config.photometry
    )
    # Kron apertures lose about 3 % of a star's light
    assert zero.value == pytest.approx(reduced.truth.zeropoint - 0.03, abs=0.02)
    assert zero.scatter < 0.05
    assert zero.stars > 50


@pytest.mark.parametrize(("air_mas", "expected"), [(40.0, (36, 44)), (0.0, (1, 4))])
def test_the_air_is_measured_from_the_brightest_stars(air_mas, expected):
    rng = np.random.default_rng(2)
    n = 4000
    photon = rng.uniform(3, 60, n)
    points = Points(rng.uniform(1, 999, n), rng.uniform(1, 999, n), photon, photon < 5, 5.0)
    residual = rng.normal(0, 1, (n, 2)) * np.hypot(photon, air_mas)[:, None]
    residual[:20] = 500.0  # what clipping left
    fit = Fit(tangent((10.0, 0.0), (1, 1), np.eye(2) / 3600), 1, np.arange(n), np.arange(n), residual)
    assert expected[0] <= measured_floor(points, fit) <= expected[1]


def test_few_stars_keep_the_floor_that_is_configured():
    n = np.arange(100)
    points = Points(n, n, 3.0 + n, n < 5, 5.0)
    fit = Fit(tangent((10.0, 0.0), (1, 1), np.eye(2) / 3600), 1, n, n, np.full((100, 2), 40.0))
    assert measured_floor(points, fit) == 5.0
