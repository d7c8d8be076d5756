"""Products of a simulated night against its truth: masks, positions, magnitudes, noise.

Works on files only, so that benchmarks and tests judge in the same way.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from astropy.time import Time
from scipy import ndimage
from scipy.spatial import cKDTree

from mar.camera import Camera
from mar.io.catalogs import read_catalog
from mar.io.fits import read_header, read_image, read_mask
from mar.io.names import Layout
from mar.masks import Bit
from mar.simulate import Truth
from mar.simulate.sky import at_epoch


class Score(NamedTuple):
    """How well a mask was found; None where there was nothing to find, or nothing was found."""

    recall: float | None
    purity: float | None


class Positions(NamedTuple):
    """Positions in a catalogue against the true ones, mas."""

    rms: tuple[float, float]  #: about the offset, east and north
    offset: tuple[float, float]
    stars: int


class Magnitudes(NamedTuple):
    """Magnitudes in a catalogue against the true ones."""

    scatter_mag: float
    offset_mag: float
    stars: int


def score(pairs: Iterable[tuple[np.ndarray, np.ndarray]], tolerance_px: int = 1) -> Score:
    """Recall and purity over pairs of masks (found, true), boolean (ny, nx), within a tolerance."""
    near = np.ones((2 * tolerance_px + 1,) * 2, dtype=bool)
    reached = true = right = found = 0
    for seen, real in pairs:
        true += np.count_nonzero(real)
        found += np.count_nonzero(seen)
        reached += np.count_nonzero(real & ndimage.binary_dilation(seen, near))
        right += np.count_nonzero(seen & ndimage.binary_dilation(real, near))
    return Score(reached / true if true else None, right / found if found else None)


def mask_score(root: Path, truth: Truth, names: Iterable[str], bit: Bit, tolerance_px: int = 1) -> Score:
    """Recall and purity of a bit in the masks of the processed frames of these raw names."""
    layout = Layout(root)
    pairs = (((read_mask(layout.bpmask(name)) & bit) != 0, (truth.mask(name) & bit) != 0) for name in names)
    return score(pairs, tolerance_px)


def solved(root: Path, names: Iterable[str]) -> dict[str, bool]:
    """Whether each raw frame's product says that its astrometry was solved."""
    return {name: _product_header(root, name).get("ASTROMETRY") == "SUCCESS" for name in names}


def _product_header(root: Path, name: str):  # type: ignore[no-untyped-def]
    product = next((root / "PROCESSED").glob(f"*/*/proc_{name}.fits*"), None)
    return {} if product is None else read_header(product)


class Matched(NamedTuple):
    """Stars of a tile's catalogue with their true counterparts."""

    found: Table
    true: Table  #: with RA_NOW, DEC_NOW at the epoch of the tile


def match_tile(catalog: Path, truth: Truth, field: str, band: str, snr: float = 30.0) -> Matched:
    """Clean stars of a tile's catalogue (S/N above `snr`, no flag) and the true star within 1 arcsec."""
    found = read_catalog(catalog)
    clean = (found["SNR_WIN"] > snr) & (found["FLAGS"] == 0)
    if "IMAFLAGS_ISO" in found.colnames:
        clean &= (found["IMAFLAGS_ISO"] & int(Bit.SATURATED)) == 0
    found = found[clean]
    stars = truth.catalogue[(truth.catalogue["FIELD"] == field) & (truth.catalogue["KIND"] == "star")]
    stars["RA_NOW"], stars["DEC_NOW"] = at_epoch(stars, _epoch(truth, field, band))
    scale = np.cos(np.radians(np.median(stars["DEC"])))
    tree = cKDTree(np.c_[stars["RA_NOW"] * scale, stars["DEC_NOW"]])
    here = np.c_[np.asarray(found["ALPHAWIN_J2000"]) * scale, np.asarray(found["DELTAWIN_J2000"])]
    distance, index = tree.query(here, k=2)
    # the second nearest must be far: a blend says nothing about the method
    alone = (distance[:, 0] < 1 / 3600) & (distance[:, 1] > 6 / 3600)
    return Matched(found[alone], stars[index[alone, 0]])


def _epoch(truth: Truth, field: str, band: str) -> float:
    dates = [one.date_obs for one in truth.frames.values() if (one.field, one.band) == (field, band)]
    return float(np.mean(Time([date[:19] for date in dates]).jyear))


def positions(matched: Matched) -> Positions:
    """Scatter and offset of the positions per axis, after clipping at 4 sigma."""
    scale = np.cos(np.radians(matched.true["DEC_NOW"]))
    east = (np.asarray(matched.found["ALPHAWIN_J2000"]) - matched.true["RA_NOW"]) * scale * 3.6e6
    north = (np.asarray(matched.found["DELTAWIN_J2000"]) - matched.true["DEC_NOW"]) * 3.6e6
    good = _clip(east) & _clip(north)
    axes = [np.asarray(axis)[good] for axis in (east, north)]
    rms = tuple(float(np.std(axis)) for axis in axes)
    offset = tuple(float(np.mean(axis)) for axis in axes)
    return Positions((rms[0], rms[1]), (offset[0], offset[1]), int(good.sum()))


def magnitudes(matched: Matched, band: str, zeropoint: float, snr: float = 100.0) -> Magnitudes:
    """Scatter and offset of Kron magnitudes; `zeropoint` is the magnitude of 1 ADU/s in the tile."""
    bright = (np.asarray(matched.found["SNR_WIN"]) > snr) & (np.asarray(matched.found["FLUX_AUTO"]) > 0)
    measured = zeropoint - 2.5 * np.log10(np.asarray(matched.found["FLUX_AUTO"])[bright])
    off = measured - np.asarray(matched.true[f"MAG_{band}"])[bright]
    good = off[_clip(off)]
    return Magnitudes(float(np.std(good)), float(np.mean(good)), good.size)


def _clip(values: np.ndarray, sigmas: float = 4.0) -> np.ndarray:
    values = np.asarray(values)
    middle = np.median(values)
    return np.abs(values - middle) <= sigmas * _sigma(values)


def ideal_noise(truth: Truth, camera: Camera, names: Iterable[str], zeropoint: float) -> float:
    """Noise per pixel (ADU/s of the tile) of frames weighted by their inverse variance, where all overlap."""
    inverse = 0.0
    for frame in map(truth.frame, names):
        variance = frame.sky_adu / camera.gain + (camera.read_noise_e / camera.gain) ** 2
        to_tile = 10 ** (0.4 * (zeropoint - (frame.zeropoint or zeropoint))) / frame.exptime_s
        inverse += 1 / (variance * to_tile**2)
    return float(inverse**-0.5)


def tile_noise(tile: Path, weight: Path, side_px: int = 5) -> float:
    """Noise of a tile in terms of independent pixels: scatter of the means of small squares of plain sky.

    Resampling makes neighbouring pixels alike; means of squares see the noise that apertures would see.
    """
    data, _ = read_image(tile)
    depth, _ = read_image(weight)
    covered = depth > 0.9 * np.percentile(depth[depth > 0], 75)
    sky = np.where(covered, data - np.median(data[covered]), 0)
    smooth = ndimage.uniform_filter(sky, 5)
    objects = smooth > 4 * _sigma(smooth[covered])
    usable = covered & ~ndimage.binary_dilation(objects, np.ones((7, 7), bool))
    means = _means_of_squares(np.where(usable, sky, np.nan), side_px)
    means = means[np.isfinite(means)]
    # each square against the next one: slopes of the background fall out
    return _sigma(np.diff(means)) / np.sqrt(2) * side_px


def _sigma(values: np.ndarray) -> float:
    """Standard deviation of the bulk of the values."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _means_of_squares(data: np.ndarray, side: int) -> np.ndarray:
    """Means of squares without a hole, row after row; NaN where there is one."""
    ny, nx = (size // side * side for size in data.shape)
    return data[:ny, :nx].reshape(ny // side, side, nx // side, side).mean(axis=(1, 3)).ravel()


def existing(layout: Layout, field: str, band: str, kind: str = "") -> Path:
    """The tile, or its map of that kind, compressed or not."""
    paths = [layout.tile(field, band, compressed, kind) for compressed in (True, False)]
    return next((path for path in paths if path.exists()), paths[0])


def zeropoint(tile: Path) -> float:
    """The magnitude of 1 ADU/s that the tile's header tells."""
    return float(read_header(tile)["MAR PHO ZP"])
