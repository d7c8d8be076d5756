"""The astrometric solution of one frame beside scamp, and of a field's bands together, against the truth.

`python benchmarks/sky_astrometry.py --only solution --scale 1`
"""

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table
from astropy.wcs import WCS, FITSFixedWarning

import programs
from conventions import Bar, Figures, main, measured
from mar.config import Config
from mar.io.catalogs import read_catalog, write_ldac
from mar.refcat.packs import RefCat
from mar.refcat.stars import Stars
from mar.simulate import Effects, simulate_sky_frame
from mar.steps.astrometry import search_cone, solve
from mar.steps.background import estimate
from mar.steps.rough import rough_from_header
from mar.steps.sources import detect
from mar.steps.together import Member, solve_together
from mar.steps.tpv import Tpv, tangent

SIDE = 9216  # of the full camera
GAIN = 0.95
STILL = Effects().without("cosmics", "trails", "proper_motion", "galaxies")
SCAMP = {
    "ASTREF_CATALOG": "FILE",
    "ASTREFCAT_NAME": "reference.cat",
    "ASTREFCENT_KEYS": "X_WORLD,Y_WORLD",
    "ASTREFERR_KEYS": "ERRA_WORLD,ERRB_WORLD,ERRTHETA_WORLD",
    "ASTREFMAG_KEY": "MAG",
    "ASTREFMAGERR_KEY": "MAGERR",
    "CENTROID_KEYS": "XWIN_IMAGE,YWIN_IMAGE",
    "CENTROIDERR_KEYS": "ERRAWIN_IMAGE,ERRBWIN_IMAGE,ERRTHETAWIN_IMAGE",
    "CROSSID_RADIUS": 10,
    "POSITION_MAXERR": 5,
    "DISTORT_DEGREES": 3,
    "SOLVE_PHOTOM": "N",
}


def painted(side: int, **more):  # type: ignore[no-untyped-def]
    """A frame with its sources and the stars that a survey knows exactly."""
    density = max(1.0, 0.4 / (side * 0.55 / 3600) ** 2) if side < 4096 else 1.0
    sky = simulate_sky_frame((side, side), 3, density=density, effects=STILL, **more)
    sources = detect(sky.data, None, estimate(sky.data, None), Config().reduction, gain=GAIN)
    stars = sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG_R"] < 18)]
    return SimpleNamespace(sky=sky, sources=sources, stars=stars)


def image_header(frame: SimpleNamespace, rough: Tpv) -> Header:
    """As a FITS image has it, with the rough coordinates."""
    ny, nx = frame.sky.data.shape
    header = Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", nx), ("NAXIS2", ny)])
    for key, (value, _) in rough.cards().items():
        if not key.startswith("PV"):
            header[key] = value.replace("TPV", "TAN") if isinstance(value, str) else value
    return header


def reference_catalog(path: Path, stars: Table) -> None:
    """For scamp, in its own form; positions good to 0.1 mas."""
    n = len(stars)
    table = Table({"X_WORLD": stars["RA"], "Y_WORLD": stars["DEC"], "MAG": stars["MAG_R"]})
    for name, value in (("ERRA", 3e-8), ("ERRB", 3e-8), ("ERRTHETA", 0.0)):
        table[f"{name}_WORLD"] = np.full(n, value)
    table["MAGERR"], table["OBSDATE"] = np.full(n, 0.01), np.full(n, 2016.0)
    table["FLAGS"] = np.zeros(n, "i2")
    hdu = fits.table_to_hdu(table)
    hdu.name = "LDAC_OBJECTS"
    cards = fits.Column("Field Header Card", "80A", array=np.array(["END" + 77 * " "]))
    head = fits.BinTableHDU.from_columns([cards], name="LDAC_IMHEAD")
    fits.HDUList([fits.PrimaryHDU(), head, hdu]).writeto(path)


Place = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def errors_mas(place: Place, sky) -> np.ndarray:  # type: ignore[no-untyped-def]
    """East and north errors (2, n) over the frame of coordinates that count pixels from 1."""
    x, y = np.meshgrid(*(np.linspace(20, side - 20, 25) for side in sky.data.shape[::-1]))
    ra, dec = place(x.ravel(), y.ravel())
    true_ra, true_dec = sky.wcs.pixel_to_sky(x.ravel() - 1, y.ravel() - 1)
    return 3.6e6 * np.stack([(ra - true_ra) * np.cos(np.radians(true_dec)), dec - true_dec])


def _radial(errors: np.ndarray) -> tuple[float, float]:
    distance = np.hypot(*errors)
    return float(np.sqrt((distance**2).mean())), float(distance.max())


def _rough(frame: SimpleNamespace) -> Tpv:
    """What a header says: a tangent plane, 40 arcsec off."""
    shape = frame.sky.data.shape
    true = rough_from_header(frame.sky.wcs.header(), shape)
    return tangent((true.crval[0] + 0.01, true.crval[1] + 0.006), true.crpix, true.cd)


def solution(arguments: argparse.Namespace) -> Figures:
    """One frame from its catalogue, beside scamp: seconds, memory and errors against the truth."""
    frame = painted(int(SIDE / arguments.scale))
    shape, rough, config = frame.sky.data.shape, _rough(frame), Config()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_ldac(folder / "ours.cat", frame.sources, image_header(frame, rough))
        reference_catalog(folder / "reference.cat", frame.stars)
        table = Table({"RA": frame.stars["RA"], "DEC": frame.stars["DEC"], "MAG": frame.stars["MAG_R"]})
        RefCat(folder).add_table(table, "exact", "truth", 2016.0, 0.1)
        command = programs.scamp(folder, [folder / "ours.cat"], **SCAMP)
        taken: dict[str, list[float]] = {"ours": [], "scamp": []}
        peaks = []
        for _ in range(arguments.rounds + 1):
            began = time.perf_counter()
            sources = read_catalog(folder / "ours.cat")
            stars = RefCat(folder).stars_in(search_cone(rough, shape, config.scamp), 2016.0)
            found = solve(sources, stars, rough, shape, config, "R")
            taken["ours"].append(time.perf_counter() - began)
            run = measured(command)
            taken["scamp"].append(run.seconds)
            peaks.append(run.memory.largest_gb)
        head = Header.fromstring((folder / "ours.head").read_bytes().decode("ascii", "ignore"), sep="\n")
    seconds = {name: statistics.median(values[1:]) for name, values in taken.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        theirs = WCS(head)
    rms, worst = _radial(errors_mas(found.wcs.sky, frame.sky))
    their_rms, their_worst = _radial(errors_mas(lambda x, y: theirs.all_pix2world(x, y, 1), frame.sky))
    return Figures(
        "solution",
        seconds,
        {"scamp": max(peaks)},
        [
            Bar("times faster than scamp", seconds["scamp"] / seconds["ours"], 3, above=True),
            Bar("radial rms against the truth", rms, 1.0, unit="mas"),
            Bar("largest error", worst, 3.0, unit="mas"),
        ],
        [
            f"scamp: rms {their_rms:.2f} mas, largest {their_worst:.2f} mas",
            f"{found.stars} stars of {len(sources)} sources, formal error {found.error_mas[0]:.2f} mas",
        ],
    )


def together(arguments: argparse.Namespace) -> Figures:
    """Bands of one field solved one by one and together: how far they are apart on the sky."""
    side = int(SIDE / arguments.scale)
    config = Config()
    frames = [painted(side, band=band, exposure=k) for band in ("G", "R", "I") for k in (0, 2, 3)]
    bands = [band for band in ("G", "R", "I") for _ in range(3)]
    known = frames[0].stars
    noise = np.random.default_rng(5).normal(0, 10 / 3.6e6, (2, len(known)))  # a catalogue of 10 mas
    dec = np.asarray(known["DEC"])
    reference = Stars(
        np.asarray(known["RA"]) + noise[0] / np.cos(np.radians(dec)),
        dec + noise[1],
        np.asarray(known["MAG_R"]),
    )
    own = []
    for one, band in zip(frames, bands, strict=True):
        own.append(solve(one.sources, reference, _rough(one), one.sky.data.shape, config, band).wcs)
    began = time.perf_counter()
    members = [_member(one, wcs, band) for one, wcs, band in zip(frames, own, bands, strict=True)]
    found = solve_together(members, reference, 3)
    seconds = time.perf_counter() - began
    alone, joint = (_apart(some, frames, bands) for some in (own, found.wcs))
    return Figures(
        "together",
        {f"{len(frames)} frames": seconds},
        {},
        [Bar("band to band, median", joint, 2.0, unit="mas")],
        [
            f"one by one {alone:.2f} mas, together {joint:.2f}",
            f"{found.stars} stars, internal rms {found.internal_mas[0]:.1f} mas, "
            f"reference {found.reference_mas[0]:.1f} mas",
        ],
    )


def _member(one: SimpleNamespace, wcs: Tpv, band: str) -> Member:
    table = one.sources[(one.sources["SNR_WIN"] > 20) & (one.sources["FLAGS"] == 0)]
    error = (
        550 * np.hypot(np.asarray(table["ERRAWIN_IMAGE"]), np.asarray(table["ERRBWIN_IMAGE"])) / np.sqrt(2)
    )
    x, y = (np.asarray(table[name]) for name in ("XWIN_IMAGE", "YWIN_IMAGE"))
    return Member(wcs, one.sky.data.shape, x, y, np.hypot(error, 3.0), band)


def _apart(solutions: list[Tpv], frames: list[SimpleNamespace], bands: list[str]) -> float:
    """Median over the frame and the pairs of bands of the distance between their mean errors, mas."""
    errors = np.array([errors_mas(wcs.sky, one.sky) for wcs, one in zip(solutions, frames, strict=True)])
    means = [errors[[b == band for b in bands]].mean(axis=0) for band in dict.fromkeys(bands)]
    pairs = [(means[i] - means[j]) for i in range(len(means)) for j in range(i)]
    return float(np.median([np.hypot(*pair) for pair in pairs]))


WORKS = {"solution": solution, "together": together}

if __name__ == "__main__":
    sys.exit(main(__doc__ or "", WORKS))
