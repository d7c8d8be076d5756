"""Fringes, saturation, repair, and cosmic rays where there are none: figures against the truth, and seconds.

Truth is that of simulated fields as large as the mini camera; the seconds are those of a call on an image of
the scale asked for, arrays in memory, with nothing else than the step.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from astropy.io.fits import Header

from conventions import Bar, Figures
from conventions import main as run_works
from mar.config.cosmics import Cosmics
from mar.config.fringe import Fringe
from mar.config.fringeframe import FringeFrame
from mar.config.reduction import Reduction
from mar.config.repair import Repair
from mar.config.saturation import Saturation
from mar.frame import Frame
from mar.kernels.repair import IDW, interpolate
from mar.masks import Bit
from mar.recipes.stacking import StackFrame
from mar.recipes.superflat import superflat
from mar.simulate import Conditions, Effects, plain_camera, simulate_sky_frame
from mar.simulate.fringes import fringe_pattern
from mar.steps.cosmics import find_cosmics
from mar.steps.fringe import fringe_amplitude, subtract_fringe
from mar.steps.repair import repair_masked
from mar.steps.rows import ArrayRows
from mar.steps.saturation import mark_saturated
from truth import score

FULL = (9232, 9216)
MINI = (1154, 1152)
STACKED, CLEAN, SHARE = 11, 20, 0.02  # frames of the superflat; frames without hits; fringes of the sky
LEFT, SATURATED, FALSE_PER_MPIX, CHANGED_MMAG = 0.05, 0.99, 3.0, 1.0
STARS_ADU = 60.0  # sigmas of the sky that the peak of a star stands above it


def seconds_of(work: Callable[[], object], rounds: int) -> float:
    """The median of some calls, after one that warms up."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def image(arguments: argparse.Namespace) -> np.ndarray:
    """Noise about a sky of 400 ADU, as large as the scale says."""
    shape = round(FULL[0] / arguments.scale), round(FULL[1] / arguments.scale)
    noise = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    noise *= 20
    noise += 400
    return noise


def fringe(arguments: argparse.Namespace) -> Figures:
    """The fringes of a Z frame taken off with a superflat of eleven others, and frames without any."""
    pattern = fringe_pattern(MINI, seed=3)
    pattern -= pattern.mean()
    skies = [
        simulate_sky_frame(MINI, seed=20 + n, band="Z", effects=Effects().without("fringes"))
        for n in range(STACKED + 1)
    ]
    plain = [Frame(one.data, one.header, None, label=f"z{n}.fits") for n, one in enumerate(skies)]
    fringed = [
        frame.replace(data=frame.data + np.float32(SHARE * one.sky_adu) * pattern)
        for frame, one in zip(plain, skies, strict=True)
    ]
    stack = [
        StackFrame(f.label[:-5], ArrayRows(f.data), 56.0, None, (10.0 + n, -30.0))
        for n, f in enumerate(fringed[:STACKED])
    ]
    made = superflat(stack, "Z", Fringe(), FringeFrame())
    there = fringed[-1].data - plain[-1].data
    after = subtract_fringe(fringed[-1], made.frame, Fringe())
    left = after.data - plain[-1].data
    untouched = subtract_fringe(plain[-1], made.frame, Fringe())
    figures = Figures("fringe")
    large = image(arguments)
    pattern = fringe_pattern(large.shape, seed=1)
    whole = Frame(large + 4 * pattern, Header(), None), Frame(pattern, Header(), None)
    figures.seconds["subtract_fringe"] = seconds_of(
        lambda: subtract_fringe(*whole, Fringe()), arguments.rounds
    )
    figures.seconds["of that the amplitude"] = seconds_of(
        lambda: fringe_amplitude(*whole, Fringe()), arguments.rounds
    )
    figures.bars = [
        Bar("fringes left, of their amplitude", abs(float((left * there).sum() / (there**2).sum())), LEFT),
        Bar("noise of the sky, after over before", spread(after.data) / spread(fringed[-1].data), 1.0),
        Bar("pixels changed where there is none", float((untouched.data != plain[-1].data).sum()), 1.0),
    ]
    figures.remarks.append(
        f"with the superflat's noise {100 * left.std() / there.std():.1f} % of the fringes' rms is left "
        f"({left.std():.2f} of {there.std():.2f} ADU; the sky's noise is {skies[-1].noise_adu:.1f} ADU)"
    )
    return figures


def spread(data: np.ndarray) -> float:
    """The noise of the bulk of an image."""
    return float(1.4826 * np.median(np.abs(data - np.median(data))))


def saturation(arguments: argparse.Namespace) -> Figures:
    """Saturated and bled pixels of crowded fields against the truth."""
    found, real = [], []
    for seed in range(4):
        made = simulate_sky_frame((700, 700), seed=seed, density=40.0, exptime_s=300.0)
        raw = Frame((made.data + Conditions().bias_adu).astype("u2"), made.header)
        found.append(mark_saturated(raw, made.camera, Saturation()).bits(Bit.SATURATED))
        real.append((made.mask & Bit.SATURATED) != 0)
    judged = score(zip(found, real, strict=True), tolerance_px=0)
    counts = image(arguments).astype("u2")
    counts[::50, 100:104] = 65535
    camera, raw = plain_camera(counts.shape), Frame(counts, Header())
    figures = Figures("saturation")
    figures.seconds["mark_saturated"] = seconds_of(
        lambda: mark_saturated(raw, camera, Saturation()), arguments.rounds
    )
    figures.bars = [Bar("saturated and bled pixels, recall", judged.recall, SATURATED, above=True)]
    figures.remarks.append(f"purity {100 * (judged.purity or 0):.1f} % without tolerance")
    return figures


def repair(arguments: argparse.Namespace) -> Figures:
    """Bad pixels and columns given the values of their surroundings, by each method."""
    data = image(arguments)
    rng = np.random.default_rng(2)
    mask = np.zeros(data.shape, np.uint8)
    at = rng.integers(0, data.size, data.size // 12000)
    mask.ravel()[at] = Bit.BAD
    mask[:, rng.integers(0, data.shape[1], max(1, data.shape[1] // 800))] = Bit.BAD
    data[mask != 0] = 60000
    frame = Frame(data, Header(), mask)
    figures = Figures("repair")
    for method in ("idw", "median", "linear"):
        reduction = Reduction(pixcor_interpolator=method)
        off = repair_masked(frame, Repair(), reduction).data[mask != 0] - 400
        figures.seconds[method] = seconds_of(
            lambda reduction=reduction: repair_masked(frame, Repair(), reduction), arguments.rounds
        )
        figures.bars.append(Bar(f"{method}: repaired pixels off the sky", abs(off.mean()), 1.0, unit="ADU"))
    figures.remarks.append(f"{np.count_nonzero(mask)} masked pixels")
    return figures


def clean(arguments: argparse.Namespace) -> Figures:
    """Twenty frames without cosmic rays, of seeings and crowdings: false pixels, and what stars lose."""
    false, mpix, changes = 0, 0.0, [0.0]
    for seed in range(CLEAN):
        fwhm, density = (1.6, 2.0, 2.7, 4.0)[seed % 4], (4.0, 8.0, 30.0, 60.0, 120.0)[seed % 5]
        made = simulate_sky_frame(
            (700, 700),
            seed=100 + seed,
            density=density,
            effects=Effects().without("cosmics"),
            conditions=Conditions(seeing_arcsec=0.55 * fwhm, seeing_scatter=0),
        )
        saturated = made.mask & np.uint8(Bit.SATURATED)
        found = find_cosmics(Frame(made.data, made.header, saturated), made.camera, Cosmics())
        false, mpix = false + int(found.sum()), mpix + found.size / 1e6
        changes += lost_light(made, found, saturated != 0, max(2, round(fwhm)))
    figures = Figures("clean")
    most = 1085.7 * np.array(changes)
    figures.bars = [
        Bar("false cosmic pixels per Mpixel", false / mpix, FALSE_PER_MPIX),
        Bar("stars changed by more than 1 mmag, part", float((most > CHANGED_MMAG).mean()), 1e-4),
    ]
    figures.remarks.append(
        f"{false} false pixels in {CLEAN} frames; {len(changes)} stars, the worst {most.max():.2f} mmag"
    )
    return figures


def lost_light(made, found: np.ndarray, saturated: np.ndarray, reach: int) -> list[float]:  # type: ignore[no-untyped-def]
    """Of each bright star the part of its light that cleaning the found pixels changes."""
    change = np.zeros_like(made.data)
    ys, xs = np.nonzero(found)
    values = interpolate(made.data, found.view("u1"), 1, ys, xs, IDW, 5)
    change[ys, xs] = np.abs(values - made.data[ys, xs])
    parts = []
    places = np.round(np.column_stack([made.sources["Y"], made.sources["X"]])).astype(int)
    for y, x in places[((places > 12) & (places < np.array(found.shape) - 13)).all(axis=1)]:
        box = np.s_[y - reach : y + reach + 1, x - reach : x + reach + 1]
        bright = made.data[y, x] - made.sky_adu > STARS_ADU * made.noise_adu
        if bright and not saturated[y - 12 : y + 13, x - 12 : x + 13].any():
            parts.append(float(change[box].sum() / (made.data[box] - made.sky_adu).sum()))
    return parts


WORKS = {"fringe": fringe, "saturation": saturation, "repair": repair, "clean": clean}


def main() -> int:
    """Run the works that the arguments name."""
    return run_works(__doc__ or "", WORKS)


if __name__ == "__main__":
    sys.exit(main())
