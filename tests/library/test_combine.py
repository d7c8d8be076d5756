"""Combining a stack: the kernel against its naive twin, and what must hold for any stack."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import naive
from mar.errors import BadConfig, BadImage, NotEnoughFrames
from mar.steps.combine import METHODS, REJECTIONS, Rejection, combine

CCD = Rejection("ccdclip", read_noise_e=3.43, gain=0.95)
RULES = [
    Rejection("none"),
    Rejection("minmax", nlow=1, nhigh=2),
    Rejection("sigclip", low_sigma=1.5, high_sigma=1.5),
    Rejection("sigclip", low_sigma=1.0, high_sigma=2.0, nkeep=-3),
    Rejection("sigclip", low_sigma=1.5, high_sigma=1.5, centre="mean"),
    Rejection("avsigclip"),
    Rejection("avsigclip", low_sigma=1.0, high_sigma=1.0, nkeep=4),
    Rejection("avsigclip", low_sigma=1.5, high_sigma=1.0, centre="mean"),
    CCD,
    CCD._replace(low_sigma=1.0, high_sigma=0.5, nkeep=5),
    CCD._replace(low_sigma=2.0, high_sigma=1.5, rounds=1),
    CCD._replace(low_sigma=2.0, high_sigma=1.5, centre="mean", sensitivity=0.01),
    Rejection("pclip"),
    Rejection("pclip", pclip=2.0, low_sigma=1.5, high_sigma=1.5, nkeep=5),
]


def named(rule):
    changed = [
        f"{key}{value}" for key, value in rule._asdict().items() if value != Rejection()._asdict()[key]
    ]
    return "-".join(changed) or rule.kind


ALL_MAPS = frozenset(("count", "sigma", "rejected"))


@pytest.fixture
def stack(rng):
    sky = rng.normal(1000, 33, (9, 6, 90)).astype("f4")
    hits = rng.random(sky.shape) < 0.05
    sky[hits] += rng.uniform(200, 5000, hits.sum()).astype("f4")
    return sky


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("rule", RULES, ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_kernel_agrees_with_naive(stack, rng, rule, method):
    masks = rng.random(stack.shape) < 0.1
    masks[:, :2] = False  # rows without a missing value
    stack[2, 3] = np.nan
    masks[:, 4, 5] = True
    got = combine(stack, method, rule, masks=masks, want=ALL_MAPS)
    value, count, sigma, rejected = naive.combine(stack, method, rule, masks=masks)
    assert_array_equal(got.count, count)
    assert_array_equal(got.rejected, rejected)
    assert_allclose(got.value, value, rtol=1e-6)
    assert_allclose(got.sigma, sigma, rtol=1e-5, atol=1e-4)
    assert np.isnan(got.value[4, 5])


@pytest.mark.parametrize("spread", [0.05, 0.7], ids=["little", "much"])
@pytest.mark.parametrize("rule", RULES, ids=named)
def test_scaled_stack_agrees_with_naive(stack, rng, rule, spread):
    scales, zeros = rng.uniform(1 - spread, 1 + spread, 9), rng.normal(0, 50, 9)
    got = combine(stack, "mean", rule, scales=scales, zeros=zeros)
    value, count, *_ = naive.combine(stack, "mean", rule, scales, zeros)
    assert_array_equal(got.count, count)
    assert_allclose(got.value, value, rtol=1e-5, atol=1e-3)


def test_noise_follows_unscaled_levels_where_scales_differ_much(stack):
    scales = np.r_[1.0, np.full(8, 1.5)]
    always, never = (combine(stack, "mean", CCD._replace(sigscale=s), scales=scales) for s in (0.1, 0))
    assert (always.count != never.count).any()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 30])
@pytest.mark.parametrize("rule", [RULES[0], RULES[1], RULES[5], CCD, RULES[-2]], ids=named)
def test_any_number_of_frames_agrees_with_naive(rng, rule, n):
    frames = rng.normal(1000, 33, (n, 2, 40)).astype("f4")
    frames[0, :, ::7] += 900
    got = combine(frames, "median", rule)
    value, count, sigma, _ = naive.combine(frames, "median", rule)
    assert_array_equal(got.count, count)
    assert_allclose(got.value, value, rtol=1e-6)
    assert_allclose(got.sigma, sigma, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("rule", [RULES[0], RULES[1], RULES[2], RULES[5], CCD], ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_rows_of_several_blocks_and_threads_change_nothing(rng, rule, method):
    wide = rng.normal(1000, 33, (5, 60, 5000)).astype("f4")
    wide[2, :, ::17] += 900
    wide[1, 7, 4999] = np.nan
    whole = combine(wide, method, rule, threads=2)
    for y in (0, 7, 59):
        row = combine(wide[:, y : y + 1], method, rule, threads=1)
        assert_array_equal(whole.value[y], row.value[0])
        assert_array_equal(whole.count[y], row.count[0])
    parts = [combine(wide[:, 9:10, x0 : x0 + 1000], method, rule).value for x0 in range(0, 5000, 1000)]
    if rule.kind != "avsigclip":  # its sigma is that of a row
        assert_array_equal(whole.value[9], np.concatenate(parts, axis=1)[0])


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("rule", [CCD._replace(nkeep=0), Rejection("avsigclip", 0.1, 0.1, 0)], ids=named)
@pytest.mark.parametrize("method", METHODS)
def test_a_pixel_that_may_lose_all_its_values_is_nan(n, rule, method):
    apart = np.zeros((n, 1, 40), dtype="f4") + 100 * np.arange(n, dtype="f4")[:, None, None] ** 2
    got = combine(apart, method, rule, want=ALL_MAPS)
    value, count, sigma, rejected = naive.combine(apart, method, rule)
    assert_array_equal(got.count, count)
    assert_array_equal(got.rejected, rejected)
    assert_allclose(got.value, value)
    assert_allclose(got.sigma, sigma)
    assert_array_equal(combine(apart, method, rule).value, got.value)
    assert np.isnan(got.value[count == 0]).all()


@pytest.mark.parametrize("rule", [CCD, Rejection("none"), Rejection("avsigclip")], ids=named)
def test_the_value_goes_where_it_is_asked_to(stack, rule):
    whole = combine(stack, "median", rule)
    image = np.zeros((6, 200), dtype="f4")
    for out in (image[:, 30:120], np.empty((6, 90), dtype="f4")):
        got = combine(stack, "median", rule, out=out)
        assert got.value is out
        assert_array_equal(out, whole.value)
    assert not image[:, 120:].any()


def test_only_the_maps_asked_for_are_made(stack):
    got = combine(stack, want=frozenset(("count",)))
    assert got.count.shape == stack.shape[1:]
    assert got.sigma.size == got.rejected.size == 0
    assert_array_equal(got.value, combine(stack).value)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 11, 14])
@pytest.mark.parametrize("rule", [one for one in RULES if one.kind in ("avsigclip", "ccdclip")], ids=named)
def test_the_value_alone_is_that_of_all_maps(rng, rule, n):
    counts = np.round(rng.normal(300, 17, (n, 4, 300))).astype("f4")
    counts[rng.random(counts.shape) < 0.03] += 200  # one value lost, two, and now and then more
    counts[rng.random(counts.shape) < 0.01] -= 300
    counts[:, 2:][rng.random((n, 2, 300)) < 0.02] = np.nan
    value, *_ = naive.combine(counts, "median", rule)
    assert_allclose(combine(counts, "median", rule, want=frozenset()).value, value, rtol=1e-6)
    assert_array_equal(
        combine(counts, "median", rule, want=frozenset()).value, combine(counts, "median", rule).value
    )


@pytest.mark.parametrize("rule", [RULES[2], RULES[5], CCD], ids=named)
def test_a_cosmic_ray_is_left_out_of_the_mean(rng, rule):
    flats = rng.normal(1000, 33, (15, 4, 200)).astype("f4")
    flats[3, 2, 50] += 20000
    got = combine(flats, "mean", rule)
    assert abs(got.value[2, 50] - 1000) < 60
    assert got.count[2, 50] <= 14
    plain = combine(flats, "mean", Rejection("none"))
    assert plain.value[2, 50] > 2000


def test_clipping_keeps_nearly_all_of_pure_noise(rng):
    noise = rng.poisson(1000, (11, 8, 400)).astype("f4")
    for rule in (Rejection("avsigclip"), Rejection("ccdclip", gain=1.0)):
        assert combine(noise, "median", rule).count.mean() > 10.9


def test_sigma_is_the_scatter_of_the_frames(rng):
    noise = rng.normal(0, 5, (40, 8, 300)).astype("f4")
    assert abs(np.median(combine(noise, "mean", Rejection("none")).sigma) - 5) < 0.1


def test_combine_does_not_change_its_input(stack):
    before = stack.copy()
    combine(stack, "median", Rejection("sigclip"))
    assert_array_equal(stack, before)


def test_no_frame_is_an_error():
    with pytest.raises(NotEnoughFrames):
        combine(np.empty((0, 3, 3), dtype="f4"))


def test_unknown_words_are_named_with_the_known_ones(stack):
    with pytest.raises(BadConfig, match="median, mean"):
        combine(stack, "mode")
    with pytest.raises(BadConfig, match="avsigclip"):
        combine(stack, "mean", Rejection("kappa"))
    with pytest.raises(BadConfig, match="median, mean"):
        combine(stack, "mean", Rejection(centre="mode"))
    with pytest.raises(BadConfig, match="pclip of 0"):
        combine(stack, "mean", Rejection("pclip", pclip=0))


def test_shapes_that_do_not_fit_are_refused(stack):
    with pytest.raises(BadImage, match="do not fit"):
        combine(stack, masks=np.zeros((9, 2, 2), dtype="u1"))
    with pytest.raises(BadImage, match="9 frames"):
        combine(stack, scales=np.ones(4))


stacks = arrays(
    np.float32,
    st.tuples(st.integers(1, 7), st.just(2), st.integers(1, 5)),
    elements=st.integers(-500, 60000).map(float),
)
kinds = st.sampled_from(sorted(REJECTIONS)).map(lambda kind: Rejection(kind, read_noise_e=4.0, gain=0.95))
methods = st.sampled_from(sorted(METHODS))
quick = settings(max_examples=60, deadline=None)


@quick
@given(stacks, kinds, methods, st.randoms())
def test_order_of_frames_does_not_matter(stack, rule, method, random):
    order = list(range(len(stack)))
    random.shuffle(order)
    assert_allclose(combine(stack[order], method, rule).value, combine(stack, method, rule).value, rtol=1e-6)


@quick
@given(stacks, st.sampled_from(["none", "minmax", "sigclip", "pclip"]), methods, st.integers(-1000, 1000))
def test_offsets_pass_through(stack, kind, method, offset):
    rule = Rejection(kind)
    moved = combine(stack + np.float32(offset), method, rule)
    assert_allclose(moved.value, combine(stack, method, rule).value + offset, rtol=1e-5, atol=0.01)


@quick
@given(stacks, st.sampled_from(["none", "minmax", "sigclip"]), methods, st.sampled_from([0.25, 0.5, 2, 8]))
def test_scales_pass_through(stack, kind, method, factor):
    rule = Rejection(kind)
    larger = combine(stack * np.float32(factor), method, rule)
    assert_allclose(larger.value, combine(stack, method, rule).value * factor, rtol=1e-5)


@quick
@given(stacks, kinds, methods, st.data())
def test_levels_that_are_taken_off_leave_no_trace(stack, rule, method, data):
    shifts = st.lists(st.integers(-2000, 2000), min_size=len(stack), max_size=len(stack))
    zeros = np.array(data.draw(shifts), dtype="f4")
    factor = np.float32(data.draw(st.sampled_from([0.5, 1, 2])))
    plain = combine(stack, method, rule._replace(sigscale=0))
    got = combine(
        (stack + zeros[:, None, None]) * factor,
        method,
        rule._replace(sigscale=0),
        scales=np.full(len(stack), factor),
        zeros=zeros,
    )
    assert_array_equal(got.value, plain.value)
    assert_array_equal(got.count, plain.count)


@quick
@given(stacks, kinds, methods)
def test_a_masked_frame_changes_nothing(stack, rule, method):
    more = np.concatenate([stack, np.full_like(stack[:1], 9999)])
    masks = np.zeros(more.shape, dtype="u1")
    masks[-1] = 4
    if rule.kind in ("minmax", "pclip"):  # their numbers are fractions of all frames
        rule = rule._replace(nlow=0, nhigh=0, pclip=-1.0)
    assert_array_equal(combine(more, method, rule, masks=masks).value, combine(stack, method, rule).value)


@quick
@given(stacks, kinds, methods, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_nan_never_leaks(stack, rule, method, junk):
    more = np.concatenate([stack, np.full_like(stack[:1], junk)])
    got = combine(more, method, rule)
    assert np.isfinite(got.value).all()
    assert got.count.max() <= len(stack)


@quick
@given(stacks, kinds, methods, st.integers(1, 7))
def test_at_least_nkeep_values_stay(stack, rule, method, nkeep):
    if rule.kind == "minmax":
        return
    got = combine(stack, method, rule._replace(nkeep=nkeep, low_sigma=0.1, high_sigma=0.1))
    assert (got.count >= min(nkeep, len(stack))).all()
