"""The frames of a field in one band become a tile: choose, place, combine band of rows by band of rows."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numba
import numpy as np
from astropy.io.fits import Header
from astropy.table import Table
from astropy.wcs import WCS

from mar.camera import Camera
from mar.config.coadd import Coadd
from mar.config.swarp import Swarp
from mar.errors import BadConfig, BadHeader, BadImage, NotEnoughFrames
from mar.exposure import Exposure
from mar.progress import Progress, silent
from mar.recipes.tile_header import DroppedFrame, UsedFrame, tile_header
from mar.steps.coadd import Runs, Stack, TileRows, add, wait_for
from mar.steps.flux_scale import relative_scales, seeing_px
from mar.steps.frame_choice import FrameFigures, reasons_to_drop
from mar.steps.grid import Grid, frame_wcs
from mar.steps.resample import PlacedFrame, place
from mar.steps.rows import bands
from mar.steps.sky_choice import Mode, chosen_sky
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


class FateWriter(Protocol):
    """What became of the frames' pixels, written from the first row to the last."""

    def write_band(self, fates: Sequence[Runs]) -> None:
        """Append the runs of each frame in a band of rows."""


@dataclass(frozen=True)
class TileWriters:
    """Where a tile goes: value float32, weight float32, count uint16, the fate of the frames' pixels."""

    tile: RowWriter
    weight: RowWriter
    count: RowWriter | None = None
    fates: FateWriter | None = None

    def write(self, rows: TileRows, fates: Sequence[Runs]) -> None:
        """Append a band of rows."""
        self.tile.write_rows(rows.value)
        self.weight.write_rows(rows.weight)
        if self.count is not None:
            self.count.write_rows(rows.number)
        if self.fates is not None:
            self.fates.write_band(fates)


@dataclass(frozen=True)
class TileReaders:
    """An earlier tile, its weight and its count."""

    tile: RowReader
    weight: RowReader
    count: RowReader

    def rows(self, y0: int, y1: int) -> TileRows:
        """The rows y0 <= y < y1."""
        value, weight = (np.asarray(map_.rows(y0, y1), np.float32) for map_ in (self.tile, self.weight))
        return TileRows(value, weight, np.asarray(self.count.rows(y0, y1), np.uint16))


@dataclass(frozen=True)
class TilePlan:
    """All that is decided before the first row is combined."""

    grid: Grid
    config: Coadd
    placed: list[PlacedFrame]
    used: list[UsedFrame]
    dropped: list[DroppedFrame]
    header: Header  #: of the tile; the weight and count maps share its WCS


class StarFluxes(NamedTuple):
    """A catalogue, and the exposure in which the transparency of a tile would have given its fluxes."""

    catalogue: Table
    exptime_s: float


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
    base: StarFluxes | None = None,
) -> TilePlan:
    """Measure the sky and transparency of the frames, choose, and place them on the grid.

    `base` has stars of the tile that they are added to: they get its transparency. A frame without WCS or
    without sky is dropped like one that the configuration refuses. Raises NotEnoughFrames where none is
    left.
    """
    measured, dropped = _measured(frames, config.background, swarp, progress)
    scales = _scales([one.frame for one in measured], config, base)
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
        raise NotEnoughFrames(
            f"no frame is left for the tile ({said})", {one.name: one.reason for one in dropped}
        )
    used = [_used(measured[index], figures[index]) for index in kept]
    exposures = [measured[index].frame.exposure for index in kept]
    header = tile_header(grid, camera, exposures, used, config)
    return TilePlan(grid, config, [placed[index] for index in kept], used, dropped, header)


def write_tile(
    plan: TilePlan, writers: TileWriters, progress: Progress = silent, base: TileReaders | None = None
) -> TileFigures:
    """Combine the frames of a plan and write the tile, in memory bounded whatever their number.

    With a `base`, an earlier tile of other frames on the same grid, theirs are added to it: tile times weight
    is the sum so far. Only the weighted mean allows it; raises BadConfig for the other methods.
    """
    if base is not None and plan.config.method != "weighted":
        raise BadConfig(f"a {plan.config.method} tile needs all frames at once; METHOD = weighted does not")
    size, covered, noises = plan.grid.size, 0, []
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        stack = Stack(plan.placed, plan.grid, plan.config, pool)
        written: list[Future[None]] = []
        for y0, y1 in bands(size, stack.height):
            progress("coadd", y0, size)
            rows, fates = stack.rows(y0, y1)
            if base is not None:
                rows = add(base.rows(y0, y1), rows)
            wait_for(written)
            written = [pool.submit(writers.write, rows, fates)]
            covered += int(np.count_nonzero(rows.weight))
            sample = rows.weight[:: min(16, y1 - y0), ::16]
            noises.append(sample[sample > 0] ** -0.5)
        wait_for(written)
    for placed in plan.placed:
        placed.rows.forget()
    progress("coadd", size, size)
    sample = np.concatenate(noises)
    noise = float(np.median(sample)) if sample.size else float("nan")
    return TileFigures(len(plan.used), covered / size**2, noise, plan.used, plan.dropped)


class _Measured(NamedTuple):
    """A frame with its background and WCS."""

    frame: FrameInput
    sky: SkyMesh
    wcs: WCS


def _measured(
    frames: Sequence[FrameInput], mode: Mode, swarp: Swarp, progress: Progress
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
            sky = chosen_sky(measure_sky(frame.image, frame.mask, cell, filter_size), mode)
        except (BadHeader, BadImage) as error:
            dropped.append(DroppedFrame(frame.exposure.name, str(error)))
        else:
            measured.append(_Measured(frame, sky, wcs))
    progress("background", len(frames), len(frames))
    return measured, dropped


def _scales(frames: Sequence[FrameInput], config: Coadd, base: StarFluxes | None) -> list[float]:
    """Factors of transparency; 1 where it is not wanted or the stars do not tell."""
    if not config.scale_flux:
        return [1.0] * len(frames)
    found = relative_scales(
        [base and base.catalogue, *(frame.catalogue for frame in frames)],
        [base.exptime_s if base else 1.0, *(frame.exposure.exptime_s for frame in frames)],
        config.star_min_snr,
        config.match_radius_arcsec,
    )
    found = found[1:] if base is None else found[1:] / found[0]
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
    noise, level = float(np.median(one.sky.rms)), float(np.median(one.sky.level))
    return FrameFigures(seeing, scale, noise, one.frame.exposure.exptime_s, overlaps, level)


def _used(one: _Measured, figures: FrameFigures) -> UsedFrame:
    name, sky_adu = one.frame.exposure.name, float(np.median(one.sky.level))
    return UsedFrame(name, figures.exptime_s, figures.scale, figures.seeing_px, sky_adu, figures.noise)
