"""The tile of four processed frames: ours beside swarp's one weighted run, in turn; both against the truth.

    python sky_tile.py ours|swarp|compare [--root DIR] [--scale 1] ...

Both read plain FITS frames and write plain FITS maps. Ours measures and subtracts the background, resamples,
clips, and writes tile, weight, count and index; swarp subtracts a mesh of 512 pixels and writes the weighted
mean and its weight, from weights made beforehand (not timed). Seconds are of whole processes.
"""

import argparse
import atexit
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from scipy.ndimage import label
from scipy.spatial import cKDTree

import programs
from conventions import Bar, Figures, in_turn, main
from mar import run
from mar.camera import load_camera
from mar.config import config_from_dict, config_to_toml
from mar.io.fits import open_image, read_header, read_image, read_mask, stem
from mar.io.names import Layout
from mar.masks import UNUSABLE
from mar.refcat.packs import RefCat
from mar.simulate import Truth, simulate_night
from mar.steps.background import estimate
from mar.steps.grid import frame_wcs

NIGHT, BAND, EXPOSURES = date(2024, 3, 1), "R", 4
FASTER, MEMORY_GB = 4.0, 1.5
PLAIN = {"config": {"FPACK_PROCESSED": False, "FPACK_TILES": False}}
ONCE = Path(__file__).with_name("tile_once.py")


class Place:
    """Where the night is reduced; made once, used by all works."""

    def __init__(self, root: Path, scale: float, biases: int = 5, flats: int = 5) -> None:
        self.camera = load_camera("t80cam" if scale == 1 else "t80cam-mini")
        self.layout = Layout(root)
        self.config = config_from_dict(PLAIN)
        (root / "TMP").mkdir(parents=True, exist_ok=True)
        (root / "TMP" / "plain.toml").write_text(config_to_toml(self.config))
        if not any(root.glob("PROCESSED/*/*/proc_*.fits")):
            self._make(biases, flats)
        self.frames = sorted(root.glob("PROCESSED/*/*/proc_*.fits"))
        self.field = str(read_header(self.frames[0])["OBJECT"]).replace(" ", "-")
        self.truth = Truth(root)

    def _make(self, biases: int, flats: int) -> None:
        """Simulate the night and reduce its frames."""
        night = simulate_night(
            self.layout.root, self.camera, fields=1, exposures=EXPOSURES, bands=[BAND], biases=biases,
            flats=flats, day=NIGHT,
        )  # fmt: skip
        days = NIGHT, date(2024, 3, 2)
        self.layout.make_folders()
        RefCat(self.layout.reference).add(Path(night.reference), "simulated")
        where = self.layout, self.camera, self.config
        bias = run.master_bias([Path(path) for path in night.biases], *where, *days)
        of_bias = run.MasterFiles(bias.master, bias.mask)
        flat = run.master_flat([Path(path) for path in night.flats[BAND]], BAND, of_bias, *where, *days)
        masters = run.ScienceMasters(of_bias, run.MasterFiles(flat.master, flat.mask))
        for raw in next(iter(night.science.values())):
            run.science(Path(raw), masters, 0, frozenset({"ov", "sf", "mc", "am"}), *where)

    @property
    def peer(self) -> Path:
        """Folder of swarp."""
        return self.layout.scratch / "swarp"

    def ours(self) -> programs.Command:
        """Our coadd, as a process of its own."""
        argv = sys.executable, str(ONCE), str(self.layout.root), self.camera.name
        return programs.Command((*argv, *map(str, self.frames)), self.layout.root)

    def swarp(self) -> programs.Command:
        """One weighted run of swarp onto the same grid."""
        ours = self.layout.scratch / "tile.fits"
        header = read_header(ours)
        numbers = range(1, header["NCOMBINE"] + 1)
        scales = {header[f"COMB_{n}"]: str(header[f"SCALE_{n}"] / header[f"EXP_{n}"]) for n in numbers}
        links = [self.peer / frame.name for frame in self.frames]
        options = {
            "COMBINE_TYPE": "WEIGHTED", "WEIGHT_TYPE": "MAP_WEIGHT", "WEIGHT_SUFFIX": ".weight.fits",
            "RESAMPLING_TYPE": "LANCZOS3", "PROJECTION_TYPE": "TAN", "CELESTIAL_TYPE": "EQUATORIAL",
            "CENTER_TYPE": "MANUAL", "CENTER": f"{header['CRVAL1']},{header['CRVAL2']}",
            "PIXELSCALE_TYPE": "MANUAL", "PIXEL_SCALE": f"{abs(header['CD1_1']) * 3600}",
            "IMAGE_SIZE": f"{header['NAXIS1']},{header['NAXIS2']}", "FSCALE_KEYWORD": "NONE",
            "FSCALE_DEFAULT": ",".join(scales[stem(frame)] for frame in self.frames),
            "SUBTRACT_BACK": "Y", "BACK_SIZE": 512, "BACK_FILTERSIZE": 5, "DELETE_TMPFILES": "Y",
        }  # fmt: skip
        return programs.swarp(self.peer, links, self.peer / "swarp.fits", **options)

    def weights(self) -> None:
        """What swarp is given: the inverse variance of the sky, 0 where the frame is masked."""
        self.peer.mkdir(parents=True, exist_ok=True)
        for frame in self.frames:
            link = self.peer / frame.name
            if link.exists():
                continue
            link.symlink_to(frame)
            pixels, _ = read_image(frame)
            mask = read_mask(self.layout.bpmask(stem(frame).removeprefix("proc_")))
            weight = estimate(pixels, mask, 512, 5).rms() ** -2
            weight[(mask & UNUSABLE) != 0] = 0
            fits.writeto(self.peer / f"{stem(frame)}.weight.fits", weight)


def few_blocks(arguments: argparse.Namespace) -> list[str]:
    """What is to be said of the noise of a small tile."""
    said = "noise of the tile: uncertain by 1 % (whole mini frames) to 2 % (800 pixels in common)"
    return [] if arguments.scale == 1 else [said]


def place_of(arguments: argparse.Namespace) -> Place:
    """The root of this run; the same for all works."""
    if not hasattr(arguments, "tile_place"):
        root = getattr(arguments, "root", None)
        if root is None:
            root = tempfile.mkdtemp(prefix="mar-tile-")
            atexit.register(shutil.rmtree, root)
        arguments.tile_place = Place(Path(root).resolve(), arguments.scale)
    return arguments.tile_place


def compare(arguments: argparse.Namespace) -> Figures:
    """Ours and swarp in turn: seconds and memory, positions and fluxes of each other's stars."""
    place, figures = place_of(arguments), Figures("tile", remarks=few_blocks(arguments))
    programs.run(place.ours())  # its grid is what swarp is given
    commands = {"ours": place.ours}
    if programs.find("SWarp", "swarp"):
        place.weights()
        commands["swarp"] = place.swarp
    runs = in_turn(commands, arguments.rounds)
    figures.seconds = {name: one.seconds for name, one in runs.items()}
    figures.peak_gb = {name: one.memory.largest_gb for name, one in runs.items()}
    figures.bars = [
        Bar("peak of our process", figures.peak_gb["ours"], MEMORY_GB, unit="GB"),
        *truth_bars(place),
    ]
    if "swarp" not in runs:
        figures.remarks.append("swarp is not installed (Debian package swarp)")
        figures.bars.append(Bar("times faster than swarp", None, FASTER, above=True))
        return figures
    faster = figures.seconds["swarp"] / figures.seconds["ours"]
    figures.bars += [Bar("times faster than swarp", faster, FASTER, above=True), *peer_bars(place)]
    return figures


def ours(arguments: argparse.Namespace) -> Figures:
    """Our tile alone."""
    place, figures = place_of(arguments), Figures("ours", remarks=few_blocks(arguments))
    one = in_turn({"ours": place.ours}, arguments.rounds)["ours"]
    figures.seconds["ours"], figures.peak_gb["ours"] = one.seconds, one.memory.largest_gb
    figures.bars = [
        Bar("peak of our process", one.memory.largest_gb, MEMORY_GB, unit="GB"),
        *truth_bars(place),
    ]
    return figures


def measured(data: np.ndarray) -> Table:
    """Bright, clean stars of a tile: windowed positions and fluxes of 10 pixels."""
    from mar.config.reduction import Reduction
    from mar.steps.sources import detect

    found = detect(data, None, estimate(data, None), Reduction(), gain=100.0)
    return found[(found["SNR_WIN"] > 100) & (found["FLAGS"] == 0)]


def peer_bars(place: Place) -> list[Bar]:
    """Positions and fluxes of the same stars in both tiles."""
    with (
        open_image(place.layout.scratch / "tile.fits") as one,
        open_image(place.peer / "swarp.fits") as other,
    ):
        rows = slice(one.shape[0] // 3, one.shape[0] * 2 // 3)
        a, b = (measured(image.rows(rows.start, rows.stop)) for image in (one, other))
    tree = cKDTree(np.c_[b["XWIN_IMAGE"], b["YWIN_IMAGE"]])
    distance, index = tree.query(np.c_[a["XWIN_IMAGE"], a["YWIN_IMAGE"]], distance_upper_bound=1)
    a, b = a[np.isfinite(distance)], b[index[np.isfinite(distance)]]
    scale_mas = 1000 * place.camera.pixel_scale_arcsec
    offsets = [float(np.median(a[key] - b[key])) * scale_mas for key in ("XWIN_IMAGE", "YWIN_IMAGE")]
    ratio = float(np.median(a["FLUX_AUTO"] / b["FLUX_AUTO"]))
    return [
        Bar("stars from swarp's, median offset", float(np.hypot(*offsets)), 1.0, unit="mas"),
        Bar("flux from swarp's", 100 * abs(ratio - 1), 0.2, unit="%"),
    ]


def truth_bars(place: Place) -> list[Bar]:
    """Noise against ideal weights, and cosmic rays that are left."""
    tile, weight, count = (
        read_image(place.layout.scratch / f"{name}.fits")[0] for name in ("tile", "weight", "count")
    )
    deep = count == len(place.frames)
    return [
        Bar(
            "noise beyond that of ideal weights", 100 * abs(noise_ratio(tile, weight, deep) - 1), 2, unit="%"
        ),
        Bar("residual cosmic rays", residual_cosmics(place, tile, weight, count), 1.0, unit="per 10 Mpix"),
    ]


def noise_ratio(tile: np.ndarray, weight: np.ndarray, deep: np.ndarray, block: int = 8) -> float:
    """Noise of means of blocks (interpolation correlates neighbours) over that of the weights."""
    ny, nx = (length // block * block for length in tile.shape)
    cut = slice(0, ny), slice(0, nx)

    def blocks(of: np.ndarray) -> np.ndarray:
        return of[cut].reshape(ny // block, block, nx // block, block).mean(axis=(1, 3), dtype=np.float64)

    whole = blocks(deep.astype(np.float32)) == 1
    scaled = (blocks(tile) * block * np.sqrt(blocks(weight)))[whole]
    # stars lift the upper half: the lower one, about the mode, is the sky's
    low, middle = np.percentile(scaled, [1, 50])
    near = scaled[(scaled > low) & (scaled < 2 * middle - low)]
    counts, edges = np.histogram(near, 400)
    mode = float(np.polynomial.Polynomial.fit(edges[:-1], counts, 6).linspace(2000)[1].argmax()) / 1999
    mode = edges[0] + mode * (edges[-2] - edges[0])
    below = mode - scaled[scaled < mode]
    return float(np.percentile(below, 68.27))


def residual_cosmics(place: Place, tile: np.ndarray, weight: np.ndarray, count: np.ndarray) -> float:
    """Tracks of the truth that stand out of three frames and more by 8 sigma, per 10 million pixels."""
    marked = np.zeros(tile.shape, bool)
    for frame in place.frames:
        name = stem(frame).removeprefix("proc_")
        y, x = np.nonzero(place.truth.mask(name) & 4)
        sky = frame_wcs(read_header(frame)).wcs_pix2world(np.c_[x, y], 0)
        at = (
            frame_wcs(read_header(place.layout.scratch / "tile.fits"))
            .wcs_world2pix(sky, 0)
            .round()
            .astype(int)
        )
        at = at[((at >= 0) & (at < tile.shape[0])).all(axis=1)]
        marked[at[:, 1], at[:, 0]] = True
    around = marked & (count >= 3) & (tile * np.sqrt(weight) > 8)
    # a star under a track stands out too: it does so beside the track as well
    beside = np.zeros_like(marked)
    high = tile * np.sqrt(weight) > 4
    for dy, dx in ((0, 4), (0, -4), (4, 0), (-4, 0)):
        beside |= np.roll(high & ~marked, (dy, dx), (0, 1))
    return 1e7 * label(around & ~beside)[1] / max(1, np.count_nonzero(count >= 3))


def options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--root", metavar="DIR", help="reduce here and keep it; default a folder that goes")


WORKS = {"compare": compare, "ours": ours}

if __name__ == "__main__":
    sys.exit(main(__doc__, WORKS, extra=options))
