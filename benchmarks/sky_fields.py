"""How many disturbed fields are solved, and is one of them wrong? Simulated frames of the mini camera.

`python benchmarks/sky_fields.py --fields 500` paints, detects and solves; nothing was tuned on its seeds.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from astropy.table import Table, vstack

from mar.config import Config
from mar.config.scamp import Scamp
from mar.errors import NotSolved
from mar.refcat.stars import Stars
from mar.simulate import Conditions, Effects, simulate_sky_frame
from mar.simulate.samples import SkyFrame
from mar.steps.astrometry import solve
from mar.steps.background import estimate
from mar.steps.projection import from_plane
from mar.steps.sources import detect
from mar.steps.tpv import Tpv, tangent

SHAPE = (1154, 1152)
FIRST_SEED = 710_000
SCALE = 0.55 / 3600
POLE, PLANE = 1.0, 40.0  # density of the stars, relative to a high latitude
OFFSET, ANGLE, SCALE_ERROR, SPURIOUS, COMPLETE = 120.0, 4.9, 0.02, 0.3, 0.9
WRONG_MAS = 500.0  # rms over the frame
Row = dict[str, float | bool | str]


def painted(seed: int, density: float, trail: bool, cloud: bool, rng: np.random.Generator) -> SkyFrame:
    """A frame with cosmic rays; a cloud takes 1 to 2.5 magnitudes and leaves a gradient."""
    conditions = Conditions(trail_fraction=0.0, seeing_arcsec=float(rng.uniform(1.1, 2.5)))
    exptime_s = 40 * 10 ** (-0.4 * rng.uniform(1.0, 2.5)) if cloud else 40.0
    sky = simulate_sky_frame(
        SHAPE,
        seed,
        density=density,
        exposure=1 if trail else 0,
        exptime_s=float(exptime_s),
        conditions=conditions,
        effects=Effects() if trail else Effects().without("trails"),
    )
    if cloud:
        y, x = np.indices(SHAPE, dtype=np.float32)
        sky.data[...] += (0.5 * sky.sky_adu * (x / SHAPE[1] + 0.5 * y / SHAPE[0])).astype(np.float32)
    return sky


def catalogue(sky: SkyFrame, rng: np.random.Generator) -> Stars:
    """Nine of ten stars to R 18.5, and beyond the painted sky as many others again."""
    stars = sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG_R"] < 18.5)]
    stars = stars[rng.uniform(size=len(stars)) < COMPLETE]
    ra, dec, magnitude = (np.asarray(stars[name], float) for name in ("RA", "DEC", "MAG_R"))
    noise = rng.normal(0, 5 / 3.6e6, (2, len(ra)))
    inner, outer = np.ptp(dec) / 2, np.ptp(dec) / 2 + 6 / 60
    n = int(len(ra) * (outer / inner) ** 2)
    xi, eta = rng.uniform(-outer, outer, (2, n))
    far = np.maximum(np.abs(xi), np.abs(eta)) > inner
    more_ra, more_dec = from_plane(xi[far], eta[far], sky.wcs.ra, sky.wcs.dec)
    more = rng.choice(magnitude, int(far.sum())) if len(ra) else np.empty(0)
    return Stars(
        np.append(ra + noise[0] / np.cos(np.radians(dec)), more_ra),
        np.append(dec + noise[1], more_dec),
        np.append(magnitude, more),
    )


def with_spurious(sources: Table, rng: np.random.Generator) -> Table:
    """Three of ten sources are then none: copies of true ones at places drawn at random."""
    number = int(len(sources) * SPURIOUS / (1 - SPURIOUS))
    copies = sources[rng.integers(0, max(len(sources), 1), number)] if len(sources) else sources
    for axis, size in (("X", SHAPE[1]), ("Y", SHAPE[0])):
        place = rng.uniform(12, size - 12, len(copies))
        copies[f"{axis}_IMAGE"] = copies[f"{axis}WIN_IMAGE"] = place
    return vstack([sources, copies])


def wrong_pointing(sky: SkyFrame, mirrored: bool, rng: np.random.Generator) -> Tpv:
    """The header's idea of the frame: 2 arcmin off, turned, of another scale, perhaps mirrored."""
    middle = (SHAPE[1] + 1) / 2, (SHAPE[0] + 1) / 2
    ra, dec = sky.wcs.pixel_to_sky(np.array(middle[0] - 1), np.array(middle[1] - 1))
    way = rng.uniform(0, 2 * np.pi)
    ra, dec = from_plane(*(OFFSET / 3600 * np.array([np.cos(way), np.sin(way)])), float(ra), float(dec))
    angle = np.radians(rng.uniform(-ANGLE, ANGLE))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = 1 + rng.uniform(-SCALE_ERROR, SCALE_ERROR)
    cd = turn @ np.array(sky.wcs.cd) * scale @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    return tangent((float(ra), float(dec)), middle, cd)


def error_mas(wcs: Tpv, sky: SkyFrame) -> float:
    """Rms distance from the truth over the frame."""
    x, y = np.meshgrid(*(np.linspace(1, size, 12) for size in SHAPE[::-1]))
    ra, dec = wcs.sky(x, y)
    true_ra, true_dec = sky.wcs.pixel_to_sky(x - 1, y - 1)
    east = ((ra - true_ra + 180) % 360 - 180) * np.cos(np.radians(true_dec))
    return float(3.6e6 * np.sqrt((east**2 + (dec - true_dec) ** 2).mean()))


def field(number: int, first_seed: int) -> Row:
    """One field: painted, disturbed, solved, held against the truth."""
    rng = np.random.default_rng(first_seed + number)
    density = float(np.exp(rng.uniform(np.log(POLE), np.log(PLANE))))
    trail, cloud, mirrored = number % 10 == 0, number % 10 in (3, 6, 9), bool(rng.integers(2))
    sky = painted(first_seed + number, density, trail, cloud, rng)
    config = Config(scamp=Scamp(match_flipped=True))
    found = detect(sky.data, None, estimate(sky.data, None), config.reduction, gain=0.95)
    sources = with_spurious(found, rng)
    row: Row = {"density": density, "trail": trail, "cloud": cloud, "mirrored": mirrored, "seed": number}
    rough, stars = wrong_pointing(sky, mirrored, rng), catalogue(sky, rng)
    began = time.perf_counter()
    try:
        solution = solve(sources, stars, rough, SHAPE, config)
    except NotSolved as error:
        return row | {"sources": len(sources), "error_mas": float("nan"), "said": str(error)}
    seconds = time.perf_counter() - began
    return row | {
        "sources": len(sources),
        "seconds": seconds,
        "stars": solution.stars,
        "chance": solution.log10_chance,
        "error_mas": error_mas(solution.wcs, sky),
    }


def summary(rows: list[Row]) -> list[str]:
    """The table: fields, solved, wrong, and the errors of the solved."""
    groups = {
        "all": rows,
        "pole (density below 3)": [row for row in rows if row["density"] < 3],
        "between": [row for row in rows if 3 <= row["density"] < 15],
        "plane (above 15)": [row for row in rows if row["density"] >= 15],
        "with a trail": [row for row in rows if row["trail"]],
        "through cloud": [row for row in rows if row["cloud"]],
        "mirrored": [row for row in rows if row["mirrored"]],
    }
    lines = [
        "| fields | number | solved | wrong | median, 95 %, largest error (mas rms) |",
        "| --- " * 5 + "|",
    ]
    for name, group in groups.items():
        errors = np.array([row["error_mas"] for row in group], dtype=float)
        good = errors[np.isfinite(errors)]
        said = ", ".join(f"{value:.0f}" for value in np.percentile(good, [50, 95, 100])) if len(good) else "-"
        wrong = int((good > WRONG_MAS).sum())
        lines.append(f"| {name} | {len(group)} | {len(good)} | {wrong} | {said} |")
    return lines


def main() -> int:
    """Solve the fields and print the table; exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fields", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--json", type=Path, help="append a line for each field")
    arguments = parser.parse_args()
    rows = []
    for number in range(arguments.fields):
        rows.append(field(number, arguments.first_seed))
        if arguments.json:
            with arguments.json.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print("\n".join(summary(rows)))
    for row in rows:
        if not row["error_mas"] <= WRONG_MAS:
            print(row)
    errors = np.array([row["error_mas"] for row in rows], dtype=float)
    solved = np.isfinite(errors)
    return 0 if solved.mean() >= 0.99 and not (errors[solved] > WRONG_MAS).any() else 1


if __name__ == "__main__":
    sys.exit(main())
