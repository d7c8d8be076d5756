"""A whole night on disk: raw frames, and the truth beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.io.fits import Header
from astropy.table import Table, vstack

from mar.camera import Camera
from mar.errors import BadConfig
from mar.exposure import FrameType
from mar.progress import Progress, silent
from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects
from mar.simulate.plan import end_of, plan_biases, plan_flats, plan_science, survey_fields
from mar.simulate.records import Exposed, Shot
from mar.simulate.simulator import Simulator
from mar.simulate.sky import SkyField, make_sources
from mar.simulate.truth import Truth, TruthWriter

Compress = Literal["fits", "fz", "mixed"]
_MARGIN_ARCSEC = 240.0  # of the sky beyond the edges of a field


@dataclass
class Night:
    """The files of a simulated night. The truth is in its own folder, apart from the raw frames."""

    root: Path
    raw: Path  #: folder of the raw frames
    truth: Truth
    fields: list[SkyField]
    biases: list[Path] = field(default_factory=list)
    flats: dict[str, list[Path]] = field(default_factory=dict)  #: by band
    science: dict[tuple[str, str], list[Path]] = field(default_factory=dict)  #: by field and band

    @property
    def frames(self) -> list[Path]:
        """All raw frames."""
        return [*self.biases, *chain(*self.flats.values(), *self.science.values())]

    @property
    def reference(self) -> Path:
        """The reference catalogue, FITS table."""
        return self.truth.reference_path

    def add(self, shot: Shot, path: Path) -> None:
        """Note the file of an exposure."""
        if shot.type is FrameType.BIAS:
            self.biases.append(path)
        elif shot.type is FrameType.FLAT:
            self.flats.setdefault(shot.band or "", []).append(path)
        else:
            self.science.setdefault((shot.field, shot.band or ""), []).append(path)


class _Plan(NamedTuple):
    shots: list[Shot]
    sources: dict[str, Table]  #: by field


def simulate_night(
    root: Path,
    camera: Camera,
    *,
    fields: int | Sequence[SkyField] = 2,
    exposures: int = 3,
    bands: Sequence[str] | Literal["all"] = "all",
    seed: int = 1,
    biases: int = 11,
    flats: int = 9,
    effects: Effects | None = None,
    conditions: Conditions | None = None,
    compress: Compress = "fits",
    day: date = date(2024, 3, 1),
    progress: Progress = silent,
) -> Night:
    """Simulate a night in `root`: raw frames in a folder named by the date, the truth in TRUTH.

    `exposures` counts per field and band, `flats` per band. The same arguments give the same bytes.
    Raises BadHeader for a band that the camera has not, BadConfig for counts below zero.
    """
    if min(exposures, biases, flats) < 0:
        raise BadConfig("the numbers of exposures, biases and flats cannot be negative")
    simulator = Simulator(camera, conditions=conditions, effects=effects, seed=seed)
    names = list(camera.band_names) if bands == "all" else [camera.band(band).name for band in bands]
    pointings = survey_fields(camera, day, fields) if isinstance(fields, int) else list(fields)
    night = Night(root, root / f"{day:%Y%m%d}", Truth(root), pointings)
    night.raw.mkdir(parents=True, exist_ok=True)
    writer = TruthWriter(root)
    plan = _Plan(
        [
            *plan_biases(camera, day, biases),
            *plan_flats(camera, day, names, flats),
            *_plan_fields(simulator, day, pointings, names, exposures),
        ],
        {pointing.name: _sources(simulator, pointing, names) for pointing in pointings},
    )
    _expose_all(simulator, plan, night, writer, compress, progress)
    if plan.sources:
        writer.add_sources(vstack(list(plan.sources.values())), simulator.conditions)
    writer.add_detector(simulator.detector, names)
    writer.close()
    return night


def _plan_fields(
    simulator: Simulator, day: date, pointings: Sequence[SkyField], bands: Sequence[str], exposures: int
) -> Iterator[Shot]:
    """Field after field, band after band."""
    started = None
    for pointing in pointings:
        for band in bands:
            for shot in plan_science(
                simulator.camera,
                day,
                pointing,
                band,
                exposures,
                simulator.conditions,
                simulator.effects,
                started,
            ):
                yield shot
                started = end_of(shot)


def _sources(simulator: Simulator, pointing: SkyField, bands: Sequence[str]) -> Table:
    camera = simulator.camera
    height, width = ((size * camera.pixel_scale_arcsec + 2 * _MARGIN_ARCSEC) / 3600 for size in camera.shape)
    filters = [camera.band(band) for band in bands]
    return make_sources(
        pointing, (height, width), filters, simulator.conditions, simulator.effects, simulator.seed
    )


def _expose_all(
    simulator: Simulator,
    plan: _Plan,
    night: Night,
    writer: TruthWriter,
    compress: Compress,
    progress: Progress,
) -> None:
    for number, shot in enumerate(plan.shots):
        progress("simulate", number, len(plan.shots))
        exposed = _expose(simulator, shot, plan.sources)
        packed = compress == "fz" or (compress == "mixed" and number % 2 == 1)
        path = night.raw / f"{shot.name}{'.fits.fz' if packed else '.fits'}"
        write_raw(path, exposed.raw, exposed.header)
        writer.add_frame(exposed.truth, exposed.mask)
        night.add(shot, path)
    progress("simulate", len(plan.shots), len(plan.shots))


def _expose(simulator: Simulator, shot: Shot, sources: dict[str, Table]) -> Exposed:
    if shot.type is FrameType.BIAS:
        return simulator.bias(shot)
    if shot.type is FrameType.FLAT:
        return simulator.flat(shot)
    return simulator.science(shot, sources[shot.field])


def write_raw(path: Path, raw: np.ndarray, header: Header) -> None:
    """Write uint16 pixels with BZERO 32768, as the telescope does: plain, or compressed into HDU 1 (.fz)."""
    if path.suffix == ".fz":
        hdu = fits.CompImageHDU(raw, header, compression_type="RICE_1")
    else:
        hdu = fits.PrimaryHDU(raw, header)
    hdu.writeto(path, overwrite=True)
