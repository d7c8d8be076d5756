"""The truth beside a simulated night: written once, read by tests and benchmarks.

Folder TRUTH: `catalogue.fits` (all sources), `reference.fits` (what a survey like Gaia would know),
`frames.json` (numbers of each frame), `masks/<name>.fits.fz`, `defects.fits.fz`, `response_<band>.fits`.
"""

import json
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from mar.simulate.conditions import Conditions
from mar.simulate.detector import Detector
from mar.simulate.records import FrameTruth
from mar.simulate.sky import at_epoch

FOLDER = "TRUTH"


class Truth:
    """What really was on the sky and in each frame of the night simulated in `root`."""

    def __init__(self, root: Path) -> None:
        self.folder = Path(root) / FOLDER

    @property
    def reference_path(self) -> Path:
        """The reference catalogue: RA, DEC (deg, ICRS 2016.0), PMRA, PMDEC (mas/yr), MAG, MAG_<band>."""
        return self.folder / "reference.fits"

    @cached_property
    def catalogue(self) -> Table:
        """All sources with positions at epoch 2016.0, motions, shapes and magnitudes."""
        return Table.read(self.folder / "catalogue.fits")

    @cached_property
    def frames(self) -> dict[str, FrameTruth]:
        """The truth of each raw frame, by its name without extension."""
        text = (self.folder / "frames.json").read_text("utf-8")
        return {name: FrameTruth.from_dict(values) for name, values in json.loads(text).items()}

    def frame(self, name: str) -> FrameTruth:
        """The truth of the frame of that name; `proc_` and extensions are taken off first."""
        return self.frames[_plain(name)]

    def mask(self, name: str) -> np.ndarray:
        """Bits SATURATED, COSMIC, TRAIL of a science or flat frame, trimmed (ny, nx) uint8."""
        return _pixels(self.folder / "masks" / f"{_plain(name)}.fits.fz")

    def defects(self) -> np.ndarray:
        """Bit BAD where the chip is hot, cold or has a bad column, trimmed (ny, nx) uint8."""
        return _pixels(self.folder / "defects.fits.fz")

    def response(self, band: str) -> np.ndarray:
        """The true flat field of the band: float32, trimmed (ny, nx), median one."""
        return _pixels(self.folder / f"response_{band}.fits")

    def sources_in(self, name: str) -> Table:
        """The sources of the frame's field with their true pixels X, Y in it (zero-based, trimmed)."""
        frame = self.frame(name)
        return place_in_frame(self.catalogue[self.catalogue["FIELD"] == frame.field], frame)


def true_sky_to_pixel(frame: FrameTruth, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Zero-based trimmed pixels of sky positions (degrees, at the epoch of the frame)."""
    if frame.wcs is None:
        raise ValueError(f"{frame.name} did not look at the sky")
    return frame.wcs.sky_to_pixel(ra, dec)


def place_in_frame(sources: Table, frame: FrameTruth) -> Table:
    """The sources with columns X, Y: their true zero-based trimmed pixels in the frame."""
    placed = sources.copy()
    placed["X"], placed["Y"] = true_sky_to_pixel(frame, *at_epoch(sources, epoch_of(frame)))
    return placed


def epoch_of(frame: FrameTruth) -> float:
    """The year of the exposure, with its fraction."""
    day = (np.datetime64(frame.date_obs[:10]) - np.datetime64(frame.date_obs[:4])).astype(int) + 1
    return int(frame.date_obs[:4]) + float(day) / 365.25


class TruthWriter:
    """Gathers the truth of a night in its folder."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        (self.folder / "masks").mkdir(parents=True, exist_ok=True)
        self._frames: dict[str, dict] = {}

    def add_frame(self, truth: FrameTruth, mask: np.ndarray) -> None:
        """Note a frame; its mask is written where any bit is set or it is no bias."""
        self._frames[truth.name] = truth.as_dict()
        if truth.type != "BIAS":
            write_mask(self.folder / "masks" / f"{truth.name}.fits.fz", mask)

    def add_sources(self, sources: Table, conditions: Conditions) -> None:
        """Write all sources, and as reference catalogue the stars that are bright enough."""
        sources.write(self.folder / "catalogue.fits", overwrite=True)
        known = (sources["KIND"] == "star") & (sources["MAG"] < conditions.reference_mag)
        magnitudes = [name for name in sources.colnames if name.startswith("MAG")]
        reference = sources[known]["RA", "DEC", "PMRA", "PMDEC", *magnitudes]
        reference["RA"].unit = reference["DEC"].unit = "deg"
        reference["PMRA"].unit = reference["PMDEC"].unit = "mas/yr"
        reference.meta["EPOCH"] = 2016.0
        reference.write(self.folder / "reference.fits", overwrite=True)

    def add_detector(self, detector: Detector, bands: list[str]) -> None:
        """Write the true flat fields and the defects of the chip."""
        write_mask(self.folder / "defects.fits.fz", detector.defects())
        for name in bands:
            response = detector.response(detector.camera.band(name))
            fits.writeto(self.folder / f"response_{name}.fits", response, overwrite=True)

    def close(self) -> None:
        """Write the numbers of all frames."""
        (self.folder / "frames.json").write_text(json.dumps(self._frames, indent=1), "utf-8")


def write_mask(path: Path, mask: np.ndarray) -> None:
    """A compressed uint8 image."""
    tile = (min(128, mask.shape[0]), mask.shape[1])
    fits.CompImageHDU(mask, compression_type="RICE_1", tile_shape=tile).writeto(path, overwrite=True)


def _pixels(path: Path) -> np.ndarray:
    data = fits.getdata(path)
    return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))


def _plain(name: str) -> str:
    return name.removeprefix("proc_").removesuffix(".fz").removesuffix(".fits")
