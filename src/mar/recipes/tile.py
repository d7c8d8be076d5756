"""The frames of a field in one band become a tile: choose, place, combine band of rows by band of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from astropy.io.fits import Header
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

from mar import __version__
from mar.camera import Camera
from mar.config.coadd import Coadd
from mar.config.swarp import Swarp
from mar.errors import BadHeader, BadImage, NotEnoughFrames
from mar.exposure import Exposure
from mar.frame import set_cards
from mar.progress import Progress, silent
from mar.steps.coadd import band_rows, coadd_rows
from mar.steps.flux_scale import relative_scales, seeing_px
from mar.steps.frame_choice import FrameFigures, reasons_to_drop
from mar.steps.grid import Grid, frame_wcs
from mar.steps.resample import PlacedFrame, place
from mar.steps.sky_mesh import RowReader, SkyMesh, measure_sky


@dataclass(frozen=True)
class FrameInput:
    """A processed frame: readers of its pixels (ADU) and mask bits, its header with WCS, its catalogue."""

    image: RowReader
    mask: RowReader | None
    header: Header
    exposure: Exposure
    catalogue: Table | None = None  #: SExtractor's names; without it transparency and seeing are unknown


class RowWriter(Protocol):
    """An image that is written from the first row to the last."""

    def write_rows(self, rows: np.ndarray) -> None:
        """Append rows (n, nx)."""


@dataclass(frozen=True)
class TileWriters:
    """Where the three images of a tile go: value float32, weight float32, count int16."""

    tile: RowWriter
    weight: RowWriter
    count: RowWriter | None = None


class DroppedFrame(NamedTuple):
    """A frame that was left out."""

    name: str
    reason: str


class UsedFrame(NamedTuple):
    """A frame of the tile, and what was found of it."""

    name: str
    exptime_s: float
    scale: float  #: factor to the common transparency
    seeing_px: float
    sky_adu: float
    noise_adu: float


@dataclass(frozen=True)
class TilePlan:
    """All that is decided before the first row is combined."""

    grid: Grid
    config: Coadd
    placed: list[PlacedFrame]
    used: list[UsedFrame]
    dropped: list[DroppedFrame]
    header: Header  #: of the tile; the weight and count maps share its WCS


class TileFigures(NamedTuple):
    """What became of a tile."""

    ncombine: int
    covered_fraction: float  #: of the tile's pixels, those with a weight
    median_noise: float  #: adu/s, standard deviation of a pixel by the weights
    used: list[UsedFrame]
    dropped: list[DroppedFrame]


def plan_tile(
    frames: Sequence[FrameInput],
    grid: Grid,
    camera: Camera,
    config: Coadd,
    swarp: Swarp,
    progress: Progress = silent,
) -> TilePlan:
    """Measure the sky and transparency of the frames, choose, and place them on the grid.

    A frame without WCS or without sky is dropped like one that the configuration refuses. Raises
    NotEnoughFrames where none is left.
    """
    measured, dropped = _measured(frames, swarp, progress)
    scales = _scales([one.frame for one in measured], config)
    placed = [
        _place(one, grid, scale, config, swarp.first_run_subtract_back)
        for one, scale in zip(measured, scales, strict=True)
    ]
    figures = [
        _figures(one, scale, on_grid.overlaps(), config)
        for one, scale, on_grid in zip(measured, scales, placed, strict=True)
    ]
    reasons = reasons_to_drop(figures, config)
    kept = [index for index, reason in enumerate(reasons) if not reason]
    dropped += [
        DroppedFrame(one.frame.exposure.name, reason)
        for one, reason in zip(measured, reasons, strict=True)
        if reason
    ]
    if not kept:
        said = "; ".join(f"{one.name}: {one.reason}" for one in dropped) or "none was given"
        raise NotEnoughFrames(f"no frame is left for the tile ({said})")
    used = [_used(measured[index], figures[index]) for index in kept]
    header = tile_header(grid, camera, [measured[index].frame for index in kept], used, config)
    return TilePlan(grid, config, [placed[index] for index in kept], used, dropped, header)


def write_tile(plan: TilePlan, writers: TileWriters, progress: Progress = silent) -> TileFigures:
    """Combine the frames of a plan and write the tile, in memory bounded whatever their number."""
    height = band_rows(len(plan.placed), plan.grid, plan.config.memory_mb)
    covered, noises = 0, []
    for y0 in range(0, plan.grid.size, height):
        progress("coadd", y0, plan.grid.size)
        rows = coadd_rows(plan.placed, plan.grid, y0, min(plan.grid.size, y0 + height), plan.config)
        writers.tile.write_rows(rows.value)
        writers.weight.write_rows(rows.weight)
        if writers.count is not None:
            writers.count.write_rows(rows.number)
        covered += int(np.count_nonzero(rows.weight))
        noises.append(rows.weight[::16, ::16][rows.weight[::16, ::16] > 0] ** -0.5)
    progress("coadd", plan.grid.size, plan.grid.size)
    sample = np.concatenate(noises)
    noise = float(np.median(sample)) if sample.size else float("nan")
    return TileFigures(len(plan.used), covered / plan.grid.size**2, noise, plan.used, plan.dropped)


def tile_header(
    grid: Grid, camera: Camera, frames: Sequence[FrameInput], used: Sequence[UsedFrame], config: Coadd
) -> Header:
    """Header of a tile in adu/s: WCS, what it is made of, and gain and saturation to match its unit."""
    first = min((frame.exposure for frame in frames), key=lambda exposure: exposure.date_obs)
    total_s = sum(frame.exptime_s for frame in used)
    header = grid.header()
    set_cards(
        header,
        {
            "OBJECT": (first.field, "field"),
            "FILTER": (first.band or "", "band"),
            "DATE-OBS": (first.date_obs.replace(tzinfo=None).isoformat(), "UTC, start of the earliest frame"),
            "MJD-OBS": (float(Time(first.date_obs).mjd), "[d] the same"),
            "BUNIT": ("adu/s", "counts per second"),
            "EXPTIME": (total_s, "[s] sum of the exposures"),
            "GAIN": (
                sum(camera.gain * frame.exptime_s / frame.scale for frame in used),
                "[e-/(adu/s)] electrons of all frames per unit",
            ),
            "SATURATE": (
                min(camera.saturation_adu / frame.exptime_s * frame.scale for frame in used),
                "[adu/s] lowest saturation of the frames",
            ),
            "NCOMBINE": (len(used), "frames combined"),
            "MAR COADD METHOD": (config.method, "combination"),
            "MAR COADD RESAMPLING": (config.resampling, "interpolation"),
            "MAR VERSION": (__version__, "software"),
        },
    )
    for number, frame in enumerate(used, start=1):
        header[f"COMB_{number}"] = (frame.name, "frame combined")
        header[f"EXP_{number}"] = (frame.exptime_s, "[s] its exposure")
        header[f"SCALE_{number}"] = (frame.scale, "its factor of transparency")
    return header


class _Measured(NamedTuple):
    """A frame with its background and WCS."""

    frame: FrameInput
    sky: SkyMesh
    wcs: WCS


def _measured(
    frames: Sequence[FrameInput], swarp: Swarp, progress: Progress
) -> tuple[list[_Measured], list[DroppedFrame]]:
    """The frames whose sky and place are known, and the others with the reason."""
    measured, dropped = [], []
    cell, filter_size = swarp.second_run_back_size, swarp.second_run_back_filtersize
    for done, frame in enumerate(frames):
        progress("background", done, len(frames))
        try:
            if not frame.exposure.exptime_s > 0:
                raise BadHeader("its exposure time is not above zero")
            wcs = frame_wcs(frame.header)
            sky = measure_sky(frame.image, frame.mask, cell, filter_size)
        except (BadHeader, BadImage) as error:
            dropped.append(DroppedFrame(frame.exposure.name, str(error)))
        else:
            measured.append(_Measured(frame, sky, wcs))
    progress("background", len(frames), len(frames))
    return measured, dropped


def _scales(frames: Sequence[FrameInput], config: Coadd) -> list[float]:
    """Factors of transparency; 1 where it is not wanted or the stars do not tell."""
    if not config.scale_flux:
        return [1.0] * len(frames)
    found = relative_scales(
        [frame.catalogue for frame in frames],
        [frame.exposure.exptime_s for frame in frames],
        config.star_min_snr,
        config.match_radius_arcsec,
    )
    return [float(scale) if np.isfinite(scale) else 1.0 for scale in found]


def _place(one: _Measured, grid: Grid, scale: float, config: Coadd, subtract_sky: bool) -> PlacedFrame:
    return place(
        one.frame.image,
        one.frame.mask,
        one.wcs,
        one.sky,
        grid,
        scale / one.frame.exposure.exptime_s,
        config.resampling,
        config.flux_scaling,
        subtract_sky,
    )


def _figures(one: _Measured, scale: float, overlaps: bool, config: Coadd) -> FrameFigures:
    catalogue = one.frame.catalogue
    seeing = float("nan") if catalogue is None else seeing_px(catalogue, config.star_min_snr)
    noise = float(np.median(one.sky.rms))
    return FrameFigures(seeing, scale, noise, one.frame.exposure.exptime_s, overlaps)


def _used(one: _Measured, figures: FrameFigures) -> UsedFrame:
    name, sky_adu = one.frame.exposure.name, float(np.median(one.sky.level))
    return UsedFrame(name, figures.exptime_s, figures.scale, figures.seeing_px, sky_adu, figures.noise)
