"""Sources, PSF figures and zero points of one simulated frame, beside source-extractor and psfex.

`python benchmarks/sky_sources.py --only sources --scale 1`
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.io import votable
from astropy.io.fits import Header
from astropy.table import Table
from scipy.spatial import cKDTree

import programs
from conventions import Bar, Figures, main, measured
from mar.config.photometry import Photometry
from mar.config.reduction import Reduction
from mar.io.catalogs import read_catalog, write_catalog
from mar.io.fits import read_image, write_image
from mar.refcat.stars import Stars
from mar.simulate import Effects, simulate_sky_frame
from mar.steps.background import estimate
from mar.steps.growth import growth_curve
from mar.steps.photometry import zero_point
from mar.steps.quality import psf_figures
from mar.steps.sources import APERTURES_PX, detect

SIDE = 9216  # of the full camera
GAIN = 0.95
ASTROMETRY = (
    *("NUMBER", "X_IMAGE", "Y_IMAGE", "XWIN_IMAGE", "YWIN_IMAGE", "ERRAWIN_IMAGE", "ERRBWIN_IMAGE"),
    *("ERRTHETAWIN_IMAGE", "FLUX_AUTO", "FLUXERR_AUTO", "MAG_AUTO", "FLUX_RADIUS", "FLAGS"),
)
VIGNETS = (
    *("X_IMAGE", "Y_IMAGE", "FLUX_RADIUS", "FLUX_APER(1)", "FLUXERR_APER(1)", "ELONGATION", "SNR_WIN"),
    *("FLAGS", "VIGNET(35,35)"),
)
SETTINGS = {"BACK_SIZE": 256, "BACK_FILTERSIZE": 3, "MAG_ZEROPOINT": 20, "GAIN": GAIN, "GAIN_KEY": "NONE"}
DETECTION = {"DETECT_THRESH": 1.5, "ANALYSIS_THRESH": 1.5, "DETECT_MINAREA": 5}


@lru_cache(maxsize=1)
def frame(side: int):  # type: ignore[no-untyped-def]
    """A simulated frame at the density of a high latitude."""
    density = max(1.0, 0.4 / (side * 0.55 / 3600) ** 2) if side < 4096 else 1.0
    return simulate_sky_frame(
        (side, side), 3, density=density, effects=Effects().without("cosmics", "trails")
    )


def _ours(image: Path, catalogue: Path) -> Table:
    """From the file to the catalogue, as source-extractor goes."""
    data, _ = read_image(image)
    table = detect(data, None, estimate(data), Reduction(), gain=GAIN)
    write_catalog(catalogue, table, Header())
    return table


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _in_turn(rounds: int, works: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Medians of `rounds` alternating runs; the first, which warms up, does not count."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            taken[name].append(work())
    return {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}


def sources(arguments: argparse.Namespace) -> Figures:
    """Detection and measurement of one frame, file to catalogue, beside source-extractor."""
    sky = frame(int(SIDE / arguments.scale))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_image(folder / "sky.fits", sky.data, sky.header)
        command = programs.source_extractor(
            folder, folder / "sky.fits", folder / "theirs.fits", ASTROMETRY, **SETTINGS, **DETECTION
        )
        peaks: list[float] = []

        def theirs() -> float:
            run = measured(command)
            peaks.append(run.memory.largest_gb)
            return run.seconds

        seconds = _in_turn(
            arguments.rounds,
            {
                "ours": lambda: _seconds(lambda: _ours(folder / "sky.fits", folder / "ours.fits")),
                "source-extractor": theirs,
            },
        )
        ours, their = _ours(folder / "sky.fits", folder / "ours.fits"), Table.read(folder / "theirs.fits")
    distance, index = cKDTree(np.c_[ours["X_IMAGE"], ours["Y_IMAGE"]]).query(
        np.c_[their["X_IMAGE"], their["Y_IMAGE"]]
    )
    mine = ours[index]
    clean = (their["FLUX_AUTO"] > 20 * their["FLUXERR_AUTO"]) & (their["FLAGS"] == 0) & (mine["FLAGS"] == 0)
    clean &= distance < 1
    window = np.hypot(*(np.asarray(mine[key] - their[key]) for key in ("XWIN_IMAGE", "YWIN_IMAGE")))[clean]
    kron = np.abs(np.asarray(mine["MAG_AUTO"] - their["MAG_AUTO"]))[clean]
    times = seconds["source-extractor"] / seconds["ours"]
    return Figures(
        "sources",
        seconds,
        {"source-extractor": max(peaks)},
        [
            Bar(
                "times faster than source-extractor",
                times,
                3,
                above=True,
            ),
            Bar("windowed positions within 0.02 px", float(np.mean(window < 0.02)), 0.99, above=True),
            Bar("Kron magnitudes within 0.01", float(np.mean(kron < 0.01)), 0.98, above=True),
        ],
        [f"{len(ours)} and {len(their)} sources, {int(clean.sum())} compared"],
    )


def psf(arguments: argparse.Namespace) -> Figures:
    """FWHM, beta and ellipticity of one frame, beside source-extractor's vignets and psfex."""
    sky = frame(int(SIDE / arguments.scale))
    table = detect(sky.data, sky.mask, estimate(sky.data, sky.mask), Reduction(), gain=GAIN)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_image(folder / "sky.fits", sky.data, sky.header)
        deep = {"DETECT_THRESH": 5, "ANALYSIS_THRESH": 5, "DETECT_MINAREA": 5, "CATALOG_TYPE": "FITS_LDAC"}
        vignets = programs.source_extractor(
            *(folder, folder / "sky.fits", folder / "sky.cat", VIGNETS),
            **SETTINGS,
            **deep,
            PHOT_APERTURES=10,
            SATUR_LEVEL=60000,
        )
        programs.run(vignets)
        settings = {"BASIS_TYPE": "PIXEL", "PSF_SIZE": "25,25", "PSFVAR_DEGREES": 2, "PSFVAR_NSNAP": 9}
        faintest = _signal_of_brightest(folder / "sky.cat", Reduction().fwhm_nobjects)
        model = programs.psfex(folder, [folder / "sky.cat"], **settings, SAMPLE_MINSN=faintest, NTHREADS=1)
        seconds = _in_turn(
            arguments.rounds,
            {
                "ours": lambda: _seconds(lambda: psf_figures(sky.data, table, Reduction(), GAIN, sky.mask)),
                "source-extractor, psfex": lambda: measured(vignets).seconds + measured(model).seconds,
            },
        )
        their = votable.parse(folder / "psfex.xml").get_first_table().to_table()[0]
    ours = psf_figures(sky.data, table, Reduction(), GAIN, sky.mask)
    return Figures(
        "psf",
        seconds,
        {},
        [
            Bar("times faster", seconds["source-extractor, psfex"] / seconds["ours"], 3, above=True),
            Bar("FWHM differs, relative", abs(ours.fwhm_moffat_px / float(their["FWHM_Mean"]) - 1), 0.01),
            Bar("beta differs, relative", abs(ours.beta / float(their["MoffatBeta_Mean"]) - 1), 0.05),
            Bar("ellipticity differs", abs(ours.ellipticity - float(their["Ellipticity_Mean"])), 0.005),
        ],
        [
            "ours starts from the catalogue that is made anyway",
            f"both rest on the {ours.n_stars} brightest stars; psfex takes its time by their number",
        ],
    )


def _signal_of_brightest(catalogue: Path, stars: int) -> float:
    """The least signal to noise of so many stars: psfex takes minutes for all those of a whole frame."""
    table = read_catalog(catalogue)
    signal = np.sort(np.asarray(table["SNR_WIN"])[np.asarray(table["FLAGS"]) == 0])
    return max(30.0, float(signal[-stars:][0]))


def zeropoint(arguments: argparse.Namespace) -> Figures:
    """The zero point of one frame, and how flat it is, against the truth."""
    sky = frame(int(SIDE / arguments.scale))
    config = Reduction()
    table = detect(sky.data, sky.mask, estimate(sky.data, sky.mask), config, gain=GAIN)
    places = (np.asarray(table[name]) - 1 for name in ("XWIN_IMAGE", "YWIN_IMAGE"))
    table["ALPHAWIN_J2000"], table["DELTAWIN_J2000"] = sky.wcs.pixel_to_sky(*places)
    figures = psf_figures(sky.data, table, config, GAIN, sky.mask)
    begin = time.perf_counter()
    growth = growth_curve(sky.data, sky.mask, table, config, figures.fwhm_moffat_px, figures.beta)
    true = sky.sources[(sky.sources["KIND"] == "star") & (sky.sources["MAG"] < 18.5)]
    stars = Stars(
        *(np.asarray(true[name], float) for name in ("RA", "DEC", "MAG")), {"R": np.asarray(true["MAG_R"])}
    )
    found = zero_point(
        *(table, stars, "R", float(sky.truth.exptime_s), 20.0, Photometry()),
        growth=growth,
        aperture_px=APERTURES_PX[-1],
    )
    return Figures(
        "zeropoint",
        {"growth curve and zero point": time.perf_counter() - begin},
        {},
        [
            Bar("off the truth", 1000 * abs(found.value - sky.truth.zeropoint), 5, unit="mmag"),
            Bar("flatness", 1000 * found.flatness, 5, unit="mmag"),
        ],
        [f"{found.stars} stars, single stars scatter by {1000 * found.scatter:.0f} mmag"],
    )


WORKS = {"sources": sources, "psf": psf, "zeropoint": zeropoint}

if __name__ == "__main__":
    sys.exit(main(__doc__.partition("\n")[0], WORKS, scale=4))
